"""A directory that one process alone writes to."""

import fcntl
from pathlib import Path
from typing import IO

LOCK = ".lock"


def lock_directory(directory: Path) -> IO:
    """Locks a directory until the returned file is closed or the process ends, however it ends.

    Args:
        directory: the directory; it is made.

    Returns:
        The open lock file, `.lock` in the directory.

    Raises:
        BlockingIOError: If another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = open(directory / LOCK, "w")  # noqa: SIM115 (open as long as the lock is held)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    return file
