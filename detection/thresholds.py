"""Thresholds on anomaly scores: a function and a row of `THRESHOLDS` each.

A score that **equals** the threshold is anomalous. What takes long to import is imported when a
threshold is found, so that the names of the methods cost nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from awl_vae.detection.false_alarms import FalseAlarms, counted, of_rank, rank, supports
from awl_vae.system.words import quantity

FALSE_ALARM_RATE = 0.01
"""The rate that `quantile` aims at where nothing else is said."""

LEAST_FOR_DEVIATION = 20
"""Normal images from which a standard deviation is known to about a sixth of it: 1/√(2 · 19)."""

LEAST_RATE = 1e-9
"""A rate of false alarms is above this; no number of images could tell of a lower one."""

BULK = (0.8, 0.9, 0.95, 0.97)
"""Quantiles that `log_normal` finds the spread of."""

LARGEST_LOG = 700.0
"""Beyond it there are no numbers; scores of 0 among others lead there."""

MARGIN = 1e-5
"""Share of a score by which a threshold keeps off it: its last bits depend on its batch."""


@dataclass(frozen=True)
class Threshold:
    """The score from which on an image is anomalous, and how it was found.

    Attributes:
        value: images that score at least this much are anomalous.
        method: a key of `THRESHOLDS`.
        setting: the number that the method was asked for, or None where it takes none.
        false_alarms: how often it is expected to call a normal image anomalous.
    """

    value: float
    method: str
    setting: float | None
    false_alarms: FalseAlarms


def quantile(normal_scores: np.ndarray, false_alarm_rate: float) -> float:
    """The lowest threshold whose expected rate of false alarms is at most the given one.

    Of n normal scores and one more, each is equally likely to be the k-th largest. So a threshold
    just above the k-th largest of n has an expected rate of false alarms of k / (n + 1), whatever
    the distribution, and k is the largest number with k / (n + 1) ≤ the rate, at least 1.

    Args:
        normal_scores: (N,), of images that nothing was trained on; N at least 1.
        false_alarm_rate: in (`LEAST_RATE`, 1).

    Returns:
        The threshold, a little above the k-th largest score.
    """
    ordered = np.unique(normal_scores)
    low = float(np.sort(normal_scores)[-rank(len(normal_scores), false_alarm_rate)])
    above = ordered[ordered > low]
    step = max(MARGIN * abs(low), MARGIN**2)
    return low + (min(step, (float(above[0]) - low) / 2.0) if len(above) else step)


def num_needed(false_alarm_rate: float) -> int:
    """How many normal images a rate of false alarms takes, see `supports`."""
    return math.ceil(1 / false_alarm_rate - 1 - 1e-9)


def too_few(num_normal: int, false_alarm_rate: float) -> str:
    """What to warn of where `quantile` has too few normal images for its rate, or an empty text."""
    if supports(num_normal, false_alarm_rate):
        return ""
    return (
        f"{quantity(num_normal, 'normal image')} cannot support a rate of {false_alarm_rate:g}; "
        f"{quantity(num_needed(false_alarm_rate), 'image')} could."
    )


def log_normal(normal_scores: np.ndarray, false_alarm_rate: float) -> float:
    """The quantile of a log-normal distribution that has the bulk of the normal scores.

    Its median is that of the scores. Its spread is the largest that the quantiles `BULK` above the
    median tell, and none beyond: fewer than three images in a hundred, however strange, cannot lift
    the threshold. Such an image is called anomalous then; so the false alarms are counted. The
    quantile is that of an image to come, by Student's t with the degrees of freedom of the images
    above the median: few images tell the spread less surely.

    Args:
        normal_scores: (N,), of images that nothing was trained on; N at least 2.
        false_alarm_rate: of images like the bulk, in (`LEAST_RATE`, 0.5).
    """
    from scipy.special import ndtri, stdtrit  # takes long to import

    count = len(normal_scores)
    logs = np.log(np.maximum(normal_scores, np.finfo(np.float64).tiny))
    median, *others = np.quantile(logs, [0.5, *BULK])
    spread = max((value - median) / ndtri(share) for share, value in zip(BULK, others, strict=True))
    to_come = stdtrit(max(count / 2 - 1, 3.0), 1.0 - false_alarm_rate) * math.sqrt(1 + 1 / count)
    value = min(median + to_come * spread, LARGEST_LOG)
    return math.exp(value) * (1.0 + MARGIN)


def without_each(
    find: Callable[[np.ndarray, float], float], least: int
) -> Callable[[np.ndarray, float, float], FalseAlarms]:
    """The false alarms of a threshold: counted, each image by the threshold that the others give.

    Args:
        find: (scores, number) to the threshold.
        least: how many scores that takes.
    """

    def alarms(normal_scores: np.ndarray, threshold: float, number: float) -> FalseAlarms:
        if len(normal_scores) <= least:
            return counted(normal_scores, threshold)
        called = sum(
            score >= find(np.delete(normal_scores, index), number)
            for index, score in enumerate(normal_scores)
        )
        return counted(normal_scores, threshold, int(called))

    return alarms


def k_sigma(normal_scores: np.ndarray, k: float) -> float:
    """Mean plus k sample standard deviations (ddof = 1) of at least two normal scores (N,)."""
    return float(np.mean(normal_scores)) + k * float(np.std(normal_scores, ddof=1))


def too_few_for_deviation(num_normal: int, k: float) -> str:
    """What to warn of where `k_sigma` has too few normal images, or an empty text."""
    if num_normal >= LEAST_FOR_DEVIATION:
        return ""
    return (
        f"{quantity(num_normal, 'normal image')} give no sure standard deviation; "
        f"{quantity(LEAST_FOR_DEVIATION, 'image')} would."
    )


def youden(labels: np.ndarray, scores: np.ndarray) -> float:
    """The threshold of the largest sensitivity + specificity − 1; see `youden_threshold`."""
    from awl_vae.evaluation.roc import youden_threshold

    return youden_threshold(labels, scores)


def f1(labels: np.ndarray, scores: np.ndarray) -> float:
    """The threshold of the largest F1 = 2 · precision · recall / (precision + recall).

    Of equal ones the highest. Labels (N,), 0 for normal and 1 for anomalous, and scores (N,).
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(labels, scores)
    # The last point belongs to no threshold. Thresholds rise, so the last of equal ones is wanted.
    values = 2.0 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-300)
    best = len(values) - 1 - int(np.argmax(np.round(values, 12)[::-1]))
    return float(thresholds[best])


