"""Thresholds on anomaly scores, and how many false alarms to expect of them.

A score that **equals** the threshold is anomalous. Thresholds from normal images alone: `quantile`,
`k_sigma`. With labels: `youden`, `f1`, `sensitivity`.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from sklearn.metrics import precision_recall_curve

from awl_vae.evaluation import youden_threshold

CONFIDENCE = 0.95
LOW, HIGH = (1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0
MARGIN = 1e-5
"""Share of a score by which a threshold keeps off it: its last bits depend on its batch."""

LABEL_FREE = ("quantile", "k_sigma", "manual")
LABELLED = ("youden", "f1", "sensitivity")


def quantile(normal_scores: np.ndarray, false_alarm_rate: float) -> float:
    """The lowest threshold whose expected rate of false alarms is at most the given one.

    Of n normal scores and one more, each is equally likely to be the k-th largest. So a threshold
    just above the k-th largest of n has an expected rate of false alarms of k / (n + 1), whatever
    the distribution, and k is the largest number with k / (n + 1) ≤ the rate, at least 1.

    Args:
        normal_scores: (N,), of images that nothing was trained on; N at least 1.
        false_alarm_rate: in (0, 1).

    Returns:
        The threshold, a little above the k-th largest score.
    """
    ordered = np.unique(normal_scores)
    low = float(np.sort(normal_scores)[-_rank(len(normal_scores), false_alarm_rate)])
    above = ordered[ordered > low]
    step = max(MARGIN * abs(low), MARGIN**2)
    return low + (min(step, (float(above[0]) - low) / 2.0) if len(above) else step)


def _rank(num_normal, false_alarm_rate):
    # A little more, since 0.29 · 100 is a little less than 29.
    return max(1, math.floor(false_alarm_rate * (num_normal + 1) + 1e-9))


def supports(num_normal: int, false_alarm_rate: float) -> bool:
    """Whether that many normal images can support a rate of false alarms: 1 / (n + 1) ≤ rate."""
    return 1.0 / (num_normal + 1) <= false_alarm_rate


def k_sigma(normal_scores: np.ndarray, k: float) -> float:
    """Mean plus k sample standard deviations (ddof = 1) of at least two normal scores (N,)."""
    return float(np.mean(normal_scores) + k * np.std(normal_scores, ddof=1))


def f1(labels: np.ndarray, scores: np.ndarray) -> float:
    """The threshold of the largest F1 = 2 · precision · recall / (precision + recall).

    Of equal ones the highest. Labels (N,), 0 for normal and 1 for anomalous, and scores (N,).
    """
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    # The last point belongs to no threshold. Thresholds rise, so the last of equal ones is wanted.
    values = 2.0 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-300)
    best = len(values) - 1 - int(np.argmax(np.round(values, 12)[::-1]))
    return float(thresholds[best])


def sensitivity(labels: np.ndarray, scores: np.ndarray) -> float:
    """The highest threshold that catches every anomaly: the lowest score of an anomalous image."""
    return float(np.min(scores[np.asarray(labels, bool)]))


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


def false_alarms(
    normal_scores: np.ndarray, threshold: float, *, method: str, setting: float | None
) -> FalseAlarms:
    """The false alarms to expect of a threshold.

    A threshold just above the k-th largest of n normal scores ("quantile") has, whatever the
    distribution, a rate that is Beta(k, n + 1 − k) distributed over calibrations: mean k / (n + 1).
    That of "k_sigma" is counted image by image, each by the threshold that the others give. Any
    other threshold does not depend on these scores: they are counted, and the interval is the
    exact one (Clopper-Pearson).

    Args:
        normal_scores: (N,), of images that nothing was trained on.
        threshold: images that score at least this much are anomalous.
        method: how it was found, one of `LABEL_FREE` or `LABELLED`.
        setting: what the method was asked for.
    """
    total = len(normal_scores)
    count = int(np.sum(normal_scores >= threshold))
    if method == "quantile":
        k = _rank(total, setting)
        rate, low, high = (
            k / (total + 1),
            _beta(LOW, k, total + 1 - k),
            _beta(HIGH, k, total + 1 - k),
        )
        return FalseAlarms(rate, low, high, total, count)
    called = count
    if method == "k_sigma" and total > 2:
        called = sum(
            score >= k_sigma(np.delete(normal_scores, index), setting)
            for index, score in enumerate(normal_scores)
        )
    low = _beta(LOW, called, total - called + 1) if called else 0.0
    high = _beta(HIGH, called + 1, total - called) if called < total else 1.0
    return FalseAlarms(called / total, low, high, total, count)


def _beta(tail, a, b):
    return float(beta.ppf(tail, a, b))


@dataclass(frozen=True)
class Threshold:
    """The score from which on an image is anomalous, and how it was found.

    Attributes:
        value: images that score at least this much are anomalous.
        method: one of `LABEL_FREE` or `LABELLED`.
        setting: what the method was asked for: the rate of "quantile", the k of "k_sigma".
        false_alarms: how often it is expected to call a normal image anomalous.
    """

    value: float
    method: str
    setting: float | None
    false_alarms: FalseAlarms


def find_threshold(
    method: str,
    *,
    normal_scores: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
    setting: float | None,
) -> float:
    """The threshold by one of the methods.

    Args:
        method: one of `LABEL_FREE` or `LABELLED`.
        normal_scores: (N,), scores of calibration images.
        labels: (M,) of labelled images, for the methods that need them.
        scores: (M,) of the labelled images.
        setting: the rate of `quantile`, the k of `k_sigma`, the threshold of `manual`.

    Returns:
        The threshold.
    """
    if method == "quantile":
        return quantile(normal_scores, setting)
    if method == "k_sigma":
        return k_sigma(normal_scores, setting)
    if method == "manual":
        return setting
    least = {"youden": youden_threshold, "f1": f1, "sensitivity": sensitivity}[method](
        labels, scores
    )
    return least - MARGIN * abs(least)
