"""What is normal of features, and at each position of what a model leaves of them.

Mean and covariance at each position are those of PaDiM (Defard et al., 2021), the coreset that
stands for all vectors is PatchCore's (Roth et al., 2022).
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from keras import layers

LEAST_DEVIATION = 1e-3
"""Features that vary less are taken to vary so much: float16 holds no number for the others."""

POOLED = 0.3
"""Share of the covariance over all positions in that of one, which few images tell little of."""

RIDGE = 0.01
"""Share of the mean variance that is added to every variance: no direction is without noise."""

LEAST_NOISE = 1e-6
"""No less than this is added, where images do not differ."""

BLOCK = 256
"""Positions whose covariances are worked on at a time."""

CORESET = 3000
"""Vectors that stand for all, where nothing else is said."""

SAMPLE = 40_000
"""Vectors that these are chosen among."""

PROJECTED = 48
"""Dimensions in which they are chosen: distances stay nearly as they are."""


class Moments:
    """Sums over residuals (N, h, w, C) from which mean and covariance at each position follow.

    Args:
        shape: (h, w, C).

    Attributes:
        count: N.
    """

    def __init__(self, shape: tuple[int, int, int]):
        height, width, channels = self.shape = shape
        positions = height * width
        self.count = 0
        self._total = tf.zeros((positions, 1, channels))
        self._outer = tf.zeros((positions, channels, channels))

    def add(self, residuals: tf.Tensor) -> None:
        """Takes residuals (B, h, w, C) into account."""
        height, width, channels = self.shape
        x = tf.reshape(residuals, (-1, height * width, channels))
        x = tf.transpose(x, (1, 0, 2))  # (B, P, C) -> (P, B, C)
        self.count += x.shape[1]
        self._total += tf.reduce_sum(x, axis=1, keepdims=True)
        self._outer += tf.matmul(x, x, transpose_a=True)

    def whitening(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean μ (h, w, C) and W (h, w, C, C), lower triangles, for which W (r − μ) is white.

        WᵀW is the inverse of the covariance, shrunk towards the pooled one, so that the squared
        length of W (r − μ) is the squared Mahalanobis distance.
        """
        height, width, channels = self.shape
        mean, positions = self._total / self.count, height * width
        pooled = tf.zeros((channels, channels))
        for some in _blocks(positions):
            pooled += tf.reduce_sum(self._covariance(mean, some), axis=0) / positions
        noise = max(RIDGE * float(tf.linalg.trace(pooled)) / channels, LEAST_NOISE)
        identity = tf.eye(channels)
        inverse = np.empty((positions, channels, channels), np.float32)
        for some in _blocks(positions):
            shrunk = (1 - POOLED) * self._covariance(mean, some) + POOLED * pooled
            factor = tf.linalg.cholesky(shrunk + noise * identity)
            inverse[some] = tf.linalg.triangular_solve(factor, identity[None]).numpy()
        return (
            tf.reshape(mean, self.shape).numpy(),
            inverse.reshape(height, width, channels, channels),
        )

    def _covariance(self, mean: tf.Tensor, some: slice) -> tf.Tensor:
        """That of some positions, (P, C, C)."""
        product = tf.matmul(mean[some], mean[some], transpose_a=True)
        return (self._outer[some] - self.count * product) / max(self.count - 1, 1)


def _blocks(positions: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, positions, BLOCK)]


def coreset(vectors: np.ndarray, size: int, seed: int) -> np.ndarray:
    """The vectors that stand for all: each is the one farthest from those before it.

    Args:
        vectors: (N, C) float32.
        size: how many are chosen, where there are as many.
        seed: of the projection, and of the first vector.

    Returns:
        (min(N, size), C) float32.
    """
    random = np.random.default_rng(seed)
    projection = random.standard_normal((vectors.shape[1], PROJECTED), np.float32)
    x = vectors @ (projection / np.sqrt(np.float32(PROJECTED)))
    squares = np.einsum("nc,nc->n", x, x)
    chosen = [int(random.integers(len(x)))]
    nearest = np.full(len(x), np.inf, np.float32)  # squared distance to those that are chosen
    while len(chosen) < min(len(x), size):
        last = chosen[-1]
        np.minimum(nearest, squares + squares[last] - 2 * (x @ x[last]), out=nearest)
        chosen.append(int(nearest.argmax()))
    return vectors[chosen]


def standardization(batches: Iterable[np.ndarray]) -> layers.Layer:
    """The layer after which each channel has the mean 0 and the variance 1 over all positions.

    Args:
        batches: features (B, h, w, C) of normal images.
    """
    count, total, squares = 0, 0.0, 0.0
    for maps in batches:
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    mean = total / count
    # Not so much less than the mean that their ratio leaves the numbers of float16.
    least = np.maximum(LEAST_DEVIATION, LEAST_DEVIATION * np.abs(mean))
    deviation = np.maximum(np.sqrt(np.maximum(squares / count - mean**2, 0.0)), least)
    # Lists of numbers are saved, and a part of every graph.
    scale, offset = (half_precision(each).tolist() for each in (1.0 / deviation, -mean / deviation))
    return layers.Rescaling(scale, offset, dtype="float32")


def half_precision(values: tf.Tensor | np.ndarray) -> np.ndarray:
    """The nearest numbers of float16, as float32."""
    return np.asarray(values).astype(np.float16).astype(np.float32)
