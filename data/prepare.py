"""A dataset made ready for a run: decoded, counted, and told from any other."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from awl_vae.data.cache import ImageCache
from awl_vae.data.dataset import SPLITS, DataError, Dataset, Item
from awl_vae.data.synthetic_defects import originals
from awl_vae.system import write_json


class PreparedData:
    """The images of a dataset by their split and position.

    Attributes:
        cache: the decoded images.
        items: by split, its items.
        positions: by split, positions (N,) int64 in the cache.
        labels: by split, (N,) int64, 0 for normal and 1 for anomalous.
    """

    def __init__(self, dataset: Dataset, cache: ImageCache):
        self.cache = cache
        self.items: dict[str, tuple[Item, ...]] = {s: getattr(dataset, s) for s in SPLITS}
        ends = np.cumsum([len(self.items[split]) for split in SPLITS])
        self.positions = {
            split: np.arange(end - len(self.items[split]), end)
            for split, end in zip(SPLITS, ends, strict=True)
        }
        self.labels = {
            split: np.array([item.label for item in self.items[split]], np.int64)
            for split in SPLITS
        }

    @property
    def originals(self) -> np.ndarray:
        """Of each synthetic copy, the position (N,) of the calibration image that it is of."""
        positions = self.positions["calibration"]
        return positions[originals(len(positions))[: len(self.positions["synthetic"])]]

    def images(self, split: str, indices: np.ndarray) -> np.ndarray:
        """Images (N, H, W, 1) float32 in [0, 1] of a split."""
        return self.cache.read(self.positions[split][indices])


def prepare(
    dataset: Dataset,
    *,
    cache_path: Path,
    manifest_path: Path,
    num_threads: int,
    progress: Callable[[], None] = lambda: None,
) -> PreparedData:
    """Decodes a dataset once, or takes up what an earlier call decoded.

    The manifest lists every image with its split and label, and the checksum of the decoded
    images. Both must be the same whenever the run goes on.

    Args:
        dataset: the dataset.
        cache_path: where the decoded images go.
        manifest_path: where the list goes.
        num_threads: how many images are decoded at a time.
        progress: called after each decoded image.

    Returns:
        The data.

    Raises:
        DataError: If an image cannot be read, or the images are not those of the manifest.
    """
    items = [item for _, item in dataset.items()]
    known = check_images(dataset, manifest_path) if manifest_path.exists() else None
    if known is None or not cache_path.exists() or _checksum(cache_path) != known["crc32"]:
        ImageCache.build(cache_path, items, num_threads=num_threads, progress=progress)
        manifest = {"crc32": _checksum(cache_path), "images": _listed(dataset)}
        if known is not None and known != manifest:
            cache_path.unlink()
            raise DataError(
                f"Expected the images that {manifest_path} was written for. "
                "Received: files of the same names with another content, or with other synthetic "
                "defects, as another version draws them. "
                "Another --run_dir takes them."
            )
        write_json(manifest_path, manifest)
    return PreparedData(dataset, ImageCache(cache_path))


def check_images(dataset: Dataset, manifest_path: Path) -> dict[str, Any]:
    """Compares the images of a dataset, by name, split and label, with those of a manifest.

    Args:
        dataset: the dataset; no image is read.
        manifest_path: the list that `prepare` wrote.

    Returns:
        The manifest.

    Raises:
        DataError: If they are others.
    """
    known = json.loads(manifest_path.read_text())
    images = _listed(dataset)
    if known["images"] != images:
        raise DataError(_difference(known["images"], images, manifest_path))
    return known


def _listed(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {"image": item.name, "split": split, "label": item.label, "defect": item.defect}
        for split, item in dataset.items()
        if split != "synthetic"  # made of the others
    ]


def _checksum(path: Path) -> int:
    checksum = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _difference(
    known: list[dict[str, Any]], images: list[dict[str, Any]], manifest_path: Path
) -> str:
    before = {image["image"] for image in known}
    now = {image["image"] for image in images}
    changed = sorted(before ^ now) or ["the same files in other splits or classes"]
    return (
        f"Expected the images that {manifest_path} was written for. Received: "
        f"{len(now - before)} more and {len(before - now)} missing (first: {changed[0]}). "
        "Another --run_dir takes them."
    )
