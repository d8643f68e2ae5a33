"""Images in a directory, and those that arrive in it."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from awl_vae.data.reading import is_image_name
from awl_vae.detection.finding import JOURNAL, FileState


def files_below(directory: Path, *, excluded: Path | None = None) -> Iterator[Path]:
    """The files below a directory, in the order of their paths.

    What is hidden is passed over, and so are directories that an inspection has written: overlays
    are no products. Links to directories are not followed. A directory that cannot be read is
    yielded itself, so that somebody hears of it.

    Args:
        directory: the directory, an absolute path.
        excluded: a directory that is passed over, an absolute path.
    """
    try:
        with os.scandir(directory) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError:
        yield directory
        return
    if any(entry.name == JOURNAL for entry in children):
        return
    for entry in children:
        path = Path(entry.path)
        if entry.name.startswith(".") or path == excluded:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(path, excluded=excluded)
        else:
            yield path


def is_to_be_inspected(path: Path) -> bool:
    """Whether a file is an image by its name, or a directory that cannot be read.

    Images of formats that are not read are among them: they are unreadable, and not passed over.
    """
    return is_image_name(path) or (path.is_dir() and not path.is_symlink())


class Watcher:
    """Finds the images that have arrived in a directory and are whole.

    A file counts as whole when its size and time did not change for `settle` seconds. One that
    changes after it was inspected is found again.

    Args:
        directory: the directory; also what is below it.
        known: by path, the state in which a file was inspected; read at each look.
        settle: seconds.
        excluded: a directory that is passed over.
    """

    def __init__(
        self,
        directory: Path,
        known: Mapping[str, FileState | None],
        *,
        settle: float,
        excluded: Path | None = None,
    ):
        self.directory = directory
        self.known = known
        self.settle = settle
        self.excluded = excluded
        self._seen: dict[Path, tuple[FileState, float]] = {}

    def look(self) -> list[Path]:
        """The images that are whole, and not known as they are."""
        seen, ready = {}, []
        now = time.monotonic()
        below = files_below(self.directory, excluded=self.excluded)
        for path in filter(is_to_be_inspected, below):
            state = FileState.of(path)
            if state is None or self.known.get(str(path)) == state:
                continue
            before, since = self._seen.get(path, (None, now))
            if before != state:
                since = now
            seen[path] = state, since
            if before == state and now - since >= self.settle:
                ready.append(path)
        self._seen = seen
        return ready
