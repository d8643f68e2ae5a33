"""An image as it is shown on a page: small, with its proportions, and its defects outlined."""

import base64
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.dataset import DataError
from awl_vae.data.images import read_gray
from awl_vae.data.masks import read_mask

SIDE = 240
"""The side of a square picture; others have its area."""

HIGHEST, WIDEST = 480, 960
"""No picture is higher or wider."""

SMALL = 30
"""Pixels of a picture below which a defect is shown enlarged, too."""

AROUND = 4
"""Such a picture has so many times the defect's height and width."""

OUTLINE = (0, 149, 230)
"""Its colour, BGR."""

GAP = 4
"""Pixels between an image and its enlarged defect."""


def picture(image: Path, masks: Sequence[Path]) -> np.ndarray | None:
    """A picture of an image.

    Args:
        image: its file.
        masks: those of its defects.

    Returns:
        Array (h, w, 3) BGR uint8; on its right, the defect alone where it is small. None where the
        image cannot be read; without an outline where a mask cannot.
    """
    try:
        gray = read_gray(image)
    except DataError:
        return None
    if gray.dtype == np.uint16:
        gray = (gray >> 8).astype(np.uint8)
    try:
        marked = read_mask(masks, image) if masks else np.zeros((0, 0), bool)
    except DataError:
        marked = np.zeros((0, 0), bool)
    if not marked.any():
        return _drawn(gray, None, _size_of(gray.shape))
    marked = cv2.resize(marked.astype(np.uint8), gray.shape[::-1], interpolation=cv2.INTER_AREA)
    whole = _drawn(gray, marked, _size_of(gray.shape))
    x, y, width, height = cv2.boundingRect(marked)
    if max(height, width) * whole.shape[1] / gray.shape[1] >= SMALL:
        return whole
    side = AROUND * max(height, width, 4)
    top, left = max(0, y + (height - side) // 2), max(0, x + (width - side) // 2)
    part = np.s_[top : top + side, left : left + side]
    return _beside(whole, _drawn(gray[part], marked[part], _size_of(gray[part].shape)))


def _size_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of a picture of an image (h, w)."""
    scale = min(SIDE / math.sqrt(shape[0] * shape[1]), HIGHEST / shape[0], WIDEST / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _drawn(gray: np.ndarray, marked: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """An image (h, w) in a size, with an outline around what is marked."""
    grows = size[0] > gray.shape[0]
    way = cv2.INTER_NEAREST if grows else cv2.INTER_AREA
    drawn = cv2.cvtColor(cv2.resize(gray, size[::-1], interpolation=way), cv2.COLOR_GRAY2BGR)
    if marked is None:
        return drawn
    small = cv2.resize(marked.astype(np.float32), size[::-1], interpolation=way) > 0
    near, far = (cv2.dilate(small.astype(np.uint8), _disc(radius)) for radius in (2, 4))
    drawn[far > near] = OUTLINE
    return drawn


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _beside(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two pictures side by side on white."""
    height = max(one.shape[0], other.shape[0])
    both = np.full((height, one.shape[1] + GAP + other.shape[1], 3), 255, np.uint8)
    both[: one.shape[0], : one.shape[1]] = one
    both[: other.shape[0], one.shape[1] + GAP :] = other
    return both


def encoded(drawn: np.ndarray) -> str:
    """A picture as the source of an `img` that needs no file."""
    _, data = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
