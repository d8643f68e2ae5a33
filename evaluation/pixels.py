"""How well anomaly maps find the defect's pixels: pixel AUROC and AUPRO."""

from collections.abc import Callable, Iterable
from itertools import repeat

import cv2
import numpy as np

from awl_vae.evaluation.intervals import CONFIDENCE, Interval

FPR_LIMIT = 0.3
"""AUPRO counts false positive rates up to this, as its authors do (Bergmann et al., 2021)."""

MAX_LEVELS = 1 << 16
"""Map values are told apart in at most so many levels, equally filled; fewer values are exact."""

MAX_SAMPLE = 1 << 22

NUM_LEVELS, NUM_RESAMPLES, SEED = 1000, 1000, 2025
"""Of `pixel_intervals`."""


def pixel_metrics(
    maps: Callable[[], Iterable[np.ndarray]],
    masks: Callable[[], Iterable[np.ndarray]],
    rois: Callable[[], Iterable[np.ndarray]] | None = None,
) -> tuple[float, float]:
    """Pixel AUROC and AUPRO of anomaly maps.

    The false positive rate is over the pixels outside of all masks, in normal images too. The
    per-region overlap (PRO) is the share of a region that is found, averaged over all regions: the
    connected parts (8 neighbours) of the masks. Between levels both curves are straight.

    Args:
        maps: returns the maps, each (H, W) float32; called twice, so that they need not be kept.
        masks: returns as many masks, each (H, W) bool; empty for a normal image. Some pixel is in a
            mask, and some is not.
        rois: returns as many regions of interest, each (H, W) bool; no pixel outside counts, and
            no mask marks one.

    Returns:
        (AUROC in [0, 1], area under PRO over the rate up to `FPR_LIMIT`, divided by it, in [0, 1]).
    """
    levels = _levels(maps(), MAX_LEVELS)
    total = np.zeros((3, len(levels)))
    num_regions = 0
    insides: Iterable[np.ndarray | bool] = repeat(True) if rois is None else rois()
    marked = zip(maps(), masks(), strict=True)
    for (anomaly_map, mask), inside in zip(marked, insides, strict=False):
        counts, count = _counts(levels, anomaly_map, mask, inside)
        total += counts
        num_regions += count
    return _areas(total, num_regions)


def pixel_intervals(
    maps: Callable[[], Iterable[np.ndarray]], masks: Callable[[], Iterable[np.ndarray]]
) -> tuple[Interval, Interval]:
    """Pixel AUROC and AUPRO with their intervals over images, which are resampled (bootstrap).

    As `pixel_metrics`, but that values are told apart in `NUM_LEVELS` levels.
    """
    levels = _levels(maps(), NUM_LEVELS)
    marked = zip(maps(), masks(), strict=True)
    found = [_counts(levels, anomaly_map, mask, True) for anomaly_map, mask in marked]
    counts = np.stack([of_image for of_image, _ in found])  # (N, 3, levels)
    num_regions = np.array([number for _, number in found])
    num_images = len(counts)
    drawn = np.random.RandomState(SEED).randint(num_images, size=(NUM_RESAMPLES, num_images))
    times = np.array([np.bincount(some, minlength=num_images) for some in drawn])
    totals = (times @ counts.reshape(num_images, -1)).reshape(-1, *counts.shape[1:])
    resampled = np.array(
        [
            _areas(total, number)
            for total, number in zip(totals, times @ num_regions, strict=True)
            if number
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    bounds = np.quantile(resampled, [tail, 1 - tail], axis=0)
    means = _areas(counts.sum(axis=0), num_regions.sum())
    auc, aupro = (
        Interval(mean, float(low), float(high), (mean,))
        for mean, (low, high) in zip(means, bounds.T, strict=True)
    )
    return auc, aupro


def _counts(
    levels: np.ndarray, anomaly_map: np.ndarray, mask: np.ndarray, inside: np.ndarray | bool
) -> tuple[np.ndarray, int]:
    """By level (3, levels): normal and defect pixels and the shares of regions; how many these."""
    level = np.clip(np.searchsorted(levels, anomaly_map, side="right") - 1, 0, None)
    normal = np.bincount(level[~mask & inside], minlength=len(levels))
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    defect, overlap = np.zeros((2, len(levels)))
    for label in range(1, count):
        found = np.bincount(level[labels == label], minlength=len(levels))
        defect += found
        overlap += found / found.sum()
    return np.stack([normal, defect, overlap]), count - 1


def _areas(counts: np.ndarray, num_regions: int) -> tuple[float, float]:
    """AUROC and AUPRO of what `_counts` gives of all images."""
    normal, defect, overlap = counts
    fpr = _rates(normal, normal.sum())
    area = np.trapezoid(_rates(defect, defect.sum()), fpr)
    return float(area), _area_up_to(FPR_LIMIT, fpr, _rates(overlap, num_regions)) / FPR_LIMIT


def _levels(maps: Iterable[np.ndarray], most: int) -> np.ndarray:
    """Rising values at which levels begin: all values of the maps, or equally filled quantiles."""
    parts: list[np.ndarray] = []
    stride = 1
    for anomaly_map in maps:
        parts.append(anomaly_map.ravel()[::stride].copy())  # a view would keep the map
        if sum(map(len, parts)) > MAX_SAMPLE:
            parts, stride = [part[::2].copy() for part in parts], 2 * stride
    values = np.sort(np.concatenate(parts))
    levels = np.unique(values)
    if len(levels) > most:  # NumPy's own quantiles can take ten seconds for so many.
        positions = np.linspace(0, 1, most) * (len(values) - 1)
        levels = np.unique(values[positions.astype(int)])
    return levels


def _rates(counts: np.ndarray, total: float) -> np.ndarray:
    """By falling level, from above the highest: the share at or above it."""
    return np.concatenate([[0.0], np.cumsum(counts[::-1])]) / total


def _area_up_to(limit: float, x: np.ndarray, y: np.ndarray) -> float:
    """Area under a line through (x, y), x rising from 0, from 0 to the limit."""
    inside = x <= limit
    end = np.interp(limit, x, y)
    return float(np.trapezoid([*y[inside], end], [*x[inside], limit]))
