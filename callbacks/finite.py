"""Stopping at the first loss or AUROC that is not a finite number."""

import math
from collections.abc import Iterable

import keras

from awl_vae.callbacks.logs import Logs


class NonFiniteError(ArithmeticError):
    """A loss or an AUROC turned NaN or infinite.

    Attributes:
        epoch: the epoch, from 1.
        name: the name of what is not finite.
        value: its value.
    """

    def __init__(self, epoch: int, name: str, value: float):
        super().__init__(f"Expected finite numbers. Received: {name}={value} in epoch {epoch}.")
        self.epoch, self.name, self.value = epoch, name, value


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends training by `NonFiniteError`; it goes before every callback that writes.

    Args:
        names: the logs to watch, the unweighted terms first, so that the error names the term that
            is to blame.
    """

    def __init__(self, names: Iterable[str]):
        super().__init__()
        self.names = tuple(names)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        for name in self.names:
            if not math.isfinite(logs[name]):
                raise NonFiniteError(epoch + 1, name, logs[name])
