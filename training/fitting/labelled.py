"""What a detector makes of the labelled images of a folder, beside its rivals on the same images.

Nothing is chosen by it.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import tensorflow as tf

from awl_vae.data.images import to_float
from awl_vae.detection.false_alarms import FalseAlarms, counted
from awl_vae.evaluation import (
    FeatureScorer,
    Interval,
    TiledScorer,
    auroc,
    auroc_interval,
    pixel_intervals,
)
from awl_vae.models.linear import pca
from awl_vae.training.fitting.explaining import BATCH_SIZE, batches
from awl_vae.training.fitting.recipes import RECIPES
from awl_vae.training.fitting.work import Work

PIXELS = 64
"""The shorter side of the images that PCA sees."""

MOST_COMPONENTS, MOST_IMAGES = 100, 4000
"""Of PCA on pixels; components are at most a quarter of the images."""

CHANGED = 0.6
"""AUROC of good test images against those held out from which on they are said to have changed."""

CHANCE = 0.01
"""More probable than this by chance (rank test of Mann and Whitney), they only may have."""


Arrays = Callable[[], Iterator[np.ndarray]]
"""Gives arrays (H, W), one after the other, each time."""


@dataclass(frozen=True)
class Rated:
    """How a method does on labelled images.

    Attributes:
        title: the method.
        auroc: over images.
        pixels: AUROC and AUPRO of pixels, where there are masks.
    """

    title: str
    auroc: Interval
    pixels: tuple[Interval, Interval] | None


@dataclass(frozen=True)
class Changed:
    """Good test images score higher than those that were held out.

    Attributes:
        auroc: of the one against the other.
        chance: how probable that is, or more, where they are alike.
    """

    auroc: float
    chance: float

    def __str__(self) -> str:
        have, so = "have changed", "so"
        if self.chance >= CHANCE:
            have, so = "may have changed", "which may be chance; if it is not,"
        return (
            f"good images {have}: those in test score higher than those that were held out (AUROC "
            f"{self.auroc:.2f} of the one against the other), {so} more false alarms are to be "
            "expected than the threshold promises"
        )


@dataclass(frozen=True)
class Labelled:
    """What came of the labelled images.

    Attributes:
        labels: (N,), 0 for normal and 1 for anomalous.
        scores: (N,), the detector's.
        rated: the detector, then its rivals; none where a class is missing.
        alarms: of good images, how many are called anomalous; None where there are none.
        found: the same of anomalous ones.
        changed: what is said where good test images score higher than those held out.
    """

    labels: np.ndarray
    scores: np.ndarray
    rated: tuple[Rated, ...]
    alarms: FalseAlarms | None
    found: FalseAlarms | None
    changed: Changed | None


def rate_labelled(
    work: Work, scorer: FeatureScorer | TiledScorer, held_out_scores: np.ndarray, threshold: float
) -> Labelled | None:
    """Rates a detector, and its rivals; None where there are no labelled images.

    Args:
        work: the images.
        scorer: the detector's.
        held_out_scores: scores (M,) of good images that were held out.
        threshold: the detector's.
    """
    labels = work.data.labels["test"]
    if not len(labels):
        return None
    methods: dict[str, Callable[[], Maps | PixelMaps]] = {
        "this detector": lambda: ours,
        "PatchCore": lambda: Maps(work, work.fitted(RECIPES["patchcore"])),
        "PaDiM": lambda: Maps(work, work.fitted(RECIPES["padim"])),
        "PCA on pixels": lambda: PixelMaps(work),
    }
    rated = []
    with work.progress(len(methods)) as bar:
        bar.show("inspecting labelled images")
        ours = Maps(work, scorer)
        if len(np.unique(labels)) == 2:
            for title, make in methods.items():
                bar.show(f"labelled images: {title}")
                rated.append(_rate(work, title, make()))
                bar.advance(1, f"labelled images: {title}")
    goods, anomalous = (ours.scores[labels == label] for label in (0, 1))
    return Labelled(
        labels,
        ours.scores,
        tuple(rated),
        counted(goods, threshold) if len(goods) else None,
        counted(anomalous, threshold) if len(anomalous) else None,
        changed(goods, held_out_scores) if len(goods) else None,
    )


def changed(goods: np.ndarray, held_out: np.ndarray) -> Changed | None:
    """Whether good test images score higher than those that were held out, (N,) and (M,)."""
    from scipy.stats import mannwhitneyu  # takes long to import

    labels = np.repeat([0, 1], [len(held_out), len(goods)])
    area = auroc(labels, np.concatenate([held_out, goods]))
    chance = mannwhitneyu(goods, held_out, alternative="greater").pvalue
    return Changed(area, float(chance)) if area >= CHANGED else None


class Maps:
    """Scores and maps of the labelled images by a scorer of features."""

    def __init__(self, work: Work, scorer: FeatureScorer | TiledScorer):
        self._work, self._scorer = work, scorer
        count = len(work.data.labels["test"])
        self._batches = batches(np.arange(count), min(BATCH_SIZE, scorer.batch_size))
        self.scores = np.concatenate([self._run(batch)[0].numpy() for batch in self._batches])

    def _run(self, batch: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        features = self._work.features(batch, "test")
        scores, maps = self._scorer.score_and_map_of_features(tf.constant(features))
        return scores, maps

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self._batches:
            yield from self._run(batch)[1].numpy()


class PixelMaps:
    """The same by PCA on gray pixels: what the components leave, squared."""

    def __init__(self, work: Work):
        self._work = work
        count = len(work.items)
        chosen = np.linspace(0, count - 1, min(count, MOST_IMAGES)).astype(int)
        x = np.stack([self._small(index, "train") for index in chosen])
        self._mean = x.mean(axis=0)
        most = min(MOST_COMPONENTS, count // 4)
        self._components = pca(x, most, work.seed) if most else x[:0]
        self.scores = np.array([self._squares(i).mean() for i in self._indices])

    @property
    def _indices(self) -> range:
        return range(len(self._work.data.labels["test"]))

    def _small(self, index: int, split: str) -> np.ndarray:
        gray = cv2.cvtColor(to_float(self._work.levels(index, split)), cv2.COLOR_RGB2GRAY)
        scale = PIXELS / min(gray.shape)
        size = tuple(round(side * scale) for side in gray.shape)
        self._size = size
        return cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA).ravel()

    def _squares(self, index: int) -> np.ndarray:
        x = self._small(index, "test") - self._mean
        return np.square(x - (x @ self._components.T) @ self._components).reshape(self._size)

    def __iter__(self) -> Iterator[np.ndarray]:
        size = self._work.folder.image_size[::-1]
        for index in self._indices:
            yield cv2.resize(self._squares(index), size, interpolation=cv2.INTER_LINEAR)


def _rate(work: Work, title: str, maps: Maps | PixelMaps) -> Rated:
    marked = with_masks(work, maps)
    pixels = None if marked is None else pixel_intervals(*marked)
    return Rated(title, auroc_interval(work.data.labels["test"], [maps.scores]), pixels)


def with_masks(work: Work, maps: Maps | PixelMaps) -> tuple[Arrays, Arrays] | None:
    """The maps of labelled images and the masks of their defects, as `pixel_metrics` takes them.

    Anomalous images without a mask are left out; None where no defect is marked.
    """
    items, empty = work.data.items["test"], np.zeros(work.folder.image_size, bool)

    def masks() -> Iterator[np.ndarray]:
        return (item.load_mask() if item.label and item.load_mask else empty for item in items)

    marked = [bool(mask.any()) for mask in masks()]
    if not any(marked):
        return None
    used = [is_marked or not item.label for is_marked, item in zip(marked, items, strict=True)]
    return lambda: itertools.compress(maps, used), lambda: itertools.compress(masks(), used)
