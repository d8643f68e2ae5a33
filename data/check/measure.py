"""What is kept of an image that was looked at: a few numbers and a thumbnail."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.dataset import DataError
from awl_vae.data.duplicates import digest
from awl_vae.data.images import resize, to_gray
from awl_vae.data.layout import check_name
from awl_vae.data.reading import read_with_format

THUMBNAIL = (32, 32)
"""Height and width."""

BORDER = 20
"""The border is this part of the height and of the width, on each side."""

COLORS = {2: "gray", 3: "colour", 4: "colour and alpha"}


@dataclass(frozen=True)
class Unreadable:
    """An image that cannot be used.

    Attributes:
        name: its path below the folder.
        reason: why, in a line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Measured:
    """An image as numbers. Levels are shares of the range of its bits, in [0, 1].

    Attributes:
        name: its path below the folder.
        split: "train" or "test".
        defect: the kind of its defect, or None.
        size: (height, width) as it is to be seen.
        bits: 8 or 16 a channel.
        colors: a value of `COLORS`.
        format: Pillow's name.
        num_bytes: the size of its file.
        digest: the same for the same gray pixels.
        brightness: mean level.
        contrast: standard deviation of the levels.
        border: mean level of the border.
        black, white: share of the pixels at the lowest and at the highest level of the bits.
        brightest: highest level at the size of training.
        thumbnail: uint16 array of the size `THUMBNAIL`, gray.
    """

    name: str
    split: str
    defect: str | None
    size: tuple[int, int]
    bits: int
    colors: str
    format: str
    num_bytes: int
    digest: bytes
    brightness: float
    contrast: float
    border: float
    black: float
    white: float
    brightest: float
    thumbnail: np.ndarray

    @property
    def label(self) -> int:
        """0 for normal and 1 for anomalous."""
        return int(self.defect is not None)


def measure(
    path: Path, root: Path, split: str, defect: str | None, image_size: tuple[int, int], mode: str
) -> Measured | Unreadable:
    """Reads and measures an image.

    Args:
        path: its file.
        root: the folder.
        split: "train" or "test".
        defect: the kind of its defect, or None.
        image_size: (height, width) of training.
        mode: how images are brought to it.
    """
    name = path.relative_to(root).as_posix()
    try:
        check_name(name, root)
        image, file_format = read_with_format(path)
    except DataError as error:
        return Unreadable(name, str(error))
    gray = to_gray(image)
    most = np.iinfo(gray.dtype).max
    (mean,), (deviation,) = (part.ravel() for part in cv2.meanStdDev(gray))
    deep = gray if gray.dtype == np.uint16 else gray.astype(np.uint16) * 257  # 255 · 257 = 65535
    return Measured(
        name=name,
        split=split,
        defect=defect,
        size=gray.shape,
        bits=8 * gray.dtype.itemsize,
        colors=COLORS[2 if image.ndim == 2 else image.shape[2]],
        format=file_format,
        num_bytes=path.stat().st_size,
        digest=digest(gray),
        brightness=float(mean) / most,
        contrast=float(deviation) / most,
        border=_border(gray) / most,
        black=1.0 - np.count_nonzero(gray) / gray.size,
        white=np.count_nonzero(gray == most) / gray.size,
        brightest=float(resize(gray, image_size, mode).max()) / most,
        thumbnail=resize(deep, THUMBNAIL, "stretch"),
    )


def _border(gray: np.ndarray) -> float:
    """The mean level of the border of an image (h, w)."""
    height, width = (-(-side // BORDER) for side in gray.shape)
    middle = gray[height:-height, width:-width]
    num_pixels = gray.size - middle.size
    return float((gray.sum(dtype=np.int64) - middle.sum(dtype=np.int64)) / num_pixels)
