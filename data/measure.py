"""What is kept of an image that was looked at: a few numbers and a thumbnail."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.images import CHANNELS, resize, to_gray
from awl_vae.data.layout import check_name
from awl_vae.data.reading import Decoded, decode

THUMBNAIL = (32, 32)
"""Height and width."""

BORDER = 20
"""The border is this part of the height and of the width, on each side."""

CLIPPED = 0.25
"""Share of the pixels at the lowest or highest level up to which it is nobody's concern."""

WHITE = 65535

WIDENED = 257
"""What makes 16 bits of 8: 255 · 257 = 65535."""

Moments = tuple[float, float]
"""Mean and standard deviation of levels."""

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
        black, white: share of the pixels at the lowest and at the highest level of the bits; where
            that is `CLIPPED` at most, what it is no more than.
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
    digest: str
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
        channels: a key of `CHANNELS`.

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
        channels: str = "gray",
    ):
        self.path, self.name = path, path.relative_to(root).as_posix()
        check_name(self.name, root)
        self._split, self._defect = split, defect
        self._image_size, self._mode, self._channels = image_size, mode, channels
        self._measured: Measured | None = None

    def load(self) -> np.ndarray:
        """The image at the size of training, (H, W) or (H, W, 3), uint8 or uint16.

        Raises:
            DataError: If it cannot be read.
        """
        found = decode(self.path)
        gray = to_gray(found.pixels)
        seen = gray if self._channels == "gray" else CHANNELS[self._channels](found.pixels)
        small = resize(seen, self._image_size, self._mode)
        if self._measured is None:
            self._measured = self._measure(found, gray, small)
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

    def _measure(self, found: Decoded, gray: np.ndarray, small: np.ndarray) -> Measured:
        image, most = found.pixels, np.iinfo(gray.dtype).max
        small = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        mean, deviation = _moments(gray)
        thumbnail = cv2.resize(small, THUMBNAIL[::-1], interpolation=cv2.INTER_AREA)
        return Measured(
            name=self.name,
            split=self._split,
            defect=self._defect,
            size=gray.shape,
            bits=8 * gray.dtype.itemsize,
            colors=COLORS[2 if image.ndim == 2 else image.shape[2]],
            format=found.format,
            num_bytes=found.num_bytes,
            digest=digest(image, gray, (mean, deviation)),
            brightness=mean / most,
            contrast=deviation / most,
            border=_border(gray, mean) / most,
            black=_share(gray, 0, mean, deviation),
            white=_share(gray, most, mean, deviation),
            brightest=float(small.max()) / most,
            thumbnail=thumbnail if most == WHITE else thumbnail.astype(np.uint16) * WIDENED,
        )


def digest(image: np.ndarray, gray: np.ndarray, moments: Moments | None = None) -> str:
    """What two images have in common whose shape and gray pixels are the same, and no others.

    8 bits widened to 16 are the same as before.

    Args:
        image: array (h, w) or (h, w, channels) of uint8 or uint16.
        gray: the same, gray.
        moments: its mean and standard deviation, if they are known.
    """
    parts = (image[0], image)  # the first row alone tells it of nearly all
    if image.dtype == np.uint16 and not any((part % WIDENED).any() for part in parts):
        gray, moments = to_gray((image // WIDENED).astype(np.uint8)), None
    checksum = zlib.crc32(np.ascontiguousarray(gray).data)
    return f"{gray.shape} {moments or _moments(gray)} {checksum}"


def _moments(gray: np.ndarray) -> Moments:
    mean, deviation = (part.item() for part in cv2.meanStdDev(gray))
    return mean, deviation


def _border(gray: np.ndarray, mean: float) -> float:
    """The mean level of the border of an image (h, w) of that mean."""
    height, width = (-(-side // BORDER) for side in gray.shape)
    middle = gray[height:-height, width:-width]
    of_middle = cv2.sumElems(middle)[0] if middle.size else 0.0
    return float(round(mean * gray.size) - of_middle) / (gray.size - middle.size)


def _share(gray: np.ndarray, level: int, mean: float, deviation: float) -> float:
    """The share of the pixels at the lowest or highest level; see `Measured.black`.

    Cantelli's inequality tells of most images that it is small, which saves counting.
    """
    squares = deviation**2 + (mean - level) ** 2
    bound = deviation**2 / squares if squares else 1.0
    if bound <= CLIPPED:
        return bound
    others = np.count_nonzero(gray if level == 0 else gray != level)
    return 1.0 - others / gray.size
