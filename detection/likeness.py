"""What calibration images looked like, and whether another image looks like them.

A score tells of the product where the picture is taken as it was at calibration. One that is
darker, out of focus or of another size has a score, too, but nobody knows what it means.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from awl_vae.data.images import split_roi

MEASURES = {"brightness": 1.0, "contrast": 1.0, "sharpness": 0.1, "width": 1.0, "height": 1.0}
"""What is measured, and what smaller values are taken for: they differ by nothing that counts."""

LEAST_IMAGES = 5
"""Fewer calibration images tell of no range."""

TAIL = 0.05
"""Share of the calibration images on either side that may be odd without widening a range."""

MARGIN = 0.75
"""How far a range goes beyond the others, in their own width."""

MARGIN_OF_FEW = 10.0
"""What is added to that, over the number of images: the width of a few is hardly known."""

LEAST_FACTOR = 1.05
"""A range goes at least this factor beyond the median, also where all images are alike."""


def measure(x: np.ndarray, shape: tuple[int, int] | None) -> dict[str, float]:
    """What an image looks like.

    Args:
        x: (H, W) or (H, W, 3) float32 in [0, 1], as the network sees it: what is lost there changes
            no score. With one more channel, its region of interest, nothing outside counts.
        shape: (h, w) in pixels of the image before it was resized, or None where it is not known.

    Returns:
        By the names of `MEASURES`: the mean and the standard deviation of the gray levels, and the
        mean size of their Laplacian, 0 to 255; width and height, if they are known.
    """
    x, roi = split_roi(x)
    if x.ndim == 3:
        x = cv2.cvtColor(np.ascontiguousarray(x), cv2.COLOR_RGB2GRAY)
    inside = None
    num_pixels = x.size
    if roi is not None:
        inside = roi.astype(np.uint8)
        num_pixels = max(int(inside.sum()), 1)
        x = x * inside
    mean, deviation = cv2.meanStdDev(x, mask=inside)
    laplacian = cv2.Laplacian(x, cv2.CV_32F)
    edges = cv2.norm(laplacian, cv2.NORM_L1, mask=inside) / num_pixels
    levels = mean.item(), deviation.item(), edges
    found = dict(zip(MEASURES, (255.0 * value for value in levels), strict=False))
    if shape is not None:
        found["height"], found["width"] = map(float, shape)
    return found


@dataclass(frozen=True)
class Likeness:
    """The ranges that images like those of the calibration are in.

    Where a measure is normally distributed, the range of twenty calibration images leaves out one
    image in seven thousand, that of five one in three hundred. Real photographs have longer tails:
    of eight sets, 0 to 3 % of the good images were outside a range of twenty.

    Attributes:
        ranges: by name of a measure, its smallest and largest value.
    """

    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, looks: Iterable[Mapping[str, float]]) -> "Likeness | None":
        """The ranges of calibration images, in the logarithms of their measures.

        Args:
            looks: what `measure` says of each; what it does not say of all makes no range.

        Returns:
            The ranges; None where there are fewer than `LEAST_IMAGES`.
        """
        looks = list(looks)
        if len(looks) < LEAST_IMAGES:
            return None
        margin, least = MARGIN + MARGIN_OF_FEW / len(looks), np.log(LEAST_FACTOR)
        ranges = {}
        for name in (name for name in MEASURES if all(name in look for look in looks)):
            values = np.log([max(look[name], MEASURES[name]) for look in looks])
            low, median, high = np.quantile(values, (TAIL, 0.5, 1.0 - TAIL))
            beyond = margin * (high - low)
            bounds = min(low - beyond, median - least), max(high + beyond, median + least)
            ranges[name] = float(np.exp(bounds[0])), float(np.exp(bounds[1]))
        return cls(ranges)

    def difference(self, look: Mapping[str, float]) -> str:
        """In what an image is outside the ranges, in words, or an empty text."""
        return "; ".join(
            f"{name} {_short(look[name])}, of calibration {_short(low)} to {_short(high)}"
            for name, (low, high) in self.ranges.items()
            if not low <= max(look[name], MEASURES[name]) <= high
        )


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"
