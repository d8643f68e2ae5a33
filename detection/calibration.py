"""Finding a detector's threshold on its calibration, and saying what to expect of it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from awl_vae.detection.false_alarms import CONFIDENCE, FalseAlarms, counted
from awl_vae.detection.thresholds import (
    MARGIN,
    THRESHOLDS,
    LabelledMethod,
    NormalMethod,
    Threshold,
)
from awl_vae.system.errors import UserError, check_name
from awl_vae.system.words import quantity

PEAK_RATE = 0.05
"""Share of normal images with a region, that is with a map above the pixel threshold."""

LIGHTEST = 2.0
"""Where a map is drawn, this many pixel thresholds are the lightest colour, and 0 is black."""


class CalibrationError(UserError, ValueError):
    """The images of a calibration are not enough for a threshold."""


def calibrate(
    rows: Sequence[Mapping[str, object]], method: str, setting: float | None = None
) -> Threshold:
    """Finds a threshold.

    Args:
        rows: the calibration, with `split`, `label` and `score`: normal images of the split
            "calibration", and labelled ones of "adapt", if there are any.
        method: a key of `THRESHOLDS`.
        setting: the number of a method that takes one, such as the rate of "quantile"; None for
            the default of its row.

    Returns:
        The threshold, with the false alarms to expect of it.

    Raises:
        CalibrationError: If there is no such method, too few images for it, or no such setting.
    """
    check_name("a threshold", method, THRESHOLDS, CalibrationError)
    found = THRESHOLDS[method]
    if setting is None and isinstance(found, NormalMethod):
        setting = found.default
    normal_scores = _scores(rows, "calibration")
    least = found.least_images if isinstance(found, NormalMethod) else 1
    if not found.takes(setting):
        wanted = found.expected if isinstance(found, NormalMethod) else "no number"
        raise CalibrationError(
            f"Expected {wanted} for the threshold {method!r}. "
            f"Received: {'none' if setting is None else setting}."
        )
    labels = np.array([int(str(row["label"])) for row in rows if row["split"] == "adapt"], int)
    if isinstance(found, LabelledMethod) and len(np.unique(labels)) < 2:
        raise CalibrationError(
            f"Expected labelled normal and anomalous images for the threshold {method!r}. "
            f"Received: {len(labels) - labels.sum()} normal, {labels.sum()} anomalous."
        )
    if len(normal_scores) < least:
        raise CalibrationError(
            f"Expected more calibration images for the threshold {method!r}. "
            f"Received: {len(normal_scores)}."
        )
    alarms: FalseAlarms
    if isinstance(found, LabelledMethod):
        least_score = found.find(labels, _scores(rows, "adapt"))
        value = least_score - MARGIN * abs(least_score)
        alarms = counted(normal_scores, value)
    else:
        assert setting is not None
        value = found.find(normal_scores, setting)
        if not math.isfinite(value):
            raise CalibrationError(
                f"Expected --{found.flag} to give a finite threshold. "
                f"Received: --{found.flag}={setting}"
            )
        alarms = found.alarms(normal_scores, value, setting)
    return Threshold(value, method, setting, alarms)


def pixel_threshold(peaks: np.ndarray) -> float:
    """The value that the anomaly maps of most normal images stay below.

    Args:
        peaks: (N,), the largest values of the maps of calibration images.

    Returns:
        Their quantile of 1 − `PEAK_RATE`, above 0.
    """
    return max(float(np.quantile(peaks, 1.0 - PEAK_RATE)), 1e-12)


def describe(threshold: Threshold) -> str:
    """What to expect of a threshold, in words."""
    alarms = threshold.false_alarms
    setting = "" if threshold.setting is None else f" of {threshold.setting:g}"
    text = (
        f"Threshold {threshold.value:.6g} ({threshold.method}{setting}). Expected false alarms: "
        f"{alarms.rate:.2%} of normal images, {CONFIDENCE:.0%} interval {alarms.low:.2%} to "
        f"{alarms.high:.2%} (from {quantity(alarms.num_normal, 'calibration image')})."
    )
    found = THRESHOLDS[threshold.method]
    if isinstance(found, NormalMethod) and threshold.setting is not None:
        warning = found.warn(alarms.num_normal, threshold.setting)
        text += f"\nWarning: {warning}" if warning else ""
    return text


def _scores(rows: Sequence[Mapping[str, object]], split: str) -> np.ndarray:
    return np.array([float(str(row["score"])) for row in rows if row["split"] == split])
