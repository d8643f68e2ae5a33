"""Processes that do not outlive what started them."""

import contextlib
import ctypes
import signal
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO

_SET_PDEATHSIG = 1
"""`PR_SET_PDEATHSIG` of Linux' prctl(2)."""


@contextlib.contextmanager
def child_process(command: Sequence[str], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with its block, and with the thread that started it, however that ends.

    Args:
        command: the command line.
        output: where what it prints goes, errors included.
    """
    libc = ctypes.CDLL(None)

    def die_with_the_parent() -> None:
        libc.prctl(_SET_PDEATHSIG, signal.SIGTERM)

    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_the_parent,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
