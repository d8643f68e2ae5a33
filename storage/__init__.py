"""Files that are either whole or not there."""

from storage.files import (
    atomic_directory,
    atomic_path,
    read_csv,
    write_csv,
    write_json,
    write_text,
)
from storage.lock import LOCK, lock_directory

__all__ = [
    "LOCK",
    "atomic_directory",
    "atomic_path",
    "lock_directory",
    "read_csv",
    "write_csv",
    "write_json",
    "write_text",
]