def sensitivity(labels: np.ndarray, scores: np.ndarray) -> float:
    """The highest threshold that catches every anomaly: the lowest score of an anomalous image."""
    return float(np.min(scores[np.asarray(labels, bool)]))


@dataclass(frozen=True)
class NormalMethod:
    """A threshold from normal images alone, and a number.

    Attributes:
        about: what it is, for `--help`.
        find: (scores (N,) of calibration images, the number) to the threshold.
        flag: the flag of the number.
        number: what the number is.
        default: what it is where nothing is said; None where it has to be.
        alarms: (scores (N,), threshold, the number) to the false alarms to expect.
        least_images: how many calibration images it takes.
        between: the number is above the first of these and below the second.
        warn: (how many calibration images, the number) to what to warn of, or an empty text.
    """

    about: str
    find: Callable[[np.ndarray, float], float]
    flag: str
    number: str
    default: float | None
    alarms: Callable[[np.ndarray, float, float], FalseAlarms]
    least_images: int = 1
    between: tuple[float, float] = (-math.inf, math.inf)
    warn: Callable[[int, float], str] = lambda num_normal, number: ""

    def takes(self, setting: object) -> bool:
        """Whether it can be found by this number."""
        if not isinstance(setting, int | float) or isinstance(setting, bool):
            return False
        return self.between[0] < setting < self.between[1]

    @property
    def expected(self) -> str:
        """Which number it takes, for an error."""
        if self.between == (-math.inf, math.inf):
            return f"a finite number as --{self.flag}"
        low, high = self.between
        return f"a number between {low:g} and {high:g} as --{self.flag}"


@dataclass(frozen=True)
class LabelledMethod:
    """A threshold from labelled images.

    Attributes:
        about: what it is, for `--help`.
        find: (labels (N,), scores (N,)) of both classes to the least score of what is anomalous;
            the threshold is a little below.
    """

    about: str
    find: Callable[[np.ndarray, np.ndarray], float]

    def takes(self, setting: object) -> bool:
        """Whether it is found by this number: it is found by none."""
        return setting is None


THRESHOLDS: dict[str, NormalMethod | LabelledMethod] = {
    "quantile": NormalMethod(
        "a rate of false alarms, from normal images alone",
        quantile,
        flag="false_alarm_rate",
        number="the share of normal images that may be called anomalous, between 0 and 1",
        default=FALSE_ALARM_RATE,
        alarms=of_rank,
        between=(LEAST_RATE, 1.0),
        warn=too_few,
    ),
    "log_normal": NormalMethod(
        "a rate of false alarms among images like most normal ones, which a few odd ones do not "
        "lift",
        log_normal,
        flag="false_alarm_rate",
        number="the share of normal images that may be called anomalous, between 0 and 1",
        default=FALSE_ALARM_RATE,
        alarms=without_each(log_normal, 2),
        least_images=2,
        between=(LEAST_RATE, 0.5),
        warn=too_few_for_deviation,
    ),
    "k_sigma": NormalMethod(
        "mean plus some standard deviations of normal scores",
        k_sigma,
        flag="num_sigmas",
        number="how many standard deviations above the mean",
        default=3.0,
        alarms=without_each(k_sigma, 2),
        least_images=2,
        warn=too_few_for_deviation,
    ),
    "manual": NormalMethod(
        "the threshold itself",
        lambda normal_scores, value: value,
        flag="value",
        number="the threshold",
        default=None,
        alarms=lambda normal_scores, threshold, value: counted(normal_scores, threshold),
    ),
    "youden": LabelledMethod(
        "the largest sensitivity + specificity − 1 on the labelled adapt images", youden
    ),
    "f1": LabelledMethod("the largest F1 on them", f1),
    "sensitivity": LabelledMethod(
        "all anomalies among them caught, at the fewest false alarms", sensitivity
    ),
}
"""The methods by the names that `--threshold` takes."""
