"""Generated stand-in for the confidential photographs of a square-shaped resin product.

What the paper tells of them (Sect. 4.1.1): the outermost white square is the product, and inside it
is the circle of the device used to take the photograph. Burrs and short shots on the square are the
defects; what happens on the device is none.
Here: a white frame with rounded corners around a gray disc. From image to image the product moves a
little on its rest, the light changes, and the disc is brighter or darker and is turned to another
angle, with specks of dust on it.
"""

import numpy as np

from awl_vae.data.generated import Grid, Product

OUTER, INNER = 0.40, 0.30
"""Half the side of the square's outer and inner edge."""
CORNER_RADIUS = 0.04
DISC_RADIUS = 0.24


class _Scene(Grid):
    """Where the square lies, what the device looks like, and how both are lit."""

    def __init__(self, image_size: tuple[int, int], rng: np.random.RandomState):
        super().__init__(image_size)
        shift_x, shift_y = rng.uniform(-0.008, 0.008, size=2)
        self.u = self.x - self.aspect / 2.0 - shift_x
        self.v = self.y - 0.5 - shift_y
        self.disc_gray = rng.uniform(0.30, 0.42)
        self.disc_angle = rng.uniform(0.0, 2.0 * np.pi)
        self.dust = [
            (*self.on_disc(rng), rng.uniform(0.008, 0.02), rng.uniform(-0.12, 0.12))
            for _ in range(rng.randint(0, 6))
        ]
        gain = rng.uniform(0.96, 1.04)
        slope_x, slope_y = rng.uniform(-0.06, 0.06, size=2)
        self.light = gain * (1.0 + slope_x * self.u + slope_y * self.v)

    def on_disc(self, rng: np.random.RandomState) -> tuple[float, float]:
        """A random place on the disc, relative to the centre."""
        radius = 0.85 * DISC_RADIUS * np.sqrt(rng.uniform())
        angle = rng.uniform(0.0, 2.0 * np.pi)
        return radius * np.cos(angle), radius * np.sin(angle)

    def on_edge(self, rng: np.random.RandomState) -> tuple[int, float]:
        """A random place on the outer edge: side (0 to 3) and place along it, from −0.3 to 0.3."""
        return rng.randint(0, 4), rng.uniform(-0.3, 0.3)

    def seen_from(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """(along, outward) coordinates of the pixels, for one of the four sides."""
        turned = ((self.u, self.v), (self.v, -self.u), (-self.u, -self.v), (-self.v, self.u))
        return turned[side]


def _rounded_square(scene: _Scene, half: float, radius: float) -> np.ndarray:
    """Signed distance, positive inside, to a square with rounded corners."""
    x, y = np.abs(scene.u) - half + radius, np.abs(scene.v) - half + radius
    outside = np.hypot(np.maximum(x, 0.0), np.maximum(y, 0.0))
    return radius - outside - np.minimum(np.maximum(x, y), 0.0)


def _paint(scene: _Scene, frame: np.ndarray) -> np.ndarray:
    """Reflectance (H, W) of the rest, the device, and the share `frame` (H, W) of the product."""
    distance = np.hypot(scene.u, scene.v)
    angle = np.arctan2(scene.v, scene.u) - scene.disc_angle
    disc = scene.soft_step(DISC_RADIUS - distance)
    rim = scene.soft_step(0.012 - np.abs(distance - 0.8 * DISC_RADIUS))
    gray = scene.disc_gray * (1.0 + 0.12 * np.cos(3.0 * angle)) + 0.1 * rim
    for x, y, radius, contrast in scene.dust:
        speck = np.exp(-((scene.u - x) ** 2 + (scene.v - y) ** 2) / radius**2)
        gray = gray + contrast * speck
    background = 0.10 + disc * (gray - 0.10)
    return background + frame * (0.86 - background)


def _frame(scene: _Scene) -> np.ndarray:
    outer = scene.soft_step(_rounded_square(scene, OUTER, CORNER_RADIUS))
    inner = scene.soft_step(_rounded_square(scene, INNER, CORNER_RADIUS / 2.0))
    return outer * (1.0 - inner)


def _burr(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A thin fin of material that sticks out of the outer edge."""
    side, place = scene.on_edge(rng)
    along, outward = scene.seen_from(side)
    half_width, length = rng.uniform(0.012, 0.035), rng.uniform(0.03, 0.07)
    slant = rng.uniform(-0.5, 0.5)
    height = outward - OUTER
    width = half_width * np.clip(1.0 - height / length, 0.0, 1.0)
    inside = np.minimum(width - np.abs(along - place - slant * height), length - height)
    fin = scene.soft_step(inside) * (height > -0.02)
    return _paint(scene, np.maximum(_frame(scene), rng.uniform(0.75, 1.0) * fin))


def _flash(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A thin film of material along a part of the outer edge, translucent."""
    side, place = scene.on_edge(rng)
    along, outward = scene.seen_from(side)
    half_length, depth = rng.uniform(0.06, 0.15), rng.uniform(0.02, 0.04)
    bulge = depth * (1.0 - ((along - place) / half_length) ** 2)
    film = scene.soft_step(bulge - (outward - OUTER)) * (outward > OUTER - 0.02)
    return _paint(scene, np.maximum(_frame(scene), rng.uniform(0.55, 0.9) * film))


def _short_shot(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Material that did not reach the outer edge: a rounded bite out of a side."""
    side, place = scene.on_edge(rng)
    along, outward = scene.seen_from(side)
    half_length, depth = rng.uniform(0.02, 0.07), rng.uniform(0.015, 0.05)
    bite = 1.0 - np.hypot((along - place) / half_length, (outward - OUTER) / depth)
    missing = scene.soft_step(bite * min(half_length, depth))
    return _paint(scene, _frame(scene) * (1.0 - missing))


def _short_corner(scene: _Scene, _: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Material that did not reach a corner: it is cut off."""
    along, outward = scene.seen_from(rng.randint(0, 4))
    cut = rng.uniform(0.02, 0.06) + CORNER_RADIUS * (2.0 - np.sqrt(2.0))
    missing = scene.soft_step((along + outward - 2.0 * OUTER + cut) / np.sqrt(2.0))
    return _paint(scene, _frame(scene) * (1.0 - missing))


SQUARE = Product(
    name="square",
    series={"train": 20330, "calibration": 20331, "adapt": 20332, "test": 20333},
    num_adapt=(1000, 1000),
    scene=_Scene,
    reflectance=lambda scene: _paint(scene, _frame(scene)),
    defects={
        "burr": _burr,
        "flash": _flash,
        "short_shot": _short_shot,
        "short_corner": _short_corner,
    },
    noise=0.008,
    min_aspect=0.9,
)
