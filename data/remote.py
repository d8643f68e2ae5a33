"""Images in a store: files that fsspec reads by an address, such as s3://bucket/part.png."""

import contextlib
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from errno import EINVAL, EIO, ENOENT
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from awl_vae.system.errors import UserError, install_hint

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

TIMES = ("mtime", "LastModified", "updated", "last_modified", "created")
"""What stores call the time at which a file was changed."""

logging.getLogger("botocore").setLevel(logging.WARNING)  # It says where it has credentials from.


class StoreError(UserError):
    """A store does not answer; that says nothing of the image."""


class Told(NamedTuple):
    """What a store tells of a file.

    Attributes:
        is_directory: whether it is a directory.
        size: in bytes.
        modified: when it was changed, in nanoseconds; 0 where the store does not know.
    """

    is_directory: bool
    size: int
    modified: int


@dataclass(frozen=True)
class RemoteFile:
    """A file, or a directory, in a store; to be used like a path.

    Attributes:
        address: its address, with the scheme.
        told: what the store has told of it, if it was asked already.
    """

    address: str
    told: Told | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.address

    @property
    def name(self) -> str:
        """The last part of its address."""
        return PurePosixPath(self.address).name

    @property
    def suffix(self) -> str:
        """The end of its name, as of a path."""
        return PurePosixPath(self.address).suffix

    @property
    def parent(self) -> "RemoteFile":
        """The directory that it is in."""
        return RemoteFile(self.address.rstrip("/").rpartition("/")[0])

    def read_bytes(self) -> bytes:
        """What is in it.

        Raises:
            OSError: If there is no such file, or it may not be read.
            StoreError: If the store does not answer, or there is none of that scheme.
        """
        with _asking(self.address) as (store, path):
            return store.cat_file(path)

    def stat(self) -> SimpleNamespace:
        """What the system's `stat` tells of a file, as far as the store knows it.

        Raises:
            OSError: See `read_bytes`.
            StoreError: See `read_bytes`.
        """
        told = self._ask()
        mode = stat.S_IFDIR if told.is_directory else stat.S_IFREG
        return SimpleNamespace(st_mode=mode, st_size=told.size, st_mtime_ns=told.modified)

    def exists(self) -> bool:
        """Whether there is such a file or directory."""
        try:
            self._ask()
        except OSError:
            return False
        return True

    def is_dir(self) -> bool:
        """Whether it is a directory; stores that have none have addresses that begin alike."""
        return self._ask().is_directory

    def children(self) -> Iterator[tuple[str, "RemoteFile", bool]]:
        """The name of each file and directory in it, itself, and whether it is a directory.

        Raises:
            FileNotFoundError: If there is no such directory.
            StoreError: See `read_bytes`; or if it may not be read.
        """
        try:
            with _asking(self.address) as (store, path):
                found = store.ls(path, detail=True)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"Expected a directory to read. Received: {self}, {error}") from error
        for info in found:
            place = info["name"].rstrip("/")
            if place != path.rstrip("/"):  # Some keep an empty file in the place of a directory.
                name = place.rpartition("/")[2]
                child = RemoteFile(f"{self.address.rstrip('/')}/{name}", _told(info))
                yield name, child, child.is_dir()

    def _ask(self) -> Told:
        if self.told is not None:
            return self.told
        with _asking(self.address) as (store, path):
            return _told(store.info(path))


File = Path | RemoteFile
"""Where an image is."""


def is_address(text: str) -> bool:
    """Whether a text names a file in a store, and not one of this machine by its path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


@contextlib.contextmanager
def _asking(address: str) -> Iterator[tuple["AbstractFileSystem", str]]:
    """The store of an address, and what it calls the file."""
    if "::" in address:  # of fsspec, a file within another
        raise OSError(EINVAL, 'a name with "::" cannot be asked for')
    try:
        from fsspec.core import url_to_fs

        yield url_to_fs(address, use_listings_cache=False)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"Expected fsspec: {install_hint('cluster')}. Received: {error}"
        ) from error
    except (ImportError, ValueError) as error:  # no such store, or one that is not installed
        raise StoreError(
            f"Expected the address of a store that fsspec reads. Received: {address}, {error}"
        ) from error
    except Exception as error:
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT)) from error
        text = " ".join(f"{type(error).__name__} {error}".split())
        if _is_refused(error):
            raise OSError(EIO, text) from error
        raise StoreError(
            f"Expected a store that answers; the same command goes on. Received: {text}, {address}"
        ) from error


def _is_refused(error: Exception) -> bool:
    """Whether a store has answered that it does not give the file."""
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError):
        return True
    status = getattr(error, "status", None) or getattr(error, "code", None)
    return type(error) is OSError or (isinstance(status, int) and 400 <= status < 500)


def _told(info: Mapping[str, Any]) -> Told:
    time = next((info[name] for name in TIMES if info.get(name)), 0)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    seconds = time.timestamp() if isinstance(time, datetime) else time
    return Told(info["type"] == "directory", info.get("size") or 0, round(1e9 * seconds))
