"""Stopping at the first loss that is not a finite number."""

import math
from collections.abc import Mapping

import keras


class NonFiniteError(ArithmeticError):
    """A loss term or a score turned NaN or infinite.

    Attributes:
        epoch: the epoch, from 1.
        term: the name of what is not finite.
        value: its value.
    """

    def __init__(self, epoch: int, term: str, value: float):
        super().__init__(f"Expected finite numbers. Received: {term}={value} in epoch {epoch}.")
        self.epoch, self.term, self.value = epoch, term, value


def require_finite(epoch: int, values: Mapping[str, float]) -> None:
    """Raises `NonFiniteError` for the first of the named values that is NaN or infinite."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise NonFiniteError(epoch, name, value)


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends training by `NonFiniteError`; it goes before every callback that writes.

    Args:
        terms: the logs to watch, the unweighted terms first and `loss` last, so that the error
            names the term that is to blame.
    """

    def __init__(self, terms):
        super().__init__()
        self.terms = tuple(terms)

    def on_epoch_end(self, epoch, logs=None):
        require_finite(epoch + 1, {term: logs[term] for term in self.terms})
