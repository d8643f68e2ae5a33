"""Files that are either whole or not there."""

from storage.files import (
    atomic_directory,
    atomic_path,
    read_csv,
    write_csv,
    write_json,
    write_text,
)

__all__ = [
    "atomic_directory",
    "atomic_path",
    "read_csv",
    "write_csv",
    "write_json",
    "write_text",
]
