"""Recipes that fit a detector of features to normal images.

All that is learnt of what a model leaves comes of images that it was not fitted on: of those that
it was, it leaves less (cross-fitting).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from awl_vae.evaluation import FeatureScorer
from awl_vae.evaluation.whitening import CORESET, standardization
from awl_vae.models.projection import low_rank
from awl_vae.training.fitting.explaining import Explaining, LowRank, Read, batches

NUM_FOLDS = 3
"""Parts of the images, of which each is left out once."""


@dataclass(frozen=True)
class Recipe:
    """How a detector of features is fitted.

    Attributes:
        about: what it is, for `--help`.
        score: see `FeatureScorer`.
        model: what explains what normal features have in common; None where nothing does, and
            they are compared as they are.
        whitens, coarse, has_plain: see `FeatureScorer`.
        coreset_size: how many vectors stand for all.
    """

    about: str
    score: str
    model: Explaining | None
    whitens: bool = True
    coarse: bool = False
    has_plain: bool = False
    coreset_size: int = CORESET


RECIPES = {
    "low_rank": Recipe(
        "what principal components leave (40, but at most a quarter of the images), whitened, and "
        "the features themselves, by their distances to the nearest normal ones",
        "nearest_normal",
        LowRank(40),
        coarse=True,
        has_plain=True,
        coreset_size=2000,
    ),
    "padim": Recipe("PaDiM (Defard et al., 2021)", "mahalanobis", LowRank(0)),
    "patchcore": Recipe("PatchCore (Roth et al., 2022)", "nearest_normal", None, whitens=False),
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
    standardized = None
    if recipe.model is not None:
        standardized = standardization(map(read, batches(indices)))

    def normal(some: np.ndarray) -> np.ndarray:
        return read(some) if standardized is None else standardized(read(some)).numpy()

    def model_of(some: np.ndarray) -> keras.Model:
        if recipe.model is None:
            size = int(np.prod(shape))
            return low_rank(shape, np.zeros(size), np.zeros((0, size)))
        num_groups = len(np.unique(groups[np.isin(indices, some)]))
        return recipe.model.fit(normal, some, num_groups, shape, seed)

    parts = folds(indices, groups, NUM_FOLDS, seed)
    models = [model_of(np.setdiff1d(indices, part)) for part in parts]

    def residuals() -> Iterator[tf.Tensor]:
        for part, model in zip(parts, models, strict=True):
            for batch in batches(part):
                x = tf.constant(normal(batch))
                yield x - model(x)

    step = 2 if recipe.coarse else 1
    num_compared = len(indices) * (shape[0] // step) * (shape[1] // step)
    scorer = FeatureScorer(
        extractor,
        model_of(indices),
        recipe.score,
        standardization=standardized,
        whitens=recipe.whitens,
        coarse=recipe.coarse,
        has_plain=recipe.has_plain,
        coreset_size=min(recipe.coreset_size, num_compared),
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
