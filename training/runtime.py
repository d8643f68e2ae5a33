"""TensorFlow made to give the same bits again, on a GPU where there is one."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from awl_vae.system.errors import UserError
from awl_vae.system.words import quantity

KERAS_DEFAULTS = ("float32", 1e-7, "channels_last")
"""Keras' floatx, epsilon and image_data_format where nothing is said."""


def set_up(num_threads: int) -> list[str]:
    """Sets threads, determinism and memory growth; before TensorFlow computes anything.

    Args:
        num_threads: CPU threads.

    Returns:
        The names of the devices that TensorFlow sees.

    Raises:
        UserError: If TensorFlow has computed something with another number of threads.
    """
    gpus = tf.config.list_physical_devices("GPU")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise UserError(
            f"Expected --num_threads={num_threads} before TensorFlow computes anything in "
            "this process, or with the number that it has. "
            f"Received: --num_threads={tf.config.threading.get_intra_op_parallelism_threads()} "
            "(0: all)"
        ) from error
    tf.config.experimental.enable_op_determinism()
    if not gpus:
        print(f"No GPU found: computing on the CPU with {quantity(num_threads, 'thread')}.")
    return [device.name for device in tf.config.list_physical_devices()]


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Keras as it comes, whatever a user's `keras.json` or program has set; that is set again.

    Networks and detectors name their types and formats. What is left are the defaults of Keras' own
    parts, such as the precision of an optimizer's learning rate.
    """
    config = keras.config
    before = config.floatx(), config.epsilon(), config.image_data_format()
    try:
        _set(*KERAS_DEFAULTS)
        yield
    finally:
        _set(*before)


def _set(floatx: str, epsilon: float, image_data_format: str) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_image_data_format(image_data_format)


def start_run(seed: int) -> None:
    """Puts Python's, NumPy's and TensorFlow's generators at `seed`, whatever ran before."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
