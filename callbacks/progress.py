"""Telling the progress bar of a command what is being trained."""

from collections.abc import Callable

import keras

from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.system.terminal import ProgressBar


class Progress(keras.callbacks.Callback):
    """Advances a progress bar by one for each batch.

    Args:
        bar: the bar, shared by all runs of a command.
        describe: returns, for an epoch from 1, what is being trained.
        epochs_left: returns, for an epoch from 1, how many there are to train from it on.
    """

    def __init__(
        self,
        bar: ProgressBar,
        *,
        describe: Callable[[int], str],
        epochs_left: Callable[[int], int],
    ):
        super().__init__()
        self.bar = bar
        self.describe = describe
        self.epochs_left = epochs_left
        self.auc = self.text = ""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.bar.expect(self.epochs_left(epoch + 1) * self.params["steps"])
        self.text = f"{self.describe(epoch + 1)}{self.auc}"

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.bar.advance(1, self.text)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.auc = "".join(
            f", {signal.name} AUC {logs[signal.auc]:.4f} after epoch {epoch + 1}"
            for signal in SIGNALS.values()
            if signal.auc in logs
        )
