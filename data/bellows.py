"""Generated stand-in for the confidential photographs of bellows.

What the paper tells of them (Sect. 4.1.1): 8-bit gray images of a part with a regular jagged
structure along the horizontal, with noise that is no defect and comes from the light exposure.
Here: a corrugated tube from the side, lit from above, in front of a dark background. The light
changes from image to image in its gain, in its gradient and in a few soft highlights, which are
no defects. The kinds of defect are in `DEFECTS`.

The difficulty, which is the ranges in this file, was set by the conventional VAE alone and is
frozen: changing any of it changes every image.
"""

from functools import partial

import numpy as np

from data.dataset import DataError, Dataset, Item, in_layout

SERIES = {"train": 20230, "calibration": 20231, "adapt": 20232, "test": 20233}
"""The constant seed of each split's series of images."""

NUM_CALIBRATION = 200
NUM_ADAPT = (90, 104)
"""Normal and anomalous images of the paper's evaluation set (Table 4)."""
NUM_TEST = (500, 500)

MIN_ASPECT = 0.25
RIDGES_PER_HEIGHT = 7.0
TUBE_RADIUS = 0.33
RIDGE_DEPTH = 0.045


def bellows(image_size: tuple[int, int], *, num_train: int, protocol: str) -> Dataset:
    """The generated images, as a dataset.

    Args:
        image_size: (height, width) in pixels.
        num_train: number of training images.
        protocol: "paper": the evaluation set of the paper's size adapts and is reported on;
            "heldout": it adapts, and a larger test set is generated besides.

    Returns:
        Dataset whose images are rendered when they are loaded.

    Raises:
        DataError: If the images are too narrow to show a defect.
    """
    if image_size[1] < MIN_ASPECT * image_size[0]:
        raise DataError(
            f"Expected a width of at least {MIN_ASPECT} heights for bellows. "
            f"Received: image_size={image_size[0]}x{image_size[1]}."
        )
    counts = {"train": (num_train, 0), "calibration": (NUM_CALIBRATION, 0), "adapt": NUM_ADAPT}
    counts["test"] = NUM_TEST if protocol == "heldout" else (0, 0)
    return Dataset(
        **{
            split: tuple(_items(split, image_size, num_normal, num_anomalous))
            for split, (num_normal, num_anomalous) in counts.items()
        }
    )


def _items(split, image_size, num_normal, num_anomalous):
    kinds = list(DEFECTS)
    for index in range(num_normal + num_anomalous):
        defect = None if index < num_normal else kinds[(index - num_normal) % len(kinds)]
        image = partial(render, SERIES[split], index, image_size=image_size, defect=defect)
        yield Item(
            name=in_layout(split, defect, f"{index:05d}"),
            defect=defect,
            load=lambda image=image: image()[0],
            load_mask=lambda image=image: image()[1],
        )


def render(seed: int, index: int, *, image_size: tuple[int, int], defect: str | None = None):
    """Renders image `index` of the endless series `seed`, the same for ever.

    The part, its light and its noise depend on (seed, index) alone, and so do the parameters of
    a defect, so an image exists with each defect and without.

    Args:
        seed: which series, 0 to 2³² − 1.
        index: which image of it, 0 to 2³² − 1.
        image_size: (height, width) in pixels. Lengths follow the height; a wider image shows a
            longer tube.
        defect: a key of `DEFECTS`, or None for a normal image.

    Returns:
        image: uint8 array (H, W).
        mask: bool array (H, W), the pixels that the defect changed visibly.

    Raises:
        ValueError: If `defect` is unknown.
    """
    if defect is not None and defect not in DEFECTS:
        raise ValueError(
            f"Expected a defect among {', '.join(DEFECTS)}. Received: defect={defect!r}."
        )
    # RandomState's streams are frozen for all versions of NumPy; those of Generator are not.
    rng = np.random.RandomState([seed, index])
    height, width = image_size
    scene = _Scene(
        x=((np.arange(width) + 0.5) / height)[None, :],
        y=((np.arange(height) + 0.5) / height)[:, None],
        aspect=width / height,
        pixel=1.0 / height,
        phase=rng.uniform(-0.08, 0.08),
        centre=0.5 + rng.uniform(-0.01, 0.01),
    )
    light = _light(scene, rng)
    noise_seed, defect_seed = rng.randint(0, 2**31 - 1, size=2)

    reflectance = _tube(scene, scene.ridges())
    damaged = reflectance
    if defect is not None:
        damaged = DEFECTS[defect](scene, reflectance, np.random.RandomState(defect_seed))
    noise = np.random.RandomState(noise_seed).normal(0.0, 0.012, size=(height, width))
    image = _to_uint8(damaged * light + noise)
    mask = np.abs(damaged - reflectance) * light > 0.02
    return image, mask


