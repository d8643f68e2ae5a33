"""Images to arrays of one size, gray or in colours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from awl_vae.data.reading import Source, read_image

RESIZE_MODES = ("stretch", "pad", "crop")

HALF = 0.501
"""Added before gray levels are cut to whole ones: ties go up, also where they are not exact.

So whoever resizes with another order of additions, as an exported graph does, finds the same.
"""


def read_gray(source: Source) -> np.ndarray:
    """The gray image (h, w), uint8 or uint16, of what `read_image` reads."""
    return to_gray(read_image(source))


@dataclass(frozen=True)
class Placement:
    """Where an image lies in one of another size: pixel (y, x) at (y, x) · scales + offset.

    Attributes:
        size: (height, width) of the image when it is resized.
        scales: resized size over original size, vertical and horizontal.
        offset: (top, left) of the resized image in the wanted one; negative where it is cut.
    """

    size: tuple[int, int]
    scales: tuple[float, float]
    offset: tuple[int, int]

    @property
    def interpolation(self) -> int:
        """OpenCV's: averaging where pixels get fewer, so that thin defects do not fall out."""
        return cv2.INTER_AREA if max(self.scales) < 1.0 else cv2.INTER_LINEAR

    def inside(self, image_size: tuple[int, int]) -> tuple[slice, slice]:
        """The part of the wanted size that the image covers: all but the border of "pad"."""
        rows, columns = (
            slice(max(offset, 0), min(offset + size, wanted))
            for offset, size, wanted in zip(self.offset, self.size, image_size, strict=True)
        )
        return rows, columns

    @classmethod
    def of(cls, shape: tuple[int, int], image_size: tuple[int, int], mode: str) -> "Placement":
        """The placement of an image (h, w) in an image size by a resize mode; see `resize`."""
        scales = image_size[0] / shape[0], image_size[1] / shape[1]
        if mode != "stretch":
            scale = min(scales) if mode == "pad" else max(scales)
            scales = scale, scale
        size = max(1, round(shape[0] * scales[0])), max(1, round(shape[1] * scales[1]))
        offset = (image_size[0] - size[0]) // 2, (image_size[1] - size[1]) // 2
        return cls(size, (size[0] / shape[0], size[1] / shape[1]), offset)


def resize(image: np.ndarray, image_size: tuple[int, int], mode: str) -> np.ndarray:
    """Brings an image to a size.

    Args:
        image: array (h, w) or (h, w, C) of uint8 or uint16.
        image_size: (height, width) wanted.
        mode: "stretch" changes the aspect ratio; "pad" keeps it and fills up with black;
            "crop" keeps it and cuts the middle out.

    Returns:
        Array (height, width) or (height, width, C) of the same dtype.
    """
    height, width = image_size
    placement = Placement.of(image.shape[:2], image_size, mode)
    if placement.size != image.shape[:2]:
        # In floats: OpenCV's own way for 8 bits rounds the weights, too.
        resized = cv2.resize(
            image.astype(np.float32), placement.size[::-1], interpolation=placement.interpolation
        )
        image = (resized + HALF).astype(image.dtype)  # downwards, as none is negative
    top, left = placement.offset
    image = image[max(-top, 0) : max(-top, 0) + height, max(-left, 0) : max(-left, 0) + width]
    if image.shape[:2] == (height, width):
        return image
    top, left = max(top, 0), max(left, 0)
    border = [(top, height - image.shape[0] - top), (left, width - image.shape[1] - left)]
    return np.pad(image, border + [(0, 0)] * (image.ndim - 2))


def to_float(images: np.ndarray) -> np.ndarray:
    """Images of uint8 or uint16 to float32 in [0, 1].

    A true division: 8 bits widened to 16 (times 257) give the same floats, so that a deeper image
    among others does not change what they are to a network.
    """
    return images.astype(np.float32) / np.float32(np.iinfo(images.dtype).max)


def resize_back(values: np.ndarray, shape: tuple[int, int], mode: str) -> np.ndarray:
    """Brings an array of a resized image's size back to the image's own: the way back of `resize`.

    Args:
        values: float32 array (height, width).
        shape: (h, w) of the image.
        mode: how it was resized.

    Returns:
        Float32 array (h, w), linearly interpolated; 0 where "crop" had cut the image.
    """
    placement = Placement.of(shape, values.shape, mode)
    top, left = placement.offset
    inner = values[placement.inside(values.shape)]
    canvas = np.zeros(placement.size, np.float32)
    y, x = max(-top, 0), max(-left, 0)
    canvas[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_LINEAR)


def to_gray(image: np.ndarray) -> np.ndarray:
    """(H, W), or (H, W, 1), or 3 BGR, or 4 BGRA, to (H, W), uint8 or uint16 as before.

    Colour becomes gray by its luma; what is transparent is laid over black.
    """
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2])
    gray = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    if image.shape[2] == 3:
        return gray
    alpha = image[..., 3] / np.iinfo(image.dtype).max
    return np.rint(gray * alpha).astype(image.dtype)


def to_color(image: np.ndarray) -> np.ndarray:
    """The same to (H, W, 3) BGR, as it is shown."""
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:] / np.iinfo(image.dtype).max
    return np.rint(image[..., :3] * alpha).astype(image.dtype)


def to_rgb(image: np.ndarray) -> np.ndarray:
    """The same to (H, W, 3) RGB, as networks see colours."""
    return cv2.cvtColor(to_color(image), cv2.COLOR_BGR2RGB)


CHANNELS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"gray": to_gray, "rgb": to_rgb}
"""By name, what a network sees of an image that was read."""


def shown(x: np.ndarray) -> np.ndarray:
    """Images (..., H, W, C) as figures show them: (..., H, W) gray, or (..., H, W, 3) RGB.

    A channel with the region of interest is left out.
    """
    return x[..., 0] if x.shape[-1] < 3 else x[..., :3]


def split_roi(x: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """An image as a network sees it, and its region of interest, if it has one.

    Args:
        x: (H, W) gray or (H, W, 3) RGB; with a region (H, W, 2) or (H, W, 4), the last channel
            above 0 inside.

    Returns:
        (H, W) or (H, W, 3), and bool (H, W) or None.
    """
    if x.ndim == 2 or x.shape[2] == 3:
        return x, None
    image = x[..., 0] if x.shape[2] == 2 else x[..., :3]
    return image, x[..., -1] > 0
