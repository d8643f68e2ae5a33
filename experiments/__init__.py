"""The commands, and what they share.

Importing this package imports TensorFlow without the lines that its libraries print before any log
level is in force (https://github.com/tensorflow/tensorflow/issues/100442), so that what a command
prints is the command's. Python's own errors are not affected.
"""

import contextlib
import os


@contextlib.contextmanager
def silent_stderr():
    """Discards what C libraries write to standard error; yields a stream that still gets there."""
    kept = os.dup(2)
    with open(os.devnull, "w") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        with open(kept, "w", closefd=False) as stderr:
            yield stderr
    finally:
        os.dup2(kept, 2)
        os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A small file can claim to be a picture of any size; OpenCV would make room for 2³⁰ pixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
with silent_stderr():
    import tensorflow  # noqa: F401
