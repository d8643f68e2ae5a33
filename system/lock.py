"""A directory that one process alone writes to."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

LOCK = ".lock"


class DirectoryLock:
    """Holds a directory until it is closed or the process ends, however it ends.

    Args:
        directory: the directory; it is made, and `.lock` in it.
        waits: whether to wait for another process that holds it.

    Raises:
        BlockingIOError: If another process holds it.
    """

    def __init__(self, directory: Path, *, waits: bool = False) -> None:
        path = directory / LOCK
        self._made = [each for each in (path, directory, *directory.parents) if not each.exists()]
        self._file = _locked(path, waits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the directory."""
        self._file.close()

    def undo(self) -> None:
        """Lets go of it and removes what was made, so far as nothing was put into it."""
        for path in self._made:
            with contextlib.suppress(OSError):
                path.unlink() if path.name == LOCK else path.rmdir()
        self.close()


def _locked(path: Path, waits: bool) -> IO[str]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w")  # noqa: SIM115 (open as long as the lock is held)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            raise
        # Between the two lines before, whoever held it may have removed the file.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


@contextlib.contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Holds a file, which is made and goes again, as soon as no other process does."""
    file = _locked(path, waits=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()
