"""Confidence intervals of AUROCs over seeds, by resampling both the seeds and the images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 2025


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

    A resample draws seeds, normal and anomalous images with replacement, the same ones for both
    methods.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: of each seed, (N,), by the one method.
        others: the same by the other, which is subtracted.
    """
    pairs = zip(scores, others, strict=True)
    return _interval(labels, [_wins(labels, a) - _wins(labels, b) for a, b in pairs])


def _wins(labels, scores):
    """(anomalous, normal): 1 where the anomalous image scores higher, ½ where equal."""
    labels = np.asarray(labels, bool)
    anomalous, normal = scores[labels][:, None], scores[~labels][None, :]
    return (anomalous > normal) + 0.5 * (anomalous == normal)


def _interval(labels, values):
    rng = np.random.RandomState(SEED)
    num_anomalous = int(np.sum(labels))
    counts = [
        rng.multinomial(count, np.full(count, 1.0 / count), size=NUM_RESAMPLES)
        for count in (num_anomalous, len(labels) - num_anomalous, len(values))
    ]
    shares = [count / count.sum(axis=1, keepdims=True) for count in counts]
    # (seeds, resamples): each resample's images, by the runs of each seed.
    resampled = np.array([np.sum(shares[0] @ value * shares[1], axis=1) for value in values])
    means = np.sum(shares[2] * resampled.T, axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    per_seed = tuple(float(value.mean()) for value in values)
    return Interval(float(np.mean(per_seed)), float(low), float(high), per_seed)
