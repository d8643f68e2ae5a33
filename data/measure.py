"""What is kept of an image that was looked at: a few numbers and a thumbnail."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.images import resize, to_gray
from awl_vae.data.layout import check_name
from awl_vae.data.reading import read_with_format

THUMBNAIL = (32, 32)
"""Height and width."""

BORDER = 20
"""The border is this part of the height and of the width, on each side."""

WHITE = 65535

WIDENED = 257
"""What makes 16 bits of 8: 255 · 257 = 65535."""

COLORS = {2: "gray", 3: "colour", 4: "colour and alpha"}


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
        digest: the same for the same gray pixels, see `digest`.
        brightness: mean level.
        contrast: standard deviation of the levels.
        border: mean level of the border.
        black, white: share of the pixels at the lowest and at the highest level of the bits.
        brightest: highest level at the size of training.
        thumbnail: uint16 array of the size `THUMBNAIL`, gray, of the image at the size of training.
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


class ImageFile:
    """An image file of a dataset, measured when it is first read.

    Args:
        path: the file.
        root: the folder.
        split: "train" or "test".
        defect: the kind of its defect, or None.
        image_size: (height, width) of training.
        mode: how images are brought to it.

    Raises:
        DataError: If its name is none that can be kept; see `check_name`.
    """

    def __init__(
        self,
        path: Path,
        root: Path,
        split: str,
        defect: str | None,
        image_size: tuple[int, int],
        mode: str,
    ):
        self.path, self.name = path, path.relative_to(root).as_posix()
        check_name(self.name, root)
        self._split, self._defect = split, defect
        self._image_size, self._mode = image_size, mode
        self._measured: Measured | None = None

    def load(self) -> np.ndarray:
        """The image at the size of training, gray (H, W), uint8 or uint16.

        Raises:
            DataError: If it cannot be read.
        """
        image, file_format = read_with_format(self.path)
        gray = to_gray(image)
        small = resize(gray, self._image_size, self._mode)
        if self._measured is None:
            self._measured = self._measure(image, gray, small, file_format)
        return small

    def measured(self) -> Measured:
        """The image as numbers; it is read for them where it was not.

        Raises:
            DataError: If it cannot be read.
        """
        if self._measured is None:
            self.load()
        assert self._measured is not None
        return self._measured

    def _measure(
        self, image: np.ndarray, gray: np.ndarray, small: np.ndarray, file_format: str
    ) -> Measured:
        most = np.iinfo(gray.dtype).max
        mean, deviation = (part.item() for part in cv2.meanStdDev(gray))
        thumbnail = resize(small, THUMBNAIL, "stretch")
        return Measured(
            name=self.name,
            split=self._split,
            defect=self._defect,
            size=gray.shape,
            bits=8 * gray.dtype.itemsize,
            colors=COLORS[2 if image.ndim == 2 else image.shape[2]],
            format=file_format,
            num_bytes=self.path.stat().st_size,
            digest=digest(image, gray),
            brightness=mean / most,
            contrast=deviation / most,
            border=_border(gray, mean) / most,
            black=1.0 - np.count_nonzero(gray) / gray.size,
            white=np.count_nonzero(gray == most) / gray.size,
            brightest=float(small.max()) / most,
            thumbnail=thumbnail if most == WHITE else thumbnail.astype(np.uint16) * WIDENED,
        )


def digest(image: np.ndarray, gray: np.ndarray) -> bytes:
    """What two images have in common whose shape and gray pixels are the same.

    8 bits widened to 16 are the same as before.
    """
    pixels, parts = gray, (image[0], image)  # the first row alone tells it of nearly all
    if image.dtype == np.uint16 and not any((part % WIDENED).any() for part in parts):
        pixels = to_gray((image // WIDENED).astype(np.uint8))
    found = hashlib.sha1(str(pixels.shape).encode(), usedforsecurity=False)
    found.update(np.ascontiguousarray(pixels).data)
    return found.digest()


def _border(gray: np.ndarray, mean: float) -> float:
    """The mean level of the border of an image (h, w) of that mean."""
    height, width = (-(-side // BORDER) for side in gray.shape)
    middle = gray[height:-height, width:-width]
    of_middle = cv2.sumElems(middle)[0] if middle.size else 0.0
    return float(round(mean * gray.size) - of_middle) / (gray.size - middle.size)
