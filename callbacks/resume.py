"""Going on after a cut, bit for bit."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.snapshot import read_snapshot, restore, write_snapshot


class Resume(keras.callbacks.Callback):
    """Writes a checkpoint after each epoch, and takes up the one that is there.

    A checkpoint that cannot be read counts as none: the run starts anew, with the same bits.

    It goes behind the callbacks whose state it keeps, so that it sees what they made of the epoch
    and restores them after they were reset. Give `initial_epoch` to `fit`, and, as the last epoch,
    `last_epoch`.

    Args:
        path: the checkpoint, an `.npz` file. It stays when training ends.
        callbacks: the callbacks with `get_state` (to what JSON can hold) and `set_state`.

    Attributes:
        initial_epoch: how many epochs the checkpoint has behind it.
    """

    def __init__(self, path: Path, callbacks: Sequence[keras.callbacks.Callback]):
        super().__init__()
        self.path = path
        self.callbacks = tuple(callbacks)
        self._checkpoint = _read(path) if path.exists() else None
        self.initial_epoch = self._checkpoint[0]["epoch"] if self._checkpoint else 0

    def last_epoch(self, epochs: int) -> int:
        """`epochs`, or the checkpoint's where a callback had stopped the training there."""
        is_stopped = self._checkpoint is not None and self._checkpoint[0]["is_stopped"]
        return self.initial_epoch if is_stopped else epochs

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self._checkpoint is None:
            return
        state, arrays = self._checkpoint
        self._checkpoint = None
        restore(self.model, arrays)
        for callback, callback_state in zip(self.callbacks, state["callbacks"], strict=True):
            callback.set_state(callback_state)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.write(self.path, epoch + 1)

    def write(self, path: Path, epochs: int) -> None:
        """Writes a checkpoint of the model as it is now, with `epochs` behind it."""
        state = {
            "epoch": epochs,
            "is_stopped": self.model.stop_training,
            "callbacks": [callback.get_state() for callback in self.callbacks],
        }
        write_snapshot(path, self.model, state)


def _read(path: Path) -> tuple[Any, list[np.ndarray]] | None:
    try:
        return read_snapshot(path)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
