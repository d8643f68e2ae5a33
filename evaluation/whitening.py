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

GROUP_BYTES = 1 << 26
"""Of the images that are added at a time, at least."""

CORESET = 3000
"""Vectors that stand for all, where nothing else is said."""

SAMPLE = 40_000
"""Vectors that these are chosen among."""

PROJECTED = 48
"""Dimensions in which they are chosen: distances stay nearly as they are."""


class Moments:
    """Mean and covariance at each position of residuals (N, h, w, C), of however many images.

    Groups of images, each with its mean and its sums about that, are added in float64 (Chan, Golub
    and LeVeque, 1983), so that no digits are lost where N is large or the mean is.

    Args:
        shape: (h, w, C).

    Attributes:
        count: N.
    """

    def __init__(self, shape: tuple[int, int, int]):
        height, width, channels = self.shape = shape
        self.count = 0
        self._mean = np.zeros((height * width, 1, channels))
        self._products = np.zeros((height * width, channels, channels))  # of deviations, summed
        self._waiting: list[tf.Tensor] = []

    def add(self, residuals: tf.Tensor) -> None:
        """Takes residuals (B, h, w, C) into account."""
        self._waiting.append(residuals)
        if sum(4 * tf.size(each).numpy() for each in self._waiting) >= GROUP_BYTES:
            self._merge()

    def _merge(self) -> None:
        """Adds the images that wait as one group."""
        if not self._waiting:
            return
        height, width, channels = self.shape
        x = tf.reshape(tf.concat(self._waiting, axis=0), (-1, height * width, channels))
        x = tf.transpose(x, (1, 0, 2))  # (B, P, C) -> (P, B, C)
        count, self._waiting = x.shape[1], []
        share = count / (self.count + count)
        for some in _blocks(height * width):
            mean = x[some].numpy().mean(axis=1, keepdims=True, dtype=np.float64)
            deviations = x[some] - mean.astype(np.float32)
            step = mean - self._mean[some]
            self._products[some] += tf.matmul(deviations, deviations, transpose_a=True).numpy()
            self._products[some] += self.count * share * step.swapaxes(1, 2) * step
            self._mean[some] += share * step
        self.count += count

    def whitening(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean μ (h, w, C) and W (h, w, C, C), lower triangles, for which W (r − μ) is white.

        WᵀW is the inverse of the covariance, shrunk towards the pooled one, so that the squared
        length of W (r − μ) is the squared Mahalanobis distance.
        """
        self._merge()
        height, width, channels = self.shape
        positions = height * width
        pooled = np.zeros((channels, channels))
        for some in _blocks(positions):
            pooled += self._covariance(some).sum(axis=0) / positions
        noise = max(RIDGE * pooled.trace() / channels, LEAST_NOISE)
        identity = tf.eye(channels)
        inverse = np.empty((positions, channels, channels), np.float32)
        for some in _blocks(positions):
            shrunk = (1 - POOLED) * self._covariance(some) + POOLED * pooled
            shrunk += noise * np.eye(channels)
            factor = tf.linalg.cholesky(tf.constant(shrunk, tf.float32))
            inverse[some] = tf.linalg.triangular_solve(factor, identity[None]).numpy()
        return (
            self._mean.reshape(self.shape).astype(np.float32),
            inverse.reshape(height, width, channels, channels),
        )

    def _covariance(self, some: slice) -> np.ndarray:
        """That of some positions, (P, C, C)."""
        return self._products[some] / max(self.count - 1, 1)


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
