"""Files that are either whole or not there."""

from awl_vae.system.files import (
    as_file_name,
    atomic_directory,
    atomic_path,
    csv_text,
    foreign_file,
    naming,
    numeric_columns,
    read_csv,
    read_json,
    temporary_path,
    write_csv,
    write_json,
    write_text,
)
from awl_vae.system.lock import LOCK, DirectoryLock

__all__ = [
    "LOCK",
    "DirectoryLock",
    "as_file_name",
    "atomic_directory",
    "atomic_path",
    "csv_text",
    "foreign_file",
    "naming",
    "numeric_columns",
    "read_csv",
    "read_json",
    "temporary_path",
    "write_csv",
    "write_json",
    "write_text",
]
