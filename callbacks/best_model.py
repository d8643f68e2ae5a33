"""Keeping the model of the epoch with the highest AUROC."""

from pathlib import Path
from typing import Any

import keras

from awl_vae.callbacks.latents import is_empty
from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.snapshot import save_model


class BestModel(keras.callbacks.Callback):
    """Saves the model whenever an AUROC is higher than in every epoch before.

    Of equal epochs the first stays. The file holds no optimizer state.

    Args:
        path: the `.keras` file.
        monitor: the name of the AUROC, among the logs.
        shuns_empty: whether a model that reconstructs every image alike gives way to any that does
            not, whatever their AUROCs.
    """

    def __init__(self, path: Path, monitor: str, *, shuns_empty: bool = False):
        super().__init__()
        self.path = path
        self.monitor = monitor
        self.shuns_empty = shuns_empty
        self.epoch, self.auc, self.is_shunned = 0, -1.0, True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.auc, self.is_shunned = 0, -1.0, True

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        auc, shunned = logs[self.monitor], self.shuns_empty and is_empty(logs)
        is_better = self.is_shunned if shunned != self.is_shunned else auc > self.auc
        if is_better:
            self.epoch, self.auc, self.is_shunned = epoch + 1, auc, shunned
            save_model(self.path, self.model)

    def get_state(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "auc": self.auc, "is_shunned": self.is_shunned}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epoch, self.auc = state["epoch"], state["auc"]
        self.is_shunned = state.get("is_shunned", False)  # not in checkpoints of 0.1.0
