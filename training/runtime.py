"""TensorFlow made to give the same bits again, on a GPU where there is one."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from awl_vae.system.errors import UserError
from awl_vae.system.words import quantity

KERAS_DEFAULTS = ("float32", 1e-7, "channels_last")
"""Keras' floatx, epsilon and image_data_format where nothing is said."""

CPU_FLAGS = Path("/proc/cpuinfo")
"""Where Linux tells what the processor has."""

BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
"""Any of these: its matrix products take bfloat16 (x86 with AVX-512 or AMX, ARM)."""

BFLOAT16_CAPABILITY = (8, 0)
"""CUDA's compute capability from which a GPU does."""


def has_fast_bfloat16() -> bool:
    """Whether what computes here, all GPUs or else the processor, is faster with bfloat16."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        return all(
            each.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY for each in details
        )
    # Elsewhere than on Linux nothing is known.
    text = CPU_FLAGS.read_text(errors="replace") if CPU_FLAGS.exists() else ""
    return any(re.search(rf"\b{flag}\b", text) for flag in BFLOAT16_FLAGS)


def fastest_dtype_policy() -> str:
    """The dtype policy that `--dtype_policy=auto` takes here."""
    return "mixed_bfloat16" if has_fast_bfloat16() else "float32"


def cpu_note(num_threads: int) -> str | None:
    """A line where there is no GPU."""
    if tf.config.list_physical_devices("GPU"):
        return None
    return f"No GPU found: computing on the CPU with {quantity(num_threads, 'thread')}."


def precision_note(dtype_policy: str) -> str | None:
    """A line on a precision that is not the usual one."""
    if dtype_policy == "float32":
        return None
    if has_fast_bfloat16():
        return "Hidden layers in bfloat16, which is faster here."
    return "Note: hidden layers in bfloat16, which is not known to be faster here than float32."


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
    return [device.name for device in tf.config.list_physical_devices()]


@contextlib.contextmanager
def computing(num_threads: int) -> Iterator[None]:
    """What all that is computed for a run happens in; see `set_up` and `own_settings`."""
    set_up(num_threads)
    with own_settings():
        yield


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
