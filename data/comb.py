"""Generated stand-in for the confidential photographs of a comb-shaped resin product.

What the paper tells of them (Sect. 4.1.1): a comb-shaped part; its 1,352 training images are each
repeated 8 times in an epoch.
Here: a bright comb with its back up and its teeth down, before a dark background. From image to
image it moves a little, its teeth differ a little in length, and the light changes. The defects
are missing, bent, merged and flashed teeth.
"""

from collections.abc import Sequence

import numpy as np

from awl_vae.data.generated import Grid, Product

NUM_TEETH = 9
PITCH = 0.095
"""Distance from tooth to tooth."""
HALF_WIDTH = 0.026
BACK_TOP, BACK_BOTTOM, TIP = 0.16, 0.34, 0.82
"""Heights of the comb's edges, from the top of the image."""


class _Scene(Grid):
    """Where the comb lies, how long its teeth are, and how it is lit."""

    def __init__(self, image_size: tuple[int, int], rng: np.random.RandomState):
        super().__init__(image_size)
        shift_x, shift_y = rng.uniform(-0.004, 0.004, size=2)
        self.u = self.x - self.aspect / 2.0 - shift_x
        self.v = self.y - shift_y
        self.tips = TIP + rng.uniform(-0.006, 0.006, size=NUM_TEETH)
        gain = rng.uniform(0.96, 1.04)
        slope_x, slope_y = rng.uniform(-0.06, 0.06, size=2)
        self.light = gain * (1.0 + slope_x * self.u + slope_y * (self.v - 0.5))
        for _ in range(rng.randint(0, 2)):
            x, y = rng.uniform(-0.4, 0.4), rng.uniform(BACK_TOP, TIP)
            radius, strength = rng.uniform(0.05, 0.15), rng.uniform(0.03, 0.12)
            spot = np.exp(-((self.u - x) ** 2 + (self.v - y) ** 2) / radius**2)
            self.light = self.light + strength * spot

    def centre(self, tooth: int) -> float:
        """Place of a tooth along the horizontal, relative to the middle."""
        return (tooth - (NUM_TEETH - 1) / 2.0) * PITCH

    def tooth(self, tooth: int, *, bend: float = 0.0) -> np.ndarray:
        """Share (H, W) of each pixel that a tooth covers; `bend` is how far its tip is aside."""
        tip = self.tips[tooth]
        down = np.clip((self.v - BACK_BOTTOM) / (tip - BACK_BOTTOM), 0.0, 1.0)
        aside = np.abs(self.u - self.centre(tooth) - bend * down * down)
        length = np.minimum(tip - self.v, self.v - BACK_BOTTOM + 0.02)
        return self.soft_step(HALF_WIDTH - aside) * self.soft_step(length)


def _paint(
    scene: _Scene, teeth: Sequence[np.ndarray], extra: np.ndarray | float = 0.0
) -> np.ndarray:
    """Reflectance (H, W) of the comb with these teeth, and of `extra` material (H, W), a share."""
    half_back = (NUM_TEETH * PITCH) / 2.0
    back = scene.soft_step(half_back - np.abs(scene.u)) * scene.soft_step(
        np.minimum(scene.v - BACK_TOP, BACK_BOTTOM - scene.v)
    )
    covered = np.maximum.reduce([back, np.broadcast_to(extra, back.shape), *teeth])
    surface = 0.62 + 0.12 * np.cos(8.0 * np.pi * (scene.v - BACK_TOP)) * back
    return 0.08 + covered * (surface - 0.08)


def _teeth(scene: _Scene) -> list[np.ndarray]:
    return [scene.tooth(tooth) for tooth in range(NUM_TEETH)]


def _missing(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A tooth that is broken off, wholly or in part."""
    teeth = _teeth(scene)
    tooth = rng.randint(0, NUM_TEETH)
    left = BACK_BOTTOM + rng.uniform(0.0, 0.75) * (TIP - BACK_BOTTOM)
    teeth[tooth] = teeth[tooth] * scene.soft_step(left - scene.v)
    return _paint(scene, teeth)


def _bent(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A tooth whose tip points aside."""
    teeth = _teeth(scene)
    tooth = rng.randint(0, NUM_TEETH)
    bend = rng.choice([-1.0, 1.0]) * rng.uniform(0.025, 0.05)
    teeth[tooth] = scene.tooth(tooth, bend=bend)
    return _paint(scene, teeth)


def _merged(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Two neighbouring teeth with material between them, from the back down."""
    between, down = _gap(scene, rng)
    depth = rng.uniform(0.08, 0.35)
    bridge = np.minimum(between, np.minimum(depth - down, down + 0.02))
    return _paint(scene, _teeth(scene), scene.soft_step(bridge))


def _flashed(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A thin translucent film between two teeth, somewhere along them."""
    between, down = _gap(scene, rng)
    start = rng.uniform(0.1, 0.3)
    length = rng.uniform(0.1, 0.25)
    film = scene.soft_step(np.minimum(between, length / 2.0 - np.abs(down - start - length / 2.0)))
    return _paint(scene, _teeth(scene), rng.uniform(0.5, 0.85) * film)


def _gap(scene: _Scene, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance into a random gap between two teeth, and how far down from the back."""
    left = scene.centre(rng.randint(0, NUM_TEETH - 1))
    return PITCH / 2.0 - np.abs(scene.u - left - PITCH / 2.0), scene.v - BACK_BOTTOM


COMB = Product(
    name="comb",
    series={"train": 20430, "calibration": 20431, "adapt": 20432, "test": 20433},
    num_adapt=(72, 100),
    scene=_Scene,
    reflectance=lambda scene: _paint(scene, _teeth(scene)),
    defects={"missing": _missing, "bent": _bent, "merged": _merged, "flashed": _flashed},
    noise=0.012,
    min_aspect=0.95,
)
