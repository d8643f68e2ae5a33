"""Textures: square cuts of the photographs in scikit-image, with defects made on some of them.

The photographs (512 × 512, 8-bit gray) lie in the package, without a download. Every split has a
part of its photograph to itself, so no pixel that is trained on is looked at again:

    left 288 columns                train
    right 224 columns, from the top calibration (96 rows), adapt (160 rows), test (256 rows)

A cut has 64 pixels of the photograph from top to bottom, anywhere in the part, and may be mirrored.
The defects are of the same families as some of `data.synthetic_defects`, but made by other means:
what the one tells of the other is weak evidence for what it tells of real defects.
"""

import functools
import importlib.resources
import importlib.util
from dataclasses import dataclass

import cv2
import numpy as np

from awl_vae.data.dataset import DataError, Dataset
from awl_vae.data.images import HALF, read_gray, resize
from awl_vae.data.made import made_dataset
from awl_vae.system.errors import install_hint

CUT = 64
PARTS = {
    "train": (slice(0, 512), slice(0, 288)),
    "calibration": (slice(0, 96), slice(288, 512)),
    "adapt": (slice(96, 256), slice(288, 512)),
    "test": (slice(256, 512), slice(288, 512)),
}
"""Of each split, its rows and columns of the photograph."""

SERIES = {"train": 20290, "calibration": 20291, "adapt": 20292, "test": 20293}
NUM_ADAPT = (100, 100)
LEAST_CHANGE = 0.02
"""A pixel belongs to the mask where the defect changes it by more than this, in [0, 1]."""

LEAST_PIXELS = 10
"""Of a defect; one that changes fewer is drawn anew."""


@dataclass(frozen=True)
class Texture:
    """A photograph of a texture, cut into images.

    Attributes:
        name: the dataset's name and the photograph's.
        foreign: another photograph, a piece of which is one of the defects.
    """

    name: str
    foreign: str

    def dataset(
        self,
        image_size: tuple[int, int],
        *,
        num_train: int,
        protocol: str,
        num_adapt: tuple[int, int] | None = None,
    ) -> Dataset:
        """The cuts, as a dataset; see `Product.dataset`.

        Raises:
            DataError: If scikit-image is not installed, or a cut of this shape does not fit.
        """
        shape = CUT, round(CUT * image_size[1] / image_size[0])
        if not 1 <= shape[1] <= 224:
            raise DataError(
                "Expected a width of at most 3.5 heights for textures. "
                f"Received: --image_size={image_size[0]}x{image_size[1]}."
            )
        photographs = _photograph(self.name), _photograph(self.foreign)
        return made_dataset(
            functools.partial(_render, photographs, shape, image_size),
            list(DEFECTS),
            num_train=num_train,
            num_adapt=num_adapt or NUM_ADAPT,
            protocol=protocol,
        )


@functools.cache
def _photograph(name: str) -> np.ndarray:
    if importlib.util.find_spec("skimage") is None:
        hint = install_hint("textures")
        raise DataError(f"Expected the package scikit-image. Received: none; {hint}")
    return read_gray(importlib.resources.files("skimage") / "data" / f"{name}.png")


def _render(
    photographs: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, int],
    image_size: tuple[int, int],
    split: str,
    index: int,
    defect: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W) uint8 and its mask, of the photograph and the one that is foreign to it."""
    photograph, foreign = photographs
    rng = np.random.RandomState([SERIES[split], index])
    normal = _cut(photograph[PARTS[split]], shape, rng) / 255.0
    piece = _cut(foreign, shape, rng) / 255.0
    damaged, mask = normal, np.zeros(normal.shape, bool)
    while defect is not None and mask.sum() < LEAST_PIXELS:
        damaged = np.clip(DEFECTS[defect](normal, piece, rng), 0.0, 1.0)
        mask = np.abs(damaged - normal) > LEAST_CHANGE
    image = np.floor(255.0 * damaged + HALF).astype(np.uint8)
    resized_mask = resize(mask.astype(np.uint8), image_size, "stretch") > 0
    return resize(image, image_size, "stretch"), resized_mask


def _cut(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
    top, left = (
        rng.randint(0, length - size + 1)
        for length, size in zip(photograph.shape, shape, strict=True)
    )
    cut = photograph[top : top + shape[0], left : left + shape[1]]
    return cut[:, ::-1] if rng.randint(2) else cut


def _distance(image: np.ndarray, rng: np.random.RandomState, low: float, high: float) -> np.ndarray:
    """Distance from a point, in radii of 1 drawn between two shares of the height."""
    height, width = image.shape
    rows, columns = np.mgrid[0:height, 0:width]
    y, x = rng.uniform(0.15, 0.85, size=2) * (height, width)
    return np.hypot(rows - y, columns - x) / (height * rng.uniform(low, high))


def _foreign(image: np.ndarray, piece: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A disc of another texture."""
    return np.where(_distance(image, rng, 0.08, 0.2) < 1.0, piece, image)


def _stain(image: np.ndarray, piece: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A round place that is darker, most in its middle."""
    weight = np.exp(-(_distance(image, rng, 0.08, 0.2) ** 2))
    return image * (1.0 - rng.uniform(0.3, 0.6) * weight)


def _blur(image: np.ndarray, piece: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A disc without detail."""
    inside = _distance(image, rng, 0.12, 0.25) < 1.0
    return np.where(inside, cv2.GaussianBlur(image, (0, 0), rng.uniform(2.0, 4.0)), image)


def _scratch(image: np.ndarray, piece: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A straight bright line across."""
    height, width = image.shape
    rows, columns = np.mgrid[0:height, 0:width]
    angle, offset = rng.uniform(0.0, np.pi), rng.uniform(-0.25, 0.25) * height
    across = (columns - width / 2) * np.sin(angle) - (rows - height / 2) * np.cos(angle)
    along = (columns - width / 2) * np.cos(angle) + (rows - height / 2) * np.sin(angle)
    line = (np.abs(across - offset) < 0.75) & (np.abs(along) < height * rng.uniform(0.15, 0.35))
    return np.where(line, image + rng.uniform(0.25, 0.5), image)


DEFECTS = {"foreign": _foreign, "stain": _stain, "blur": _blur, "scratch": _scratch}
"""By kind, (image, piece of the other texture, rng) in [0, 1] to the damaged image."""

BRICK = Texture("brick", foreign="gravel")
GRAVEL = Texture("gravel", foreign="grass")
