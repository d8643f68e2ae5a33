"""Going on after a cut, bit for bit.

Keras' BackupAndRestore saves neither the state of the noise nor that of any callback. Here a
checkpoint is everything that the rest of the training depends on: the model's variables with its
seed generator's, the optimizer's, and the state of the callbacks. The order of the images needs
nothing: it is a function of the seed and the epoch.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from storage import atomic_path


class Resume(keras.callbacks.Callback):
    """Writes a checkpoint after each epoch, and takes up the one that is there.

    A checkpoint that cannot be read counts as none: the run starts anew, with the same bits.

    It goes behind the callbacks whose state it keeps, so that it sees what they made of the epoch
    and restores them after they were reset. Give `initial_epoch` to `fit`.

    Args:
        path: the checkpoint, an `.npz` file. It stays when training ends.
        callbacks: the callbacks with `get_state` (to what JSON can hold) and `set_state`.
    """

    def __init__(self, path: Path, callbacks: Sequence[keras.callbacks.Callback]):
        super().__init__()
        self.path = path
        self.callbacks = tuple(callbacks)
        self._checkpoint = _read(path) if path.exists() else None
        self.initial_epoch = self._checkpoint[0]["epoch"] if self._checkpoint else 0

    def on_train_begin(self, logs=None):
        if self._checkpoint is None:
            return
        state, arrays = self._checkpoint
        self._checkpoint = None
        for variable, array in zip(self._variables(), arrays, strict=True):
            variable.assign(array)
        for callback, callback_state in zip(self.callbacks, state["callbacks"], strict=True):
            callback.set_state(callback_state)

    def on_epoch_end(self, epoch, logs=None):
        state = {
            "epoch": epoch + 1,
            "callbacks": [callback.get_state() for callback in self.callbacks],
        }
        arrays = {f"{i:05d}": np.asarray(v) for i, v in enumerate(self._variables())}
        with atomic_path(self.path) as temporary:
            np.savez(temporary, state=json.dumps(state), **arrays)

    def _variables(self):
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *optimizer.variables]


def _read(path):
    try:
        with np.load(path) as file:
            names = sorted(set(file.files) - {"state"})
            return json.loads(str(file["state"])), [file[name] for name in names]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
