"""Files that are either whole or not there."""

from storage.files import atomic_path, write_csv, write_json, write_text

__all__ = ["atomic_path", "write_csv", "write_json", "write_text"]
