"""Everything that the rest of a training depends on, in one file.

Keras' BackupAndRestore saves neither the state of the noise nor that of any callback. A snapshot is
the model's variables with its seed generator's, the optimizer's, and whatever state comes with
them. The order of the images needs nothing: it is a function of the seed and the epoch.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from awl_vae.system import atomic_path


def write_snapshot(path: Path, model: keras.Model, state: object = None) -> None:
    """Writes a snapshot whole.

    Args:
        path: the `.npz` file.
        model: the compiled model.
        state: anything that JSON can hold.
    """
    arrays: dict[str, Any] = {f"{i:05d}": np.asarray(v) for i, v in enumerate(_variables(model))}
    with atomic_path(path) as temporary:
        np.savez(temporary, state=json.dumps(state), **arrays)


def read_snapshot(path: Path) -> tuple[Any, list[np.ndarray]]:
    """Reads (state, arrays), the arrays for `restore`.

    Raises:
        OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile: If it is no whole snapshot.
    """
    with np.load(path) as file:
        names = sorted(set(file.files) - {"state"})
        return json.loads(str(file["state"])), [file[name] for name in names]


def restore(model: keras.Model, arrays: list[np.ndarray]) -> None:
    """Puts model and optimizer into the state of a snapshot, bit for bit."""
    for variable, array in zip(_variables(model), arrays, strict=True):
        variable.assign(array)


def save_model(path: Path, model: keras.Model) -> None:
    """Writes a model as a `.keras` file, whole, and without the optimizer's state.

    Keras would save the optimizer of a compiled model with it, so a twin that is not compiled is
    saved.
    """
    twin = model.from_config(model.get_config())
    for variable, value in zip(twin.variables, model.variables, strict=True):
        variable.assign(value)
    with atomic_path(path) as temporary:
        twin.save(temporary)


def _variables(model: keras.Model) -> list[keras.Variable]:
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
