"""Recipes that fit a detector of features to normal images, without training by gradients.

All that is learnt of what a model leaves comes of images that it was not fitted on: of those that
it was, it leaves less (cross-fitting).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from awl_vae.evaluation.feature_scorer import FeatureScorer, half_precision
from awl_vae.evaluation.whitening import CORESET
from awl_vae.models.projection import low_rank, principal_components

RANK = 40
"""Components, and a quarter of the images at most."""

NUM_FOLDS = 3
"""Parts of the images, of which each is left out once."""

MAX_IMAGES = 1000
"""Components are fitted on no more images..."""

MAX_BYTES = 1 << 29
"""... and on no more bytes of features, which are in memory at a time."""

LEAST_DEVIATION = 1e-3
"""Features that vary less are taken to vary so much: float16 holds no number for the others."""

BATCH_SIZE = 16

Read = Callable[[np.ndarray], np.ndarray]
"""Indices (B,) of images to their features (B, h, w, C) float32."""


@dataclass(frozen=True)
class Recipe:
    """How a detector of features is fitted.

    Attributes:
        about: what it is, for `--help`.
        score: see `FeatureScorer`.
        rank: of the linear model, at most a quarter of the number of images; 0 for the mean; None
            where there is no model, and the features are compared as they are.
        whitens, num_smoothings, has_plain: see `FeatureScorer`.
        coreset_size: how many vectors stand for all.
    """

    about: str
    score: str
    rank: int | None = RANK
    whitens: bool = True
    num_smoothings: int = 1
    has_plain: bool = False
    coreset_size: int = CORESET


RECIPES = {
    "low_rank": Recipe(
        "what 40 components leave, whitened, and the features themselves, by their distances to "
        "the nearest normal ones",
        "nearest_normal",
        num_smoothings=2,
        has_plain=True,
        coreset_size=2000,
    ),
    "padim": Recipe("PaDiM (Defard et al., 2021)", "mahalanobis", rank=0),
    "patchcore": Recipe(
        "PatchCore (Roth et al., 2022)", "nearest_normal", rank=None, whitens=False
    ),
}


def fit(
    read: Read,
    indices: np.ndarray,
    groups: np.ndarray,
    extractor: keras.Model,
    recipe: Recipe,
    *,
    seed: int,
) -> FeatureScorer:
    """Fits a recipe to normal images, or to tiles of images.

    Args:
        read: gives features as the extractor does.
        indices: (N,) of the images or tiles.
        groups: (N,), the same for tiles of one image, and for copies of it; at least 2 of them.
        extractor: the model from images to features.
        recipe: how.
        seed: of the parts and the coreset.
    """
    shape = extractor.output_shape[1:]
    standardized = _standardization(read, indices) if recipe.rank is not None else None

    def normal(some: np.ndarray) -> np.ndarray:
        return read(some) if standardized is None else standardized(read(some)).numpy()

    def model_of(some: np.ndarray) -> keras.Model:
        rank = recipe.rank and min(recipe.rank, len(np.unique(groups[np.isin(indices, some)])) // 4)
        return _linear_model(normal, some, shape, rank)

    parts = folds(indices, groups, NUM_FOLDS, seed)
    models = [model_of(np.setdiff1d(indices, part)) for part in parts]

    def residuals() -> Iterator[tf.Tensor]:
        for part, model in zip(parts, models, strict=True):
            for batch in batches(part):
                x = tf.constant(normal(batch))
                yield x - model(x)

    scorer = FeatureScorer(
        extractor,
        model_of(indices),
        recipe.score,
        standardization=standardized,
        whitens=recipe.whitens,
        num_smoothings=recipe.num_smoothings,
        has_plain=recipe.has_plain,
        coreset_size=min(recipe.coreset_size, len(indices) * shape[0] * shape[1]),
    )
    scorer.learn(lambda: map(read, batches(indices)), residuals, len(indices), seed)
    return scorer


def folds(indices: np.ndarray, groups: np.ndarray, number: int, seed: int) -> list[np.ndarray]:
    """The indices in so many parts, by chance, those of a group in one.

    Args:
        indices: (N,).
        groups: (N,), of each its group.
        number: of parts; where there are fewer groups, each is alone.
        seed: of the chance.
    """
    _, first = np.unique(groups, return_index=True)
    order = np.random.default_rng(seed).permutation(groups[np.sort(first)])
    parts = np.array_split(order, min(number, len(order)))
    return [np.sort(indices[np.isin(groups, part)]) for part in parts]


def batches(indices: np.ndarray, most: int = BATCH_SIZE) -> Sequence[np.ndarray]:
    """The indices, so many at a time."""
    return [indices[start : start + most] for start in range(0, len(indices), most)]


def _standardization(read: Read, indices: np.ndarray) -> layers.Layer:
    """The layer after which each channel has the mean 0 and the variance 1 over all positions."""
    count, total, squares = 0, 0.0, 0.0
    for batch in batches(indices):
        maps = read(batch)
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    mean = total / count
    deviation = np.maximum(np.sqrt(np.maximum(squares / count - mean**2, 0.0)), LEAST_DEVIATION)
    # Lists of numbers are saved, and a part of every graph.
    scale, offset = (half_precision(each).tolist() for each in (1.0 / deviation, -mean / deviation))
    return layers.Rescaling(scale, offset, dtype="float32")


def _linear_model(
    read: Read, indices: np.ndarray, shape: Sequence[int], rank: int | None
) -> keras.Model:
    """The mean and the components of some images; of none where there is no rank."""
    size = int(np.prod(shape))
    if rank is None:
        return low_rank(shape, np.zeros(size), np.zeros((0, size)))
    count = max(min(len(indices), MAX_IMAGES, MAX_BYTES // (4 * size)), 1)
    chosen = indices[np.linspace(0, len(indices) - 1, count).astype(int)]
    x = np.empty((count, size), np.float32)
    for places in batches(np.arange(count)):
        x[places] = read(chosen[places]).reshape(len(places), -1)
    mean = x.mean(axis=0)
    x -= mean
    return low_rank(shape, mean, principal_components(x, min(rank, count // 4)))
