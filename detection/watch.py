"""Pictures in a directory, and those that arrive in it."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from data.images import SUFFIXES


def pictures(directory: Path) -> Iterator[Path]:
    """The files below a directory that are pictures by their names, in the order of their paths.

    Hidden files and directories are passed over.
    """
    with os.scandir(directory) as entries:
        children = sorted(entries, key=lambda entry: entry.name)
    for entry in children:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from pictures(Path(entry.path))
        elif Path(entry.name).suffix.lower() in SUFFIXES:
            yield Path(entry.path)


class Watcher:
    """Finds the pictures that have arrived in a directory and are whole.

    A file counts as whole when its size and time did not change for `settle` seconds, or between
    two looks where its time lies back that long already.

    Args:
        directory: the directory; also what is below it.
        known: paths that are not to be found again; every path found is added.
        settle: seconds.
    """

    def __init__(self, directory: Path, known: set[str], *, settle: float):
        self.directory = directory
        self.known = known
        self.settle = settle
        self._seen = {}

    def look(self) -> list[Path]:
        """The pictures that have become whole since the last look."""
        seen, ready = {}, []
        for path in pictures(self.directory):
            if str(path) in self.known:
                continue
            state = _state(path)
            if state is None:
                continue
            before, since = self._seen.get(path, (None, 0.0))
            now = time.monotonic()
            if before != state:
                seen[path] = state, now
            elif now - since >= self.settle:
                ready.append(path)
            else:
                seen[path] = state, since
        self._seen = seen
        self.known.update(map(str, ready))
        return ready


def _state(path):
    """(size, time of the last change), or None where the file is gone again."""
    try:
        info = path.lstat()
    except OSError:
        return None
    return info.st_size, info.st_mtime_ns, stat.S_IFMT(info.st_mode)
