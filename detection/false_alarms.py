"""How many false alarms to expect of a threshold, with an exact interval."""

import math
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
LOW, HIGH = (1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0


@dataclass(frozen=True)
class FalseAlarms:
    """How often a normal image is expected to be called anomalous.

    Attributes:
        rate: the expected rate, in [0, 1].
        low, high: its confidence interval of 95 %.
        num_normal: how many calibration images tell it.
        count: how many of them the threshold calls anomalous.
    """

    rate: float
    low: float
    high: float
    num_normal: int
    count: int


def counted(normal_scores: np.ndarray, threshold: float, called: int | None = None) -> FalseAlarms:
    """Of a threshold that does not depend on these scores: counted, Clopper-Pearson's interval.

    Args:
        normal_scores: (N,), of images that nothing was trained on.
        threshold: images that score at least this much are anomalous.
        called: how many of them are called anomalous, where that is not simply counted.
    """
    total = len(normal_scores)
    count = int(np.sum(normal_scores >= threshold))
    if called is None:
        called = count
    low = _beta(LOW, called, total - called + 1) if called else 0.0
    high = _beta(HIGH, called + 1, total - called) if called < total else 1.0
    return FalseAlarms(called / total, low, high, total, count)


def of_rank(normal_scores: np.ndarray, threshold: float, false_alarm_rate: float) -> FalseAlarms:
    """Of a threshold just above the k-th largest of n normal scores, k by `rank`.

    Whatever the distribution, its rate is Beta(k, n + 1 − k) distributed over calibrations, with
    the mean k / (n + 1).
    """
    total = len(normal_scores)
    k = rank(total, false_alarm_rate)
    low, high = (_beta(tail, k, total + 1 - k) for tail in (LOW, HIGH))
    count = int(np.sum(normal_scores >= threshold))
    return FalseAlarms(k / (total + 1), low, high, total, count)


def rank(num_normal: int, false_alarm_rate: float) -> int:
    """The largest k with k / (n + 1) at most a rate, and at least 1."""
    # A little more, since 0.29 · 100 is a little less than 29.
    return max(1, math.floor(false_alarm_rate * (num_normal + 1) + 1e-9))


def supports(num_normal: int, false_alarm_rate: float) -> bool:
    """Whether that many normal images can support a rate of false alarms: 1 / (n + 1) ≤ rate."""
    return 1.0 / (num_normal + 1) <= false_alarm_rate


def _beta(tail: float, a: int, b: int) -> float:
    from scipy.stats import beta  # takes long to import

    return float(beta.ppf(tail, a, b))
