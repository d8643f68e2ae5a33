"""Which images are to be inspected: those of a directory or a list, also millions of them."""

import codecs
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar, cast

from awl_vae.data.reading import is_image_name
from awl_vae.data.remote import File, RemoteFile, Told, is_address
from awl_vae.detection.finding import JOURNAL, FileState
from awl_vae.detection.path_table import PathTable

Place = TypeVar("Place", bound=File)


class Listing:
    """Files, each once, in their order; they are not in memory.

    Args:
        files: the files.
    """

    def __init__(self, files: Iterable[File]) -> None:
        self._table = PathTable()
        self._table.update(
            (str(file), _told(file)) for file in files if str(file) not in self._table
        )

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[File]:
        for path, state in self._table.entries():
            if state is None:
                yield located(path)
            else:
                yield RemoteFile(path, Told(False, state.size, state.modified))

    def __contains__(self, path: str) -> bool:
        return path in self._table


def located(text: str) -> File:
    """The file that a path or an address names, the path in full."""
    return RemoteFile(text) if is_address(text) else Path(os.path.abspath(text))


def listed(lines: Iterable[bytes]) -> Iterator[File]:
    """The files that lines name, such as those of standard input; empty lines name none."""
    for line in lines:
        line = line.removeprefix(codecs.BOM_UTF8).removesuffix(b"\n")
        if not line.strip(b"\r"):
            continue
        file = located(os.fsdecode(line))
        # A line of Windows ends in a carriage return.
        if str(file).endswith("\r") and not os.path.exists(str(file)):
            file = located(os.fsdecode(line.removesuffix(b"\r")))
        yield file


def files_below(directory: Place, *, excluded: Path | None = None) -> Iterator[Place]:
    """The files below a directory, in the order of their paths.

    What is hidden is passed over, and so are directories that an inspection has written: overlays
    are no products. Links to directories are not followed. A directory that cannot be read is
    yielded itself, so that somebody hears of it.

    Args:
        directory: the directory, an absolute path or an address.
        excluded: a directory that is passed over, an absolute path.

    Raises:
        StoreError: If a store does not answer.
    """
    try:
        children = sorted(_children(directory), key=lambda child: child[0])
    except FileNotFoundError:
        return
    except OSError:
        yield directory
        return
    if any(name == JOURNAL for name, *_ in children):
        return
    for name, child, is_directory in children:
        if name.startswith(".") or child == excluded:
            continue
        if is_directory:
            yield from files_below(child, excluded=excluded)
        else:
            yield child


def _children(directory: Place) -> list[tuple[str, Place, bool]]:
    """The name of each file and directory in one, itself, and whether it is a directory."""
    found: list[tuple[str, File, bool]]
    if isinstance(directory, RemoteFile):
        found = list(directory.children())
    else:
        with os.scandir(directory) as entries:
            found = [
                (entry.name, Path(entry.path), entry.is_dir(follow_symlinks=False))
                for entry in entries
            ]
    return cast(list[tuple[str, Place, bool]], found)


def is_to_be_inspected(file: File) -> bool:
    """Whether a file is an image by its name, or a directory that cannot be read.

    Images of formats that are not read are among them: they are unreadable, and not passed over.
    """
    return is_image_name(file) or (
        isinstance(file, Path) and file.is_dir() and not file.is_symlink()
    )


def _told(file: File) -> FileState | None:
    """The state that a store has told already."""
    if isinstance(file, Path) or file.told is None:
        return None
    return FileState(file.told.size, file.told.modified)
