"""Whether the scores of good parts have moved away from those of the calibration images."""

from collections.abc import Mapping

import numpy as np

from awl_vae.detection.detector import Detector

NUM_IMAGES = 100
"""Images that are compared at a time."""

RATE = 0.001
"""Share of such comparisons that tell of a move where there is none, at most."""

LEAST_IMAGES = 5
"""Fewer calibration images cannot differ from a hundred at that rate."""

MAX_REMARKS = 10
"""A report has the last so many moves."""


class Drift:
    """Compares each hundred normal images with the calibration images, by a rank test.

    Mann and Whitney's, two-sided: whether scores of the one tend to be larger than those of the
    other. Scores at or above the threshold are left out of both. No image is in two hundreds, so
    each is a test of its own at `RATE`; what they share are the calibration images. The state is a
    function of the scores in their order: whoever is given them again says the same.

    Args:
        detector: the detector, with its calibration and threshold.

    Attributes:
        lines: what was found so far, a line for each hundred that has moved.
        warning: why nothing can be found, or an empty text.
    """

    def __init__(self, detector: Detector):
        scores = np.array([_score(row) for row in detector.calibration])
        self._calibration = scores[~np.isnan(scores) & ~detector.is_anomalous(scores)]
        self._scores: list[float] = []
        self._num_before = 0
        self.lines: list[str] = []
        self.warning = ""
        if len(self._calibration) < LEAST_IMAGES:
            self.warning = (
                "Warning: too few calibration images below the threshold, "
                f"{len(self._calibration)}, to tell whether scores move."
            )

    def add(self, score: float) -> str:
        """Takes the score of an image that was called normal.

        Returns:
            Where it is the last of a hundred whose scores have moved: how, in a line; else an
            empty text.
        """
        self._scores.append(score)
        if len(self._scores) < NUM_IMAGES:
            return ""
        line = "" if self.warning else self._compare()
        self._num_before += NUM_IMAGES
        self._scores.clear()
        if line:
            self.lines.append(line)
        return line

    @property
    def remarks(self) -> list[str]:
        """What a report says of it: the last lines, and how many there are."""
        if len(self.lines) <= MAX_REMARKS:
            return self.lines
        counts = f"{len(self.lines)} of {self._num_before // NUM_IMAGES} hundreds"
        first = f"Scores of good parts have moved in {counts}; the last {MAX_REMARKS}:"
        return [first, *self.lines[-MAX_REMARKS:]]

    def _compare(self) -> str:
        scores = np.array(self._scores)
        u, p = rank_test(scores, self._calibration)
        if not p < RATE:
            return ""
        way = "up" if u > len(scores) * len(self._calibration) / 2 else "down"
        return (
            f"Scores of good parts have moved {way}: median {np.median(scores):.6g} of the normal "
            f"images {self._num_before + 1} to {self._num_before + NUM_IMAGES}, "
            f"{np.median(self._calibration):.6g} of the calibration (rank test, p = {p:.1g}; "
            f"where nothing moves, {RATE * 1000:g} hundred in 1000 seems to)."
        )


def rank_test(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mann and Whitney's U of `x` over `y`, and its two-sided p, along the last axis.

    By the normal distribution, with ties counted as halves: of few images it tells too seldom of a
    difference, and not too often.
    """
    from scipy.stats import mannwhitneyu

    u, p = mannwhitneyu(x, y, axis=-1, method="asymptotic")
    return u, p


def _score(row: Mapping[str, object]) -> float:
    """The score of a calibration image, or NaN of another."""
    return float(str(row["score"])) if row["split"] == "calibration" else float("nan")
