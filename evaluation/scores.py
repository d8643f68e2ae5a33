"""Anomaly scores: a map over the pixels, and one number per image taken from it.

Keras is imported when a score is computed, so that the names of the scores cost no TensorFlow.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TOP_FRACTION = 0.01
"""Share of the pixels, those with the largest errors, that `top_fraction` averages."""

GRAY_LEVEL = 1.0 / 255.0
"""Added, as a variance, to the scale of every pixel: no residual below it is more than noise."""

Tensor = Any
"""A tensor of Keras, or an array that Keras takes for one."""


@dataclass(frozen=True)
class Score:
    """A pixel-wise difference and how it becomes one number.

    Attributes:
        label: the score's name in figures.
        map: (x, x_hat, scale), images and reconstructions (N, H, W, C) in [0, 1] and the scale of
            the residual (H, W) or (N, H, W), to anomaly maps (N, H, W).
        reduce: anomaly maps (N, H, W) to scores (N,); larger is more anomalous.
        learns_scale: whether it uses the scale, which is learnt from normal images.
        reduce_inside: (anomaly maps (N, H, W), 0 outside of a region of interest, and the regions,
            1 inside and 0 outside) to scores (N,), in which the size of the region does not count;
            None where `reduce` does that.
        map_label: what the maps are called in figures.
    """

    label: str
    map: Callable[[Tensor, Tensor, Tensor], Tensor]
    reduce: Callable[[Tensor], Tensor]
    learns_scale: bool = False
    reduce_inside: Callable[[Tensor, Tensor], Tensor] | None = None
    map_label: str = "anomaly map"


def squared_error(x: Tensor, x_hat: Tensor, scale: Tensor) -> Tensor:
    """(x − x')² of each pixel, of colours the mean: (N, H, W, C) each to (N, H, W)."""
    from keras import ops

    return mean_channel(ops.square(x - x_hat))


def absolute_error(x: Tensor, x_hat: Tensor, scale: Tensor) -> Tensor:
    """|x − x'| of each pixel, of colours the mean: (N, H, W, C) each to (N, H, W)."""
    from keras import ops

    return mean_channel(ops.abs(x - x_hat))


def mean_channel(x: Tensor) -> Tensor:
    """(N, H, W, C) to (N, H, W)."""
    from keras import ops

    return x[..., 0] if x.shape[-1] == 1 else ops.mean(x, axis=-1)


def standardized_error(x: Tensor, x_hat: Tensor, scale: Tensor) -> Tensor:
    """|x − x'| / scale of each pixel, smoothed: (N, H, W, C) each to (N, H, W).

    The scale is what the residual of a normal image is at that pixel, so an edge that is never
    reconstructed well counts less than a plain area that always is. The smoothing is a Gaussian
    whose standard deviation is a 64th of the shorter side: what is large alone is noise.
    """
    error = absolute_error(x, x_hat, scale) / scale
    height, width = error.shape[1:]
    sigma = min(height, width) / 64.0
    # (H, H) · (N, H, W) · (W, W)
    return _smoothing(height, sigma) @ error @ _smoothing(width, sigma).T


def largest(maps: Tensor) -> Tensor:
    """The largest value: (N, H, W) to (N,)."""
    from keras import ops

    return ops.max(maps, axis=(1, 2))


def mean(maps: Tensor) -> Tensor:
    """The mean: (N, H, W) to (N,)."""
    from keras import ops

    return ops.mean(maps, axis=(1, 2))


def mean_of_largest(maps: Tensor, fraction: float = TOP_FRACTION) -> Tensor:
    """The mean of a fraction of the values, the largest: (N, H, W) to (N,)."""
    from keras import ops

    num_pixels = maps.shape[1] * maps.shape[2]
    values, _ = ops.top_k(ops.reshape(maps, (-1, num_pixels)), math.ceil(fraction * num_pixels))
    return ops.mean(values, axis=1)


def mean_inside(maps: Tensor, roi: Tensor) -> Tensor:
    """The mean in a region: (N, H, W) each to (N,)."""
    from keras import ops

    return ops.sum(maps, axis=(1, 2)) / ops.sum(roi, axis=(1, 2))


def mean_of_largest_inside(maps: Tensor, roi: Tensor) -> Tensor:
    """The mean of the `TOP_FRACTION` largest values in a region: (N, H, W) each to (N,)."""
    from keras import ops

    num_pixels = maps.shape[1] * maps.shape[2]
    most = math.ceil(TOP_FRACTION * num_pixels)
    values, _ = ops.top_k(ops.reshape(maps, (-1, num_pixels)), most)
    count = ops.ceil(TOP_FRACTION * ops.sum(roi, axis=(1, 2)))[:, None]  # (N, H, W) -> (N, 1)
    is_counted = ops.cast(ops.arange(most, dtype="float32") < count, "float32")
    return ops.sum(values * is_counted, axis=1) / count[:, 0]


def _smoothing(size: int, sigma: float) -> np.ndarray:
    """Matrix (size, size) float32 that smooths a line by a Gaussian, mirrored at its ends."""
    from scipy.ndimage import gaussian_filter1d

    unit = np.eye(size)
    return gaussian_filter1d(unit, sigma, axis=0, mode="reflect", truncate=3.0).astype(np.float32)


SCORES = {
    # Eq. (15)
    "mse": Score("MSE", squared_error, mean, reduce_inside=mean_inside, map_label="squared error"),
    # Eq. (16)
    "max1p": Score("Max1p", absolute_error, largest, map_label="absolute error"),
    # Ours.
    "standardized": Score(
        "standardized maximum",
        standardized_error,
        largest,
        learns_scale=True,
        map_label="standardized error",
    ),
    "top_fraction": Score(
        f"mean of the top {TOP_FRACTION:.0%}",
        squared_error,
        mean_of_largest,
        reduce_inside=mean_of_largest_inside,
        map_label="squared error",
    ),
}
"""The scores by the names that `--score` takes."""


@dataclass(frozen=True)
class FeatureScore:
    """What a residual of features is compared with.

    Attributes:
        label: the score's name in figures.
        has_coreset: whether it is compared with vectors of normal images; see `FeatureScorer`.
        map_label: what the maps are called in figures.
    """

    label: str
    has_coreset: bool
    map_label: str


FEATURE_SCORES = {
    "mahalanobis": FeatureScore("Mahalanobis distance", False, "Mahalanobis distance"),
    "nearest_normal": FeatureScore("nearest normal", True, "distance to the nearest normal"),
}
"""The scores of features, whose maps are distances."""

SCORES_OF: Mapping[str, Mapping[str, Score | FeatureScore]] = {
    "pixels": SCORES,
    "features": FEATURE_SCORES,
}
"""By what a model sees, the scores that there are."""
