"""Rows of a `.npy` file: written one after the other, read by position, never all in memory."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np


class RowFile:
    """An array on disk, of which some rows are read at a time.

    Reading takes the bytes of the wanted rows from the file; the system's own file cache keeps what
    fits. The file is not mapped, so that the memory of the process does not grow with it.

    Args:
        path: a `.npy` file of an array (N, ...).

    Attributes:
        shape: that of a row.
        dtype: of the array.
    """

    def __init__(self, path: Path):
        array = np.load(path, mmap_mode="r")
        self.shape: tuple[int, ...] = array.shape[1:]
        self.dtype: np.dtype = array.dtype
        self._count = len(array)
        self._offset, self._stride = array.offset, array[:1].nbytes
        self._path = path

    def __len__(self) -> int:
        return self._count

    def read(self, positions: np.ndarray) -> np.ndarray:
        """The rows (len(positions), ...) at some positions.

        Raises:
            OSError: If the file has become shorter.
        """
        rows = np.empty((len(positions), *self.shape), self.dtype)
        with open(self._path, "rb", buffering=0) as file:
            for row, position in zip(rows, positions, strict=True):
                offset = self._offset + int(position) * self._stride
                if os.preadv(file.fileno(), [row], offset) != self._stride:
                    raise OSError(errno.EIO, "file cut short", str(self._path))
        return rows


def write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype | type) -> None:
    """Begins a `.npy` file; the rows follow as they are in memory."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, header)
