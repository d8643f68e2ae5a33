"""Files that are either whole or not there."""

from awl_vae.system.files import (
    atomic_directory,
    atomic_path,
    csv_text,
    numeric_columns,
    read_csv,
    write_csv,
    write_json,
    write_text,
)
from awl_vae.system.lock import LOCK, lock_directory

__all__ = [
    "LOCK",
    "atomic_directory",
    "atomic_path",
    "csv_text",
    "lock_directory",
    "numeric_columns",
    "read_csv",
    "write_csv",
    "write_json",
    "write_text",
]
