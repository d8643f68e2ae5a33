"""Keeping the model of the epoch with the highest AUROC."""

from pathlib import Path
from typing import Any

import keras

from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.snapshot import save_model


class BestModel(keras.callbacks.Callback):
    """Saves the model whenever an AUROC is higher than in every epoch before.

    Of equal epochs the first stays. The file holds no optimizer state.

    Args:
        path: the `.keras` file.
        monitor: the name of the AUROC, among the logs.
    """

    def __init__(self, path: Path, monitor: str):
        super().__init__()
        self.path = path
        self.monitor = monitor
        self.epoch, self.auc = 0, -1.0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.auc = 0, -1.0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if logs[self.monitor] > self.auc:
            self.epoch, self.auc = epoch + 1, logs[self.monitor]
            save_model(self.path, self.model)

    def get_state(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "auc": self.auc}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epoch, self.auc = state["epoch"], state["auc"]
