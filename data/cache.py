"""Decoded images on disk: decoded once, read by position, never all in memory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from awl_vae.data.dataset import DataError, Item
from awl_vae.data.images import to_float
from awl_vae.data.reading import TOGETHER
from awl_vae.system import atomic_path
from awl_vae.system.ahead import map_ahead
from awl_vae.system.rows import RowFile, write_header
from awl_vae.system.words import and_others

Depth = type[np.uint8] | type[np.uint16]
"""What the images of a file are in."""


class ImageCache:
    """A `.npy` file of images in uint8 or uint16: (N, H, W) gray or (N, H, W, 3) RGB.

    With regions of interest they have one more channel, (N, H, W, 2) or (N, H, W, 4): white inside
    and black outside, where the image itself is black, too.

    Args:
        path: the file that `build` wrote.

    Attributes:
        num_channels: 1 or 3, and one more with regions.
        has_roi: whether there are regions.
    """

    def __init__(self, path: Path):
        self._rows = RowFile(path)
        self.shape, self.dtype = self._rows.shape, self._rows.dtype
        self.num_channels = self.shape[2] if len(self.shape) == 3 else 1
        self.has_roi = self.num_channels % 2 == 0

    def __len__(self) -> int:
        return len(self._rows)

    def levels(self, position: int) -> np.ndarray:
        """One image, as it was decoded: (H, W) or (H, W, C) of uint8 or uint16."""
        return self._rows.read(np.array([position]))[0]

    def read(self, positions: np.ndarray) -> np.ndarray:
        """Images (len(positions), H, W, `num_channels`), float32 in [0, 1]."""
        images = self._rows.read(positions)
        return to_float(images if images.ndim == 4 else images[..., None])

    @staticmethod
    def build(
        path: Path,
        items: Sequence[Item],
        *,
        num_threads: int = 1,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Loads every item once, and writes the file whole.

        The images are 16 bit where at least one of them is: 8-bit ones among them are widened
        so that white stays white.

        Args:
            path: the file to write.
            items: the images, in the order of their positions.
            num_threads: how many are decoded at a time.
            progress: called after each image.

        Raises:
            DataError: If images cannot be loaded; the first is named, the others counted.
        """
        try:
            _write(path, items, np.uint8, num_threads, progress)
        except _DeeperError:
            _write(path, items, np.uint16, num_threads, progress)


class _DeeperError(Exception):
    """A 16-bit image came up after the file was begun in 8 bit."""


def _write(
    path: Path,
    items: Sequence[Item],
    dtype: Depth,
    num_threads: int,
    progress: Callable[[], None],
) -> None:
    errors: list[DataError] = []
    with atomic_path(path) as temporary, open(temporary, "wb", buffering=1 << 20) as file:
        images = map_ahead(
            _load, items, num_threads=num_threads, ahead=16 * num_threads, together=TOGETHER
        )
        for image in images:
            progress()
            if isinstance(image, DataError):
                errors.append(image)
                continue
            if image.dtype == np.uint16 and dtype == np.uint8:
                raise _DeeperError
            if file.tell() == 0:
                write_header(file, (len(items), *image.shape), dtype)
            if image.dtype != dtype:
                image = image.astype(dtype) * 257  # 255 · 257 = 65535
            file.write(image.tobytes())
        if errors:
            # A damaged copy of a broken image is no other one.
            raise DataError(and_others(list(dict.fromkeys(map(str, errors))), "file"))


def _load(item: Item) -> np.ndarray | DataError:
    try:
        if item.label and item.load_mask:
            item.load_mask()  # a broken mask is found now, and not when it is needed
        image = item.load()
        return image if item.load_roi is None else _with_roi(image, item.load_roi())
    except DataError as error:
        return error


def _with_roi(image: np.ndarray, roi: np.ndarray) -> np.ndarray:
    """(H, W) to (H, W, 2), or (H, W, 3) to (H, W, 4), see `ImageCache`."""
    white = np.full(roi.shape, np.iinfo(image.dtype).max, image.dtype)
    return np.dstack([image, white]) * roi[..., None]
