"""The region of interest: the part of an image that counts."""

import functools
from collections.abc import Iterable
from pathlib import Path, PurePath

import numpy as np

from awl_vae.data.dataset import DataError
from awl_vae.data.images import resize
from awl_vae.data.masks import (
    check_aspect_ratio,
    files_below,
    marked_in,
    read_marked,
    spelled,
    without_ending,
)
from awl_vae.data.reading import SUFFIXES, Source, image_size, is_path
from awl_vae.data.remote import RemoteFile

Key = tuple[str, ...]
"""The last directories and the stem of an image or a mask, in one spelling."""


class RegionsOfInterest:
    """The masks of regions of interest, by image.

    Args:
        source: a mask, for all images; or a directory of masks, each for the image whose path ends
            in the mask's own below the directory: `<stem>.png`, `<kind>/<stem>.png` and so on, also
            with `_mask` after the stem, with any suffix of an image, in either case.
        image_size: (height, width) that images are brought to.
        mode: how they are: "stretch", "pad" or "crop".

    Raises:
        DataError: If there is no such file or directory, or two masks of one name.
    """

    def __init__(self, source: Path, image_size: tuple[int, int], mode: str):
        if not source.exists():
            raise DataError(
                "Expected an image or a directory as --roi_mask. "
                f"Received: --roi_mask={source}, which is none"
            )
        self.source = source
        self._image_size, self._mode = image_size, mode
        self._image_of: dict[Path, PurePath | RemoteFile] = {}
        self._masks = _index(source) if source.is_dir() else None
        # A mask is of many images, or of one that is loaded again for its synthetic copies.
        self._read = functools.lru_cache(maxsize=32)(self._read_anew)

    def mask_of(self, image: PurePath | RemoteFile) -> Path | None:
        """The mask of an image, by its path, below a directory or in full; None without one.

        Raises:
            DataError: If the mask is that of another image.
        """
        if self._masks is None:
            return self.source
        key = _key(PurePath(str(image)))
        keys = (key[start:] for start in range(len(key)))
        mask = next((self._masks[found] for found in keys if found in self._masks), None)
        if mask is not None and (other := self._image_of.setdefault(mask, image)) != image:
            raise DataError(
                f"Expected one image for the mask {mask}. Received: {other} and {image}"
            )
        return mask

    def load(self, mask: Path | None, image: Path) -> np.ndarray:
        """The region of an image at the size that it is brought to, bool array (H, W).

        Args:
            mask: what `mask_of` gave; without one all is inside.
            image: the file of the image.

        Raises:
            DataError: See `bring_to_size`; or if the mask cannot be read.
        """
        if mask is None:
            return np.ones(self._image_size, bool)
        marked, roi = self._read(mask)
        check_aspect_ratio(marked, image_size(image), f"{mask}, for {image}")
        return roi

    def _read_anew(self, mask: Path) -> tuple[np.ndarray, np.ndarray]:
        marked = read_marked(mask)
        return marked, bring_to_size(marked, self._image_size, self._mode, mask)

    def note(self, images: Iterable[PurePath | RemoteFile]) -> str:
        """What is said of the masks before they are used, or an empty text.

        Raises:
            DataError: See `mask_of`.
        """
        if self._masks is None:
            _, roi = self._read(self.source)
            text = f"All of an image is inside the region of interest: {self.source}."
            return text if roi.all() else ""
        num_images, num_masks, first = 0, 0, ""
        for image in images:
            num_images += 1
            if self.mask_of(image) is None:
                first = first or str(image)
            else:
                num_masks += 1
        text = f"Regions of interest of {num_masks} of {num_images} images."
        return text + (f" First without: {first}." if first else "")


def read_roi(
    mask: Source | np.ndarray, shape: tuple[int, int], image_size: tuple[int, int], mode: str
) -> np.ndarray:
    """The region of one image at the size that it is brought to.

    Args:
        mask: its path, the bytes of a file, or an array as `read_image` returns it.
        shape: (h, w) of the image.
        image_size: (H, W) that the image is brought to.
        mode: how it is: "stretch", "pad" or "crop".

    Returns:
        Bool array (H, W), True inside.

    Raises:
        DataError: See `bring_to_size`; or if the mask cannot be read.
    """
    name = mask if is_path(mask) else "a mask"
    marked = marked_in(mask) if isinstance(mask, np.ndarray) else read_marked(mask)
    check_aspect_ratio(marked, shape, name)
    return bring_to_size(marked, image_size, mode, name)


def bring_to_size(
    marked: np.ndarray, image_size: tuple[int, int], mode: str, name: object
) -> np.ndarray:
    """A region (h, w) at the size that its image is brought to, bool array (H, W).

    A pixel is inside if all that it is made of is: so nothing outside has a part in it.

    Raises:
        DataError: If nothing is inside.
    """
    white = 65535
    roi = resize(np.uint16(white) * marked, image_size, mode) == white
    if not roi.any():
        raise DataError(
            "Expected a mask with a pixel inside at the size "
            f"{image_size[0]}x{image_size[1]} (height x width). Received: none, {name}"
        )
    return roi


def _index(directory: Path) -> dict[Key, Path]:
    """The masks below a directory."""
    masks: dict[Key, Path] = {}
    for file in files_below(directory):
        if file.suffix.lower() not in SUFFIXES:
            continue
        key = _key(file.relative_to(directory))
        if key in masks:
            raise DataError(f"Expected one mask of a name. Received: {masks[key]} and {file}")
        masks[key] = file
    if not masks:
        raise DataError(f"Expected masks in --roi_mask. Received: none in {directory}")
    return masks


def _key(name: PurePath) -> Key:
    *directories, stem = map(spelled, name.with_suffix("").parts)
    return (*directories, without_ending(stem))
