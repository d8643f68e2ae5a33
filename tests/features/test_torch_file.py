"""Weights from a file of PyTorch's: what is read, and what is refused."""

import hashlib
import io
import os
import pickle
import sys
from types import ModuleType

import numpy as np
import pytest

from awl_vae.features.torch_file import read_state_dict
from awl_vae.system.errors import FileError


class Tensor:
    """Pickles as PyTorch's: a call that rebuilds it from its memory."""

    def __init__(self, key, offset, shape, strides):
        self.key, self.arguments = key, (offset, shape, strides, False, {})

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (Storage(self.key), *self.arguments)


class Storage:
    def __init__(self, key):
        self.key = key


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        return ("storage", sys.modules["torch"].FloatStorage, obj.key, "cpu", 0, None)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file as `torch.save` did; returns its path and its checksum."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    exec("def _rebuild_tensor_v2(): pass", utils.__dict__)
    utils._rebuild_tensor_v2.__module__ = "torch._utils"
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def writer(tensors, memory):
        file = io.BytesIO()
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(value, file)
        Pickler(file).dump(tensors)
        pickle.dump(list(memory), file)
        for values in memory.values():
            file.write(np.int64(values.size).tobytes() + values.astype("<f4").tobytes())
        path = tmp_path / "weights.pth"
        path.write_bytes(file.getvalue())
        return path, hashlib.sha256(file.getvalue()).hexdigest()

    return writer


def test_tensors_are_views_of_their_memory(write):
    memory = {"a": np.arange(12.0), "b": np.array([7.0])}
    tensors = {
        "rows": Tensor("a", 0, (3, 4), (4, 1)),
        "columns": Tensor("a", 0, (4, 3), (1, 4)),
        "second_row": Tensor("a", 4, (4,), (1,)),
        "one": Tensor("b", 0, (), ()),
    }
    found = read_state_dict(*write(tensors, memory))
    rows = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(found["rows"], rows)
    np.testing.assert_array_equal(found["columns"], rows.T)
    np.testing.assert_array_equal(found["second_row"], rows[1])
    assert found["one"].shape == ()
    assert found["one"] == 7.0
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


def test_another_file_is_not_unpickled(write, tmp_path):
    path, checksum = write({"one": Tensor("a", 0, (1,), (1,))}, {"a": np.zeros(1)})
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(FileError, match=f"Expected a file with SHA-256 {checksum}. Received: "):
        read_state_dict(path, checksum)


class Command:
    """Pickles as a command of the system's."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_what_a_pickle_asks_for_is_not_run(write, tmp_path):
    done = tmp_path / "done"
    with pytest.raises(pickle.UnpicklingError, match="system"):
        read_state_dict(*write({"one": Command(f"touch {done}")}, {"a": np.zeros(1)}))
    assert not done.exists()


def test_a_tensor_beyond_its_memory_is_refused(write):
    with pytest.raises(IndexError):
        read_state_dict(*write({"one": Tensor("a", 3, (2,), (1,))}, {"a": np.zeros(4)}))
