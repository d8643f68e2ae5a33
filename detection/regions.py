"""Anomalous regions: where an anomaly map is above what normal images reach."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from awl_vae.data.images import Placement

MAX_REGIONS = 10


@dataclass(frozen=True)
class Region:
    """A connected region of an image, in pixels of the original image.

    Attributes:
        x, y: left and top of its bounding box.
        width, height: of its bounding box.
        area: its pixels (not those of the box), to the nearest whole number.
        peak: the largest value of the anomaly map in it.
    """

    x: int
    y: int
    width: int
    height: int
    area: int
    peak: float


def find_regions(
    anomaly_map: np.ndarray, threshold: float, shape: tuple[int, int], mode: str
) -> list[Region]:
    """The largest regions at or above a threshold, by area.

    Args:
        anomaly_map: (H, W) float32.
        threshold: of the map's values.
        shape: (h, w) of the original image.
        mode: how it was brought to (H, W): "stretch", "pad" or "crop".

    Returns:
        At most `MAX_REGIONS` regions, the largest first.
    """
    placement = Placement.of(shape, anomaly_map.shape, mode)
    mask = np.zeros(anomaly_map.shape, np.uint8)
    inside = placement.inside(anomaly_map.shape)
    mask[inside] = anomaly_map[inside] >= threshold
    if not mask.any():
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    largest = 1 + np.argsort(-stats[1:count, cv2.CC_STAT_AREA], kind="stable")[:MAX_REGIONS]
    regions = []
    for label in largest:
        left, top, width, height, _ = stats[label]
        box = slice(top, top + height), slice(left, left + width)
        peak = float(anomaly_map[box][labels[box] == label].max())
        regions.append(_region(stats[label], peak, placement, shape))
    return regions


def _region(stats: np.ndarray, peak: float, placement: Placement, shape: tuple[int, int]) -> Region:
    """The region of one row of OpenCV's statistics, in pixels of the original image."""
    left, top, width, height, area = stats
    (scale_y, scale_x), (offset_y, offset_x) = placement.scales, placement.offset
    x0, x1 = ((edge - offset_x) / scale_x for edge in (left, left + width))
    y0, y1 = ((edge - offset_y) / scale_y for edge in (top, top + height))
    x0, y0 = max(math.floor(x0), 0), max(math.floor(y0), 0)
    x1, y1 = min(math.ceil(x1), shape[1]), min(math.ceil(y1), shape[0])
    return Region(x0, y0, x1 - x0, y1 - y0, round(area / (scale_x * scale_y)), peak)