class _Scene:
    """Coordinates in units of the image height, and where the tube lies."""

    def __init__(self, *, x, y, aspect, pixel, phase, centre):
        self.x, self.y, self.aspect, self.pixel = x, y, aspect, pixel
        self.phase, self.centre = phase, centre

    def turns(self):
        """Place along the horizontal, counted in ridges; a valley lies at every half."""
        return self.x * RIDGES_PER_HEIGHT + self.phase

    def ridges(self):
        """Height of the jagged profile along the horizontal, in [0, 1]: a rounded zigzag."""
        turns = self.turns()
        zigzag = np.abs(2.0 * (turns - np.floor(turns)) - 1.0)
        return zigzag * zigzag * (3.0 - 2.0 * zigzag)

    def point_on_tube(self, rng, margin=0.1):
        x = rng.uniform(margin, self.aspect - margin)
        y = self.centre + TUBE_RADIUS * rng.uniform(-0.65, 0.65)
        return x, y


def _tube(scene, ridges):
    """Reflectance (H, W) in [0, 1] of the tube before a dark background."""
    radius = TUBE_RADIUS + RIDGE_DEPTH * (ridges - 0.5)
    across = (scene.y - scene.centre) / radius
    inside = _soft_step((1.0 - np.abs(across)) * radius, scene.pixel)
    round_shading = np.sqrt(np.clip(1.0 - across * across, 0.0, 1.0))
    lit_from_above = 0.85 - 0.25 * across
    surface = (0.18 + 0.62 * ridges) * (0.25 + 0.75 * round_shading) * lit_from_above
    return 0.06 + inside * surface


def _light(scene, rng):
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


def _scratch(scene, reflectance, rng):
    """A thin straight line, brighter or darker than the surface."""
    x, y = scene.point_on_tube(rng)
    angle = rng.uniform(0.0, np.pi)
    half_length, half_width = rng.uniform(0.1, 0.25), rng.uniform(0.008, 0.014)
    contrast = rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.55)
    along = (scene.x - x) * np.cos(angle) + (scene.y - y) * np.sin(angle)
    across = (scene.y - y) * np.cos(angle) - (scene.x - x) * np.sin(angle)
    line = _soft_step(half_width - np.abs(across), scene.pixel) * _soft_step(
        half_length - np.abs(along), scene.pixel
    )
    return reflectance + contrast * line * _on_tube(scene)


def _hole(scene, reflectance, rng):
    """A small dark ellipse with a sharp rim."""
    x, y = scene.point_on_tube(rng)
    radius_x, radius_y = rng.uniform(0.035, 0.07, size=2)
    depth = rng.uniform(0.6, 0.95)
    distance = np.sqrt(((scene.x - x) / radius_x) ** 2 + ((scene.y - y) / radius_y) ** 2)
    hole = _soft_step((1.0 - distance) * min(radius_x, radius_y), scene.pixel)
    return reflectance * (1.0 - depth * hole)


def _dent(scene, reflectance, rng):
    """A shallow hollow: dark on the side towards the light, bright on the other."""
    x, y = scene.point_on_tube(rng)
    radius = rng.uniform(0.05, 0.11)
    strength = rng.uniform(0.5, 0.9)
    u, v = (scene.x - x) / radius, (scene.y - y) / radius
    hollow = v * np.exp(-(u * u + v * v)) / 0.43  # 0.43 is the maximum of v·exp(−v²)
    return np.clip(reflectance * (1.0 + strength * hollow), 0.0, 1.0)


def _merged_ridges(scene, reflectance, rng):
    """Two or three neighbouring ridges run into one: the valleys between them are filled."""
    num_valleys = rng.randint(1, 3)
    valley = np.floor(rng.uniform(0.15, scene.aspect - 0.15) * RIDGES_PER_HEIGHT) + 0.5
    filled = rng.uniform(0.45, 0.85)
    span = _soft_step(
        num_valleys / 2.0 - np.abs(scene.turns() - valley - (num_valleys - 1) / 2.0),
        scene.pixel * RIDGES_PER_HEIGHT,
    )
    ridges = scene.ridges()
    return _tube(scene, ridges + filled * span * (1.0 - ridges))


def _on_tube(scene):
    return _soft_step(TUBE_RADIUS - np.abs(scene.y - scene.centre), scene.pixel)


def _soft_step(distance, pixel):
    """Share of a pixel that lies on the positive side of an edge at signed `distance`."""
    return np.clip(distance / pixel + 0.5, 0.0, 1.0)


def _to_uint8(image):
    return np.rint(255.0 * np.clip(image, 0.0, 1.0)).astype(np.uint8)


DEFECTS = {
    "scratch": _scratch,
    "hole": _hole,
    "dent": _dent,
    "merged_ridges": _merged_ridges,
}
"""The kinds of defect: (scene, reflectance (H, W), rng) to the damaged reflectance (H, W)."""
