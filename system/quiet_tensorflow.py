"""Importing this imports TensorFlow, without the lines that its libraries print.

Some come before any log level is in force (https://github.com/tensorflow/tensorflow/issues/100442),
so that what a command prints is the command's. Python's own errors are not affected, nor is a log
level that somebody set, or TensorFlow where it is imported already.
"""

import logging
import os
import sys

from awl_vae.system.keras_backend import check_backend, hidden_bfloat16
from awl_vae.system.terminal import silent_stderr

check_backend()
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # tf.distribute tells each exchange.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    with silent_stderr(), hidden_bfloat16():
        import tensorflow
else:
    import tensorflow  # noqa: F401
