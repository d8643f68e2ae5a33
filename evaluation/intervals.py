"""Confidence intervals of AUROCs, over the images and the seeds of the trainings.

The images are resampled (bootstrap). Three or five seeds are too few for that: what is called 95 %
would hold three times of four. Their part is Student's t, with their number less one as degrees of
freedom, times the standard error of their mean; the interval is that of the sum of both.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

NUM_RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 2025

QUANTILES = (np.arange(400) + 0.5) / 400
"""Those that stand for a distribution where two are added."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % interval.

    Attributes:
        mean: the mean over the seeds.
        low, high: the ends of the interval.
        per_seed: the value of each seed.
    """

    mean: float
    low: float
    high: float
    per_seed: tuple[float, ...]


def auroc_interval(labels: np.ndarray, scores: Sequence[np.ndarray]) -> Interval:
    """The mean AUROC of several runs on the same images.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: of each seed, (N,).
    """
    return _interval(labels, [_wins(labels, values) for values in scores])


def difference_interval(
    labels: np.ndarray, scores: Sequence[np.ndarray], others: Sequence[np.ndarray]
) -> Interval:
    """The mean difference of AUROC between two methods, paired by seed and image.

    A resample draws normal and anomalous images with replacement, the same ones for both methods.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: of each seed, (N,), by the one method.
        others: the same by the other, which is subtracted.
    """
    pairs = zip(scores, others, strict=True)
    return _interval(labels, [_wins(labels, a) - _wins(labels, b) for a, b in pairs])


def seeds_interval(values: Sequence[float]) -> Interval:
    """The mean of a figure that each seed has one of; without width where there is one seed."""
    return _add_seeds(float(np.mean(values)), values)


def _wins(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(anomalous, normal): 1 where the anomalous image scores higher, ½ where equal."""
    labels = np.asarray(labels, bool)
    anomalous, normal = scores[labels][:, None], scores[~labels][None, :]
    return (anomalous > normal) + 0.5 * (anomalous == normal)


def _interval(labels: np.ndarray, values: Sequence[np.ndarray]) -> Interval:
    # One matrix each, since a resample has the same images for all seeds.
    normal, anomalous = (_resamples(label, int(np.sum(labels == label))) for label in (0, 1))
    means = np.sum(anomalous @ np.mean(values, axis=0) * normal, axis=1)
    return _add_seeds(np.quantile(means, QUANTILES), [float(value.mean()) for value in values])


@functools.lru_cache(maxsize=8)
def _resamples(label: int, count: int) -> np.ndarray:
    """(resamples, count): the share that an image has of a resample; the same for every method."""
    rng = np.random.RandomState([SEED, label])
    return rng.multinomial(count, np.full(count, 1.0 / count), size=NUM_RESAMPLES) / count


def _add_seeds(means: float | np.ndarray, per_seed: Sequence[float]) -> Interval:
    if len(per_seed) > 1:
        error = np.std(per_seed, ddof=1) / np.sqrt(len(per_seed))
        means = np.add.outer(means, error * student.ppf(QUANTILES, len(per_seed) - 1))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], method="hazen")
    return Interval(float(np.mean(per_seed)), float(low), float(high), tuple(per_seed))
