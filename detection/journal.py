"""The findings of an inspection as a CSV file that a killed process leaves whole."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from awl_vae.detection.finding import (
    ANOMALOUS,
    COLUMNS,
    EARLIER_COLUMNS,
    NORMAL,
    UNREADABLE,
    FileState,
    Finding,
    csv_line,
)
from awl_vae.detection.path_table import PathTable
from awl_vae.system import atomic_path, naming
from awl_vae.system.errors import FileError
from awl_vae.system.files import check_regular, csv_rows
from awl_vae.system.kinds import NUMBER, difference

BLOCK = 1 << 16
"""Bytes of a file in memory at a time, where its last line is looked for."""


class Journal:
    """A CSV file with a line for each inspected image, to which lines are added.

    Each line is one write to the system, so a kill loses at most the line that is being written;
    what is left of it is cut off when the file is opened again, and its image is inspected again.

    Args:
        path: the CSV file; it is made where it is not there.

    Attributes:
        known: by path, the state of the file that its last line is of.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        check_regular(path)
        self.path = path
        with naming(path), open(path, "a+b", buffering=0) as file:
            whole = _end_of_lines(file)
            file.truncate(whole)
            if not whole:
                file.write(csv_line(COLUMNS).encode())
            earlier = csv_line(EARLIER_COLUMNS).encode()
            file.seek(0)
            is_earlier = file.read(len(earlier)) == earlier
        if is_earlier:
            _add_columns(path)
        self.known = PathTable((row["path"], _state(row)) for row in read_lines(path))
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 (closed by `close`)

    def append(self, finding: Finding) -> str:
        """Adds the line of a finding; returns it."""
        line = finding.to_csv()
        data = line.encode("utf-8", "surrogateescape")
        with naming(self.path):
            while data:  # A full disk takes a part without a word.
                data = data[self._file.write(data) :]
        self.known.update([(str(finding.path), finding.state)])
        return line

    def rows(self) -> Iterator[dict[str, str]]:
        """The lines, as dicts; of an image that was inspected again, the last."""
        for number, row in enumerate(read_lines(self.path), 1):
            if self.known.number(row["path"]) == number:
                yield row

    def close(self) -> None:
        """Makes sure that the lines are on the disk, and closes the file."""
        with naming(self.path):
            os.fsync(self._file.fileno())
        self._file.close()


def _end_of_lines(file: BinaryIO) -> int:
    """Where the last line of a file that is whole ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        if (place := file.read(end - start).rfind(b"\n")) >= 0:
            return start + place + 1
        end = start
    return 0


def read_lines(path: Path) -> Iterator[dict[str, str]]:
    """All lines of a journal, as dicts, in the order in which they were written."""
    # As paths are: whatever the locale, the bytes of a name are those of the file system.
    encoding = sys.getfilesystemencoding()
    rows = csv_rows(path, EARLIER_COLUMNS, encoding=encoding, errors="surrogateescape")
    for number, row in enumerate(rows, 1):
        if not _is_finding(row):
            raise FileError(
                f"Expected findings of an inspection. Received: others in row {number}, {path}"
            )
        for name in COLUMNS:
            row.setdefault(name, "")  # of an earlier version
        yield row


def _add_columns(path: Path) -> None:
    """Gives the lines of an earlier version the columns that they lack; more lines can follow."""
    lines = [
        csv_line(COLUMNS),
        *(csv_line(row[name] for name in COLUMNS) for row in read_lines(path)),
    ]
    with atomic_path(path) as temporary:
        temporary.write_bytes("".join(lines).encode("utf-8", "surrogateescape"))


def _is_finding(row: Mapping[str, str]) -> bool:
    """Whether a row is one that `Finding.to_csv` wrote."""
    is_unreadable = row["verdict"] == UNREADABLE
    try:
        _state(row)
        regions = json.loads(row["regions"] or "[]")
        if not is_unreadable:
            float(row["score"])
    except (ValueError, RecursionError):
        return False
    return (
        row["verdict"] in (NORMAL, ANOMALOUS, UNREADABLE)
        and is_unreadable == bool(row["error"]) == (not row["score"])
        and not difference(regions, [[NUMBER]])
    )


def _state(row: Mapping[str, str]) -> FileState | None:
    return FileState(int(row["size"]), int(row["modified"])) if row["size"] else None
