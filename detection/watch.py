"""Images that arrive in a directory."""

import time
from collections.abc import Mapping
from pathlib import Path

from awl_vae.detection.finding import FileState
from awl_vae.detection.listing import files_below, is_to_be_inspected


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
