"""Weights from a file of PyTorch's, without PyTorch and without running what the file says.

`torch.save` of before version 1.6 wrote pickles one after the other: a number, a version, what the
machine was, the tensors with references to their memory, and the names of these. The memory itself
follows.
"""

import hashlib
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from awl_vae.system.errors import FileError

DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
"""Of the values in a tensor's memory, by its class."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Makes tuples and dictionaries, and nothing else that a pickle could ask for."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(str(kind))
        return _Storage(str(key), dtype)


def _rebuild(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


def read_state_dict(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """The arrays of a state dict, by name.

    Args:
        path: the file.
        sha256: of the file, in hexadecimal digits; nothing of another one is read.

    Raises:
        FileError: If the file is another one.
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise FileError(f"Expected a file with SHA-256 {sha256}. Received: {found}, {path}")
        file.seek(0)
        for _ in range(3):  # magic number, version, sizes of numbers: those of the known file
            _Unpickler(file).load()
        tensors = _Unpickler(file).load()
        keys = _Unpickler(file).load()
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        memory = {}
        for key in keys:
            (size,) = np.fromfile(file, "<i8", 1)
            memory[key] = np.fromfile(file, dtypes[key], size)
    return {name: _array(tensor, memory) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, memory: dict[str, np.ndarray]) -> np.ndarray:
    values = memory[tensor.storage.key]
    # A view that takes care to stay inside of the memory.
    index = np.full(tensor.shape, tensor.offset)
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.strides, strict=True)):
        steps = np.arange(size) * stride
        index += steps.reshape([-1 if axis == i else 1 for i in range(len(tensor.shape))])
    return values[index]
