"""Another score for a trained detector, from what its calibration keeps of all of them."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from awl_vae.detection.calibration import calibrate, pixel_threshold
from awl_vae.detection.saved import DetectorError
from awl_vae.evaluation import SCORES, Scorer
from awl_vae.system.errors import check_name
from awl_vae.system.files import is_finite

if TYPE_CHECKING:
    from awl_vae.detection.detector import Detector

Row = Mapping[str, object]


def with_all_scores(
    rows: Iterable[Row], scores: Mapping[str, np.ndarray], peaks: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """The rows of a calibration with the columns that `with_score` reads.

    Args:
        rows: those of the N images.
        scores: by score, the scores (N,) float32.
        peaks: by score, the largest values (n,) float32 of the maps of the first n images, those of
            the split "calibration".
    """
    return [
        {
            **row,
            **{f"score_{name}": _text(values, index) for name, values in scores.items()},
            **{f"peak_{name}": _text(values, index) for name, values in peaks.items()},
        }
        for index, row in enumerate(rows)
    ]


def with_score(
    detector: "Detector", score: str, threshold: str | None, setting: float | None
) -> "Detector":
    """The detector that the same network is by another score; see `Detector.with_score`."""
    own = detector.scorer
    scores = SCORES if isinstance(own, Scorer) else (own.score,)  # which knows no other
    check_name("a score", score, scores, DetectorError, flag="--score=")
    if threshold is None:
        threshold, setting = detector.threshold.method, detector.threshold.setting
        if threshold == "manual" and score != detector.scorer.score:
            raise DetectorError(
                "Expected --threshold with another --score, as the one by hand is of one score. "
                f"Received: --score={score}"
            )
    found = copy.copy(detector)
    if score != detector.scorer.score:
        rows = _rows_by(detector.calibration, score)
        peaks = [row[f"peak_{score}"] for row in rows if row["split"] == "calibration"]
        found.scorer = detector.scorer.with_score(score)
        found.calibration = rows
        found.pixel_threshold = pixel_threshold(np.array(peaks, float).astype(np.float32))
    found.threshold = calibrate(found.calibration, threshold, setting)
    return found


def _rows_by(rows: Sequence[Row], score: str) -> list[Row]:
    """The rows with another score as theirs."""
    for row in rows:
        needed = [f"score_{score}", *([f"peak_{score}"] * (row["split"] == "calibration"))]
        for name in needed:
            if name not in row:
                raise DetectorError(
                    f"Expected a detector that keeps its scores by {score}; one of an earlier "
                    f"version does not: train with --score={score} and another --run_dir. "
                    f"Received: a calibration without {name}"
                )
            if not is_finite(str(row[name])):
                raise DetectorError(f"Expected a number as {name}. Received: {row[name]}")
    return [{**row, "score": row[f"score_{score}"]} for row in rows]


def _text(values: np.ndarray, index: int) -> str:
    """A number to the bit; empty where an image has none."""
    return repr(float(values[index])) if index < len(values) else ""
