"""TensorFlow made to give the same bits again, on a GPU where there is one."""

import keras
import tensorflow as tf

from awl_vae.system.errors import UserError
from awl_vae.system.words import quantity


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
        print(f"No GPU found: training on the CPU with {quantity(num_threads, 'thread')}.")
    return [device.name for device in tf.config.list_physical_devices()]


def start_run(seed: int) -> None:
    """Puts Python's, NumPy's and TensorFlow's generators at `seed`, whatever ran before."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
