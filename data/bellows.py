"""Generated stand-in for the confidential photographs of bellows.

What the paper tells of them (Sect. 4.1.1): 8-bit gray images of a part with a regular jagged
structure along the horizontal, with noise that is no defect and comes from the light exposure.
Here: a corrugated tube from the side, lit from above, in front of a dark background. The light
changes from image to image in its gain, in its gradient and in a few soft highlights, which are
no defects.
"""

import numpy as np

from awl_vae.data.generated import Grid, Product

RIDGES_PER_HEIGHT = 7.0
TUBE_RADIUS = 0.33
RIDGE_DEPTH = 0.045


class _Scene(Grid):
    """Where the tube lies, and how it is lit."""

    def __init__(self, image_size: tuple[int, int], rng: np.random.RandomState):
        super().__init__(image_size)
        self.phase = rng.uniform(-0.08, 0.08)
        self.centre = 0.5 + rng.uniform(-0.01, 0.01)
        self.light = _light(self, rng)

    def turns(self) -> np.ndarray:
        """Place along the horizontal, counted in ridges; a valley lies at every half."""
        return self.x * RIDGES_PER_HEIGHT + self.phase

    def ridges(self) -> np.ndarray:
        """Height of the jagged profile along the horizontal, in [0, 1]: a rounded zigzag."""
        turns = self.turns()
        zigzag = np.abs(2.0 * (turns - np.floor(turns)) - 1.0)
        return zigzag * zigzag * (3.0 - 2.0 * zigzag)

    def point_on_tube(self, rng: np.random.RandomState, margin: float = 0.1) -> tuple[float, float]:
        x = rng.uniform(margin, self.aspect - margin)
        y = self.centre + TUBE_RADIUS * rng.uniform(-0.65, 0.65)
        return x, y


def _tube(scene: _Scene, ridges: np.ndarray) -> np.ndarray:
    """Reflectance (H, W) in [0, 1] of the tube before a dark background."""
    radius = TUBE_RADIUS + RIDGE_DEPTH * (ridges - 0.5)
    across = (scene.y - scene.centre) / radius
    inside = scene.soft_step((1.0 - np.abs(across)) * radius)
    round_shading = np.sqrt(np.clip(1.0 - across * across, 0.0, 1.0))
    lit_from_above = 0.85 - 0.25 * across
    surface = (0.18 + 0.62 * ridges) * (0.25 + 0.75 * round_shading) * lit_from_above
    return 0.06 + inside * surface


def _light(scene: _Scene, rng: np.random.RandomState) -> np.ndarray:
    """Light exposure (H, W), around 1: gain, gradient and highlights, none of which is a defect."""
    gain = rng.uniform(0.94, 1.06)
    slope_x, slope_y = rng.uniform(-0.1, 0.1, size=2)
    light = gain * (1.0 + slope_x * (scene.x / scene.aspect - 0.5) + slope_y * (scene.y - 0.5))
    for _ in range(rng.randint(0, 3)):
        x, y = scene.point_on_tube(rng, margin=0.0)
        length, thickness = rng.uniform(0.05, 0.25), rng.uniform(0.02, 0.06)
        strength = rng.uniform(0.1, 0.35)
        spot = np.exp(-(((scene.x - x) / length) ** 2) - ((scene.y - y) / thickness) ** 2)
        light = light + strength * spot
    return light


def _scratch(scene: _Scene, reflectance: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A thin straight line, brighter or darker than the surface."""
    x, y = scene.point_on_tube(rng)
    angle = rng.uniform(0.0, np.pi)
    half_length, half_width = rng.uniform(0.1, 0.25), rng.uniform(0.008, 0.014)
    contrast = rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.55)
    along = (scene.x - x) * np.cos(angle) + (scene.y - y) * np.sin(angle)
    across = (scene.y - y) * np.cos(angle) - (scene.x - x) * np.sin(angle)
    line = scene.soft_step(half_width - np.abs(across)) * scene.soft_step(
        half_length - np.abs(along)
    )
    return reflectance + contrast * line * _on_tube(scene)


def _hole(scene: _Scene, reflectance: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A small dark ellipse with a sharp rim."""
    x, y = scene.point_on_tube(rng)
    radius_x, radius_y = rng.uniform(0.035, 0.07, size=2)
    depth = rng.uniform(0.6, 0.95)
    distance = np.sqrt(((scene.x - x) / radius_x) ** 2 + ((scene.y - y) / radius_y) ** 2)
    hole = scene.soft_step((1.0 - distance) * min(radius_x, radius_y))
    return reflectance * (1.0 - depth * hole)


def _dent(scene: _Scene, reflectance: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A shallow hollow: dark on the side towards the light, bright on the other."""
    x, y = scene.point_on_tube(rng)
    radius = rng.uniform(0.05, 0.11)
    strength = rng.uniform(0.5, 0.9)
    u, v = (scene.x - x) / radius, (scene.y - y) / radius
    hollow = v * np.exp(-(u * u + v * v)) / 0.43  # 0.43 is the maximum of v·exp(−v²)
    return np.clip(reflectance * (1.0 + strength * hollow), 0.0, 1.0)


def _merged_ridges(
    scene: _Scene, reflectance: np.ndarray, rng: np.random.RandomState
) -> np.ndarray:
    """Two or three neighbouring ridges run into one: the valleys between them are filled."""
    num_valleys = rng.randint(1, 3)
    valley = np.floor(rng.uniform(0.15, scene.aspect - 0.15) * RIDGES_PER_HEIGHT) + 0.5
    filled = rng.uniform(0.45, 0.85)
    distance = num_valleys / 2.0 - np.abs(scene.turns() - valley - (num_valleys - 1) / 2.0)
    span = scene.soft_step(distance / RIDGES_PER_HEIGHT)
    ridges = scene.ridges()
    return _tube(scene, ridges + filled * span * (1.0 - ridges))


def _on_tube(scene: _Scene) -> np.ndarray:
    return scene.soft_step(TUBE_RADIUS - np.abs(scene.y - scene.centre))


BELLOWS = Product(
    name="bellows",
    series={"train": 20230, "calibration": 20231, "adapt": 20232, "test": 20233},
    num_adapt=(90, 104),
    scene=_Scene,
    reflectance=lambda scene: _tube(scene, scene.ridges()),
    defects={
        "scratch": _scratch,
        "hole": _hole,
        "dent": _dent,
        "merged_ridges": _merged_ridges,
    },
    noise=0.012,
)
