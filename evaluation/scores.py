"""Anomaly scores: a map over the pixels, and one number per image taken from it."""

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops


@dataclass(frozen=True)
class Score:
    """A pixel-wise difference and how it becomes one number.

    Attributes:
        label: the score's name in figures.
        map: (x, x_hat), each (N, H, W, 1) in [0, 1], to anomaly maps (N, H, W).
        reduce: anomaly maps (N, H, W) to scores (N,); larger is more anomalous.
    """

    label: str
    map: Callable
    reduce: Callable

    def __call__(self, x, x_hat):
        """Scores (N,) of images `x` reconstructed as `x_hat`, each (N, H, W, 1)."""
        return self.reduce(self.map(x, x_hat))


def squared_error(x, x_hat):
    """(x − x')² of each pixel: (N, H, W, 1) each to (N, H, W)."""
    return ops.square(x - x_hat)[..., 0]


def absolute_error(x, x_hat):
    """|x − x'| of each pixel: (N, H, W, 1) each to (N, H, W)."""
    return ops.abs(x - x_hat)[..., 0]


SCORES = {
    # Eq. (15): (N, H, W) -> (N,)
    "mse": Score("MSE", squared_error, lambda maps: ops.mean(maps, axis=(1, 2))),
    # Eq. (16): (N, H, W) -> (N,)
    "max1p": Score("Max1p", absolute_error, lambda maps: ops.max(maps, axis=(1, 2))),
}
"""The scores by the names that `--score` takes."""
