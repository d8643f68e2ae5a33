"""What the generated datasets have in common: series, splits, light, noise and masks.

A product describes a scene; this file renders it. Lengths are in units of the image height, so
that an image looks the same at any size. The difficulty of a product, which is the ranges in its
file, was set by the conventional VAE alone and is frozen: changing any of it changes every image.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from awl_vae.data.dataset import DataError, Dataset
from awl_vae.data.made import made_dataset

MIN_VISIBLE = 0.02
"""A pixel belongs to the mask where the defect changes it by more than this, in [0, 1]."""


class Grid:
    """Coordinates of the pixels' centres, in units of the image height.

    Args:
        image_size: (height, width) in pixels.

    Attributes:
        x: (1, W), from 0 to `aspect`.
        y: (H, 1), from 0 to 1.
        aspect: width in heights.
        pixel: height of a pixel.
    """

    def __init__(self, image_size: tuple[int, int]):
        height, width = image_size
        self.x = ((np.arange(width) + 0.5) / height)[None, :]
        self.y = ((np.arange(height) + 0.5) / height)[:, None]
        self.aspect = width / height
        self.pixel = 1.0 / height

    def soft_step(self, distance: np.ndarray) -> np.ndarray:
        """Share of each pixel that lies on the positive side of an edge at a signed distance."""
        return np.clip(distance / self.pixel + 0.5, 0.0, 1.0)


class _Lit(Protocol):
    """What every scene has: its light (H, W), around 1."""

    light: np.ndarray


Scene = TypeVar("Scene", bound=_Lit)


@dataclass(frozen=True)
class Product(Generic[Scene]):
    """A generated product.

    Attributes:
        name: the dataset's name.
        series: the constant seed of each split's series of images.
        num_adapt: normal and anomalous images of the paper's evaluation set (Table 4).
        scene: (image size, rng) to what an image shows: a `Grid` with `light` (H, W), around 1.
        reflectance: scene to the normal product (H, W) in [0, 1].
        defects: by kind, (scene, reflectance, rng) to the damaged product (H, W) in [0, 1].
        noise: standard deviation of the camera's noise.
        min_aspect: least width in heights that shows every defect.
    """

    name: str
    series: Mapping[str, int]
    num_adapt: tuple[int, int]
    scene: Callable[[tuple[int, int], np.random.RandomState], Scene]
    reflectance: Callable[[Scene], np.ndarray]
    defects: Mapping[str, Callable[[Scene, np.ndarray, np.random.RandomState], np.ndarray]]
    noise: float
    min_aspect: float = 0.25

    def render(
        self, seed: int, index: int, *, image_size: tuple[int, int], defect: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Renders image `index` of the endless series `seed`, the same for ever.

        The part, its light and its noise depend on (seed, index) alone, and so do the parameters
        of a defect, so an image exists with each defect and without.

        Args:
            seed: which series, 0 to 2³² − 1.
            index: which image of it, 0 to 2³² − 1.
            image_size: (height, width) in pixels. Lengths follow the height.
            defect: a key of `defects`, or None for a normal image.

        Returns:
            image: uint8 array (H, W).
            mask: bool array (H, W), the pixels that the defect changed visibly.

        Raises:
            ValueError: If `defect` is unknown.
        """
        if defect is not None and defect not in self.defects:
            raise ValueError(
                f"Expected a defect among {', '.join(self.defects)}. Received: defect={defect!r}."
            )
        # RandomState's streams are frozen for all versions of NumPy; those of Generator are not.
        rng = np.random.RandomState([seed, index])
        scene = self.scene(image_size, rng)
        noise_seed, defect_seed = rng.randint(0, 2**31 - 1, size=2)
        normal = damaged = self.reflectance(scene)
        if defect is not None:
            damaged = self.defects[defect](scene, normal, np.random.RandomState(defect_seed))
        noise = np.random.RandomState(noise_seed).normal(0.0, self.noise, size=image_size)
        image = np.clip(damaged * scene.light + noise, 0.0, 1.0)
        mask = np.abs(damaged - normal) * scene.light > MIN_VISIBLE
        return np.rint(255.0 * image).astype(np.uint8), mask

    def dataset(
        self,
        image_size: tuple[int, int],
        *,
        num_train: int,
        protocol: str,
        num_adapt: tuple[int, int] | None = None,
    ) -> Dataset:
        """The generated images, as a dataset.

        Args:
            image_size: (height, width) in pixels.
            num_train: number of training images.
            protocol: "paper": the evaluation set of the paper's size adapts and is reported on;
                "heldout": it adapts, and a larger test set is generated besides.
            num_adapt: size of the evaluation set, normal and anomalous, or None for the paper's.

        Returns:
            Dataset whose images are rendered when they are loaded.

        Raises:
            DataError: If the images are too narrow to show every defect.
        """
        if image_size[1] < self.min_aspect * image_size[0]:
            raise DataError(
                f"Expected a width of at least {self.min_aspect} heights for {self.name}. "
                f"Received: --image_size={image_size[0]}x{image_size[1]}."
            )

        def make(split: str, index: int, defect: str | None) -> tuple[np.ndarray, np.ndarray]:
            return self.render(self.series[split], index, image_size=image_size, defect=defect)

        return made_dataset(
            make,
            list(self.defects),
            num_train=num_train,
            num_adapt=num_adapt or self.num_adapt,
            protocol=protocol,
        )
