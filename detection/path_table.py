"""Paths of files, and the states that these were in: of millions, which are not in memory."""

import os
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from errno import ENOSPC

from awl_vae.detection.finding import FileState

Entry = tuple[str, FileState | None]

SCHEMA = """
CREATE TABLE paths (
    number INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB UNIQUE, size INTEGER, modified INTEGER
)
"""


class PathTable(Mapping[str, FileState | None]):
    """By path, the state of a file or None; in the order in which they came last.

    It is in a temporary file, which goes with the process.

    Args:
        entries: what is in it from the beginning. Of a path that comes again the last counts.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        weakref.finalize(self, self._database.close)
        self._database.execute(SCHEMA)
        self.update(entries)

    def __getitem__(self, path: str) -> FileState | None:
        _, *state = self._find(path)
        return _state(*state)

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self.entries())

    def __len__(self) -> int:
        return self._database.execute("SELECT count(*) FROM paths").fetchone()[0]

    def entries(self) -> Iterator[Entry]:
        """All that is in it."""
        rows = self._database.execute("SELECT path, size, modified FROM paths ORDER BY number")
        for path, *state in rows:
            yield os.fsdecode(path), _state(*state)

    def update(self, entries: Iterable[Entry]) -> None:
        """Takes paths in, in the place of what is known of them."""
        rows = (
            (os.fsencode(path), state and state.size, state and state.modified)
            for path, state in entries
        )
        command = "REPLACE INTO paths (path, size, modified) VALUES (?, ?, ?)"
        try:
            self._database.executemany(command, rows)
        except sqlite3.OperationalError as error:
            raise OSError(ENOSPC, str(error), tempfile.gettempdir()) from error

    def number(self, path: str) -> int:
        """How many paths had been taken in when this one was for the last time, itself included.

        Raises:
            KeyError: If it is not there.
        """
        return self._find(path)[0]

    def _find(self, path: str) -> tuple[int, int | None, int | None]:
        query = "SELECT number, size, modified FROM paths WHERE path = ?"
        found = self._database.execute(query, [os.fsencode(path)]).fetchone()
        if found is None:
            raise KeyError(path)
        return found


def _state(size: int | None, modified: int | None) -> FileState | None:
    return None if size is None or modified is None else FileState(size, modified)
