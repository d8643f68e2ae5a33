"""A dataset made ready for a run: decoded, counted, and told from any other."""

import functools
import zlib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from awl_vae.data.cache import ImageCache
from awl_vae.data.dataset import SPLITS, DataError, Dataset, Item
from awl_vae.data.duplicates import find_duplicates
from awl_vae.data.pipeline import Inputs
from awl_vae.data.synthetic_defects import VISIBILITY, originals
from awl_vae.system import read_json, write_json

MANIFEST = {
    "crc32": int,
    "images": [{"image": str}],
    "duplicates": dict | None,
    "synthetic_defects": int | None,
}


class PreparedData:
    """The images of a dataset by their split and position.

    Args:
        dataset: all the images, in the order of the cache.
        cache: the decoded images.
        duplicates: by name of an image that is not used, the name of the same one that is.

    Attributes:
        cache: the decoded images.
        inputs: what models see of them, by the same positions; by default the images themselves.
        duplicates: see above.
        items: by split, its items.
        positions: by split, positions (N,) int64 in the cache.
        labels: by split, (N,) int64, 0 for normal and 1 for anomalous.
    """

    def __init__(self, dataset: Dataset, cache: ImageCache, duplicates: Mapping[str, str]):
        self.cache = cache
        self.inputs: Inputs = cache
        self.duplicates = duplicates
        self.items: dict[str, tuple[Item, ...]] = {}
        self.positions: dict[str, np.ndarray] = {}
        self.labels: dict[str, np.ndarray] = {}
        end = 0
        for split in SPLITS:
            all_items = getattr(dataset, split)
            used = [i for i, item in enumerate(all_items) if item.name not in duplicates]
            self.items[split] = tuple(all_items[i] for i in used)
            self.positions[split] = end + np.array(used, np.int64)
            self.labels[split] = np.array([item.label for item in self.items[split]], np.int64)
            end += len(all_items)

    @property
    def originals(self) -> np.ndarray:
        """Of each synthetic copy, the position (N,) of the calibration image that it is of."""
        positions = self.positions["calibration"]
        return positions[originals(len(positions))[: len(self.positions["synthetic"])]]

    def images(self, split: str, indices: np.ndarray) -> np.ndarray:
        """Images (N, H, W, C), C + 1 with regions, float32 in [0, 1] of a split."""
        return self.cache.read(self.positions[split][indices])

    @property
    def has_roi(self) -> bool:
        """Whether each image has a region of interest, in its last channel."""
        return self.cache.has_roi

    @functools.cached_property
    def mean_roi(self) -> np.ndarray:
        """In which share of the training images each pixel is inside, (H, W) float64 in [0, 1]."""
        total = np.zeros(self.cache.shape[:2])
        for index in range(len(self.labels["train"])):
            total += self.images("train", np.array([index]))[0, ..., -1]
        return total / len(self.labels["train"])

    def pixels(self, split: str, index: int) -> np.ndarray:
        """The values (P,) float32 in [0, 1] of the pixels of an image that count."""
        (image,) = self.images(split, np.array([index]))
        return image[image[..., -1] > 0, :-1].ravel() if self.has_roi else image.ravel()


def prepare(
    dataset: Dataset,
    *,
    cache_path: Path,
    manifest_path: Path,
    num_threads: int,
    needs_classes: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> PreparedData:
    """Decodes a dataset once, or takes up what an earlier call decoded.

    An image that stands in several splits, as files of the same pixels, is used in one of them. The
    manifest lists every image with its split and label, and the checksum of the decoded
    images. Both must be the same whenever the run goes on.

    Args:
        dataset: the dataset.
        cache_path: where the decoded images go.
        manifest_path: where the list goes.
        num_threads: how many images are decoded at a time.
        needs_classes: whether a split that has lost a class with its duplicates is an error.
        progress: called after each decoded image.

    Returns:
        The data.

    Raises:
        DataError: If an image cannot be read, the images are not those of the manifest, one is both
            normal and anomalous, or a class of a split has no image that is in no other split.
    """
    known = check_images(dataset, manifest_path) if manifest_path.exists() else None
    if known is None or not cache_path.exists() or _checksum(cache_path) != known["crc32"]:
        items = dataset.items()
        ImageCache.build(
            cache_path, [item for _, item in items], num_threads=num_threads, progress=progress
        )
        duplicates = find_duplicates(items)
        manifest: dict[str, Any] = {"crc32": _checksum(cache_path)}
        manifest["images"] = _listed(dataset, duplicates)
        if duplicates:
            manifest["duplicates"] = duplicates
        if dataset.synthetic_version > 1:
            manifest["synthetic_defects"] = dataset.synthetic_version
        if known is not None and known != manifest:
            cache_path.unlink()
            raise DataError(
                f"Expected the images that {manifest_path} was written for. "
                "Received: files of the same names with another content, or with other synthetic "
                "defects, as another version draws them. "
                "Another --run_dir takes them."
            )
        write_json(manifest_path, manifest)
        known = manifest
    data = PreparedData(dataset, ImageCache(cache_path), known.get("duplicates") or {})
    if needs_classes:
        _check_classes(dataset, data)
    return data


def _check_classes(dataset: Dataset, data: PreparedData) -> None:
    """Checks that no split has lost a class with its duplicates."""
    for split, items in data.items.items():
        for label, meaning in enumerate(("normal", "anomalous")):
            before = sum(item.label == label for item in getattr(dataset, split))
            if before and not any(item.label == label for item in items):
                raise DataError(
                    f"Expected {meaning} images in {split} that are in no other split. "
                    f"Received: none; all {before} are duplicates of others."
                )


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
    known = read_json(manifest_path, MANIFEST)
    images = _listed(dataset, known.get("duplicates") or {})
    if known["images"] != images:
        raise DataError(_difference(known["images"], images, manifest_path))
    return known


def synthetic_version(manifest_path: Path) -> int:
    """The version of the synthetic defects that the images of a manifest have.

    Raises:
        DataError: If a newer program has drawn them.
    """
    version = read_json(manifest_path, MANIFEST).get("synthetic_defects") or 1
    if version not in VISIBILITY:
        raise DataError(
            f"Expected synthetic defects of version {' or '.join(map(str, VISIBILITY))}. "
            f"Received: {version}, {manifest_path}"
        )
    return int(version)


def _listed(dataset: Dataset, left_out: Container[str]) -> list[dict[str, Any]]:
    return [
        {"image": item.name, "split": split, "label": item.label, "defect": item.defect}
        for split, item in dataset.items()
        if split != "synthetic" and item.name not in left_out  # synthetic: made of the others
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
