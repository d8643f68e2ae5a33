"""Fitting a detector's network to features of normal images: a few components, and what is normal.

All that is learnt of what the components leave comes of images that they were not fitted on: with
those that they were, it is smaller (cross-fitting).
"""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from awl_vae.evaluation.feature_scorer import FeatureScorer
from awl_vae.evaluation.whitening import CORESET
from awl_vae.models.linear import pca
from awl_vae.models.projection import low_rank

RANK = 30
"""Components, and a quarter of the images at most."""

NUM_FOLDS = 3
"""Parts of the images, of which each is left out once."""

MAX_IMAGES = 1000
"""So many are in memory at a time, and components are fitted on no more."""

BATCH_SIZE = 16

Read = Callable[[np.ndarray], np.ndarray]
"""Indices (B,) of images to their features (B, h, w, C) float32."""


def fit(
    read: Read, indices: np.ndarray, extractor: keras.Model, score: str, *, seed: int
) -> FeatureScorer:
    """Fits the components, and learns what is normal.

    Args:
        read: gives features as the extractor does.
        indices: (N,) of the normal images that are fitted, at least 2.
        extractor: the model from images to features.
        score: see `FeatureScorer`.
        seed: of the parts, the components and the coreset.
    """
    standardized = _standardization(read, indices)
    shape = extractor.output_shape[1:]

    def normal(some: np.ndarray) -> np.ndarray:
        return standardized(read(some)).numpy()

    def model_of(some: np.ndarray) -> keras.Model:
        return _low_rank(normal, some, shape, seed)

    parts = folds(indices, NUM_FOLDS, seed)
    models = [model_of(np.setdiff1d(indices, part)) for part in parts]

    def residuals() -> Iterator[tf.Tensor]:
        for part, model in zip(parts, models, strict=True):
            for batch in batches(part):
                x = tf.constant(normal(batch))
                yield x - model(x)

    scorer = FeatureScorer(
        keras.Sequential([extractor, standardized]),
        model_of(indices),
        score,
        coreset_size=min(CORESET, len(indices) * shape[0] * shape[1]),
    )
    scorer.learn(residuals, len(indices), seed)
    return scorer


def folds(indices: np.ndarray, number: int, seed: int) -> list[np.ndarray]:
    """The indices in so many parts, by chance; each alone where there are too few."""
    order = np.random.default_rng(seed).permutation(indices)
    return [np.sort(part) for part in np.array_split(order, min(number, len(indices)))]


def batches(indices: np.ndarray) -> Sequence[np.ndarray]:
    """The indices, `BATCH_SIZE` at a time."""
    return [indices[start : start + BATCH_SIZE] for start in range(0, len(indices), BATCH_SIZE)]


def _standardization(read: Read, indices: np.ndarray) -> layers.Layer:
    """The layer after which each channel has the mean 0 and the variance 1 over all positions."""
    count, total, squares = 0, 0.0, 0.0
    for batch in batches(indices):
        maps = read(batch)
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    mean = total / count
    return layers.Normalization(
        axis=-1, mean=mean, variance=squares / count - mean**2, dtype="float32"
    )


def _low_rank(read: Read, indices: np.ndarray, shape: Sequence[int], seed: int) -> keras.Model:
    """The components of some images."""
    chosen = np.linspace(0, len(indices) - 1, min(len(indices), MAX_IMAGES)).astype(int)
    x = np.empty((len(chosen), int(np.prod(shape))), np.float32)
    for places in batches(np.arange(len(chosen))):
        x[places] = read(indices[chosen[places]]).reshape(len(places), -1)
    mean = x.mean(axis=0)
    components = pca(x, min(RANK, len(x) // 4), seed) if len(x) >= 4 else x[:0]
    return low_rank(shape, mean, components)
