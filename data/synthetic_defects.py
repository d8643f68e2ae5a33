"""Synthetic defects on images of normal products, as a signal where nobody has labelled anything.

Five kinds, none made for a product: a patch cut from another normal image and pasted with another
gain (CutPaste, Li et al., 2021), a thin scratch, a soft stain, a local blur and a local warp. All
sizes are shares of the image's smaller side and all contrasts shares of its range of gray levels,
the same for every dataset.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from awl_vae.data.dataset import DataError, Item, made_item
from awl_vae.data.images import HALF

SEED = 2024
"""Constant, so that runs of all seeds see the same damaged copies."""

LEAST_COPIES = 100
"""Each normal image is damaged once, or more often where they are fewer than this."""


@dataclass(frozen=True)
class Visibility:
    """What a defect changes at least; a blur on a smooth place, say, is drawn anew.

    Attributes:
        share: how many of its pixels change so much, in [0, 1]; 0 for one of them.
        change: how much, as a share of the image's range of gray levels.
    """

    share: float
    change: float


VISIBILITY = MappingProxyType({1: Visibility(0.0, 0.06), 2: Visibility(0.25, 0.1)})
"""By version of the defects. Those of 1, which 0.1.0 drew, can hardly be seen in part."""

VERSION = max(VISIBILITY)
"""What is drawn where nothing was begun with another."""

LEAST_SIDE = 8
"""Of the box around a region of interest that defects are drawn in, in pixels."""

LEAST_LEVELS = 5
"""What an image's range is taken for where it is less, in its own gray levels."""

MAX_DRAWS = 100


class UnseenError(DataError):
    """A kind of defect cannot be seen on an image."""


Draw = Callable[[np.ndarray, np.ndarray, np.random.RandomState], tuple[np.ndarray, np.ndarray]]


def synthetic_copies(items: Sequence[Item], version: int = VERSION) -> tuple[Item, ...]:
    """Damaged copies of normal images, each with what is cut from another of them.

    Args:
        items: normal images, at least one.
        version: a key of `VISIBILITY`.

    Returns:
        At least as many copies, damaged when they are loaded, with all kinds in turn: `defect` is
        the one whose turn it is. Where it cannot be seen on an image, another is drawn. In an image
        with a region of interest, that is drawn in the box around it, and seen inside.
    """
    kinds = list(KINDS)
    numbers = originals(len(items))

    # Whoever loads a copy asks for its mask, too: the last few are kept.
    @functools.lru_cache(maxsize=32)
    def damage(index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.RandomState([SEED, index])
        number = numbers[index]
        # Any other than this one, where there is another.
        place = rng.randint(max(len(items) - 1, 1))
        source = min(place + (place >= number), len(items) - 1)
        seed = rng.randint(2**31)
        images = items[number].load(), items[source].load()
        load_roi = items[number].load_roi
        add = add_defect if load_roi is None else functools.partial(_add_inside, load_roi())
        add = functools.partial(add, *images, version=version)
        try:
            return add(np.random.RandomState(seed), kinds[index % len(kinds)])
        except UnseenError:
            return add(np.random.RandomState(seed))

    return tuple(
        made_item(
            f"synthetic/{index:05d}_{kinds[index % len(kinds)]}.png",
            kinds[index % len(kinds)],
            functools.partial(damage, index),
            items[numbers[index]].load_roi,
        )
        for index in range(len(numbers))
    )


def originals(count: int) -> np.ndarray:
    """Of each damaged copy of `count` normal images, the index of the one that it is of."""
    return np.arange(max(count, LEAST_COPIES)) % max(count, 1)


def _add_inside(
    roi: np.ndarray,
    image: np.ndarray,
    source: np.ndarray,
    rng: np.random.RandomState,
    kind: str | None = None,
    *,
    version: int,
) -> tuple[np.ndarray, np.ndarray]:
    """`add_defect` in the box around a region of interest (H, W)."""
    box = _box(roi)
    damaged, mask = image.copy(), np.zeros(roi.shape, bool)
    damaged[box], mask[box] = add_defect(
        image[box], source[box], rng, kind, roi=roi[box], version=version
    )
    return damaged, mask


def _box(roi: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns that a region is in, or more where they are few."""
    bounds = []
    for axis in (1, 0):
        places = np.flatnonzero(roi.any(axis=axis))
        end = max(places[-1] + 1, min(places[0] + LEAST_SIDE, roi.shape[1 - axis]))
        bounds.append(slice(max(min(places[0], end - LEAST_SIDE), 0), end))
    rows, columns = bounds
    return rows, columns


def add_defect(
    image: np.ndarray,
    source: np.ndarray,
    rng: np.random.RandomState,
    kind: str | None = None,
    *,
    roi: np.ndarray | None = None,
    version: int = VERSION,
) -> tuple[np.ndarray, np.ndarray]:
    """Damages a copy of an image.

    Args:
        image: (H, W) or (H, W, 3) of uint8 or uint16.
        source: another normal image of the same shape, of either depth, to cut from.
        rng: draws kind, place, size and contrast.
        kind: a key of `KINDS`, or None for one by chance.
        roi: bool (H, W), the pixels in which it is to be seen, and others are left as they are.
        version: a key of `VISIBILITY`.

    Returns:
        The damaged image, like `image`, and the defect's pixels, bool (H, W).

    Raises:
        UnseenError: If no draw can be seen: an image of one level cannot be blurred, say.
        ValueError: If `source` is of another shape.
    """
    if image.shape != source.shape:
        raise ValueError(f"Expected a source of shape {image.shape}. Received: {source.shape}.")
    x, other = (np.float32(array) / np.iinfo(array.dtype).max for array in (image, source))
    dark, bright = np.quantile(x if roi is None else np.asarray(x)[roi], (0.01, 0.99))
    full = np.iinfo(image.dtype).max
    scale = max(bright - dark, LEAST_LEVELS / full)
    least = VISIBILITY[version]
    for _ in range(MAX_DRAWS):
        drawn = kind or rng.choice(list(KINDS))
        damaged, mask = KINDS[drawn]((x - dark) / scale, (other - dark) / scale, rng)
        mask = mask if roi is None else mask & roi
        damaged = np.clip(damaged * scale + dark, 0.0, 1.0)
        levels = np.floor(damaged * full + HALF).astype(image.dtype)
        changed = np.abs(damaged - x)[mask] >= least.change * scale
        if changed.any() and changed.mean() >= least.share and (levels != image)[mask].any():
            return np.where(_like(mask, image), levels, image), mask
    raise UnseenError(
        f"Expected an image on which a {kind or 'synthetic defect'} can be seen. "
        f"Received: none in {MAX_DRAWS} tries"
    )


def _paste(
    x: np.ndarray, other: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A patch with sides of 6 to 25 %, cut from anywhere, with a gain of 0.7 to 1.3."""
    side = min(x.shape[:2])
    height, width = (max(2, round(side * rng.uniform(0.06, 0.25))) for _ in range(2))
    (top, from_top), (left, from_left) = (
        rng.randint(0, length - size + 1, size=2)
        for length, size in zip(x.shape[:2], (height, width), strict=True)
    )
    patch = other[from_top : from_top + height, from_left : from_left + width]
    damaged, mask = x.copy(), np.zeros(x.shape[:2], bool)
    damaged[top : top + height, left : left + width] = patch * np.float32(rng.uniform(0.7, 1.3))
    mask[top : top + height, left : left + width] = True
    return damaged, mask


def _scratch(
    x: np.ndarray, other: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A bent line, 15 to 50 % long and 0.8 to 2 % wide, 10 to 40 % brighter or darker."""
    height, width = x.shape[:2]
    side = min(height, width)
    length, turn = side * rng.uniform(0.15, 0.5), rng.uniform(0, np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    t = np.linspace(-0.5, 0.5, 17)[:, None]
    bend = length * rng.uniform(-0.2, 0.2) * (1.0 - 4.0 * t * t)
    points = _centre(x, rng) + t * length * along + bend * across
    thickness = max(1, round(side * rng.uniform(0.008, 0.02)))
    line = np.zeros((height, width), np.uint8)
    # The last four bits of a coordinate are its fraction.
    path = np.rint(points * 16.0).astype(np.int32)
    cv2.polylines(line, [path], False, 255, thickness, cv2.LINE_AA, shift=4)
    return _blend(x, x + _contrast(rng, 0.1, 0.4), line.astype(np.float32) / 255.0)


def _stain(
    x: np.ndarray, other: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A soft spot with sides of 6 to 30 %, 8 to 35 % brighter or darker."""
    return _blend(x, x + _contrast(rng, 0.08, 0.35), _spot(x, rng))


def _blur(
    x: np.ndarray, other: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A soft spot in which details under 1 to 4 % are lost."""
    blurred = cv2.GaussianBlur(x, (0, 0), min(x.shape[:2]) * rng.uniform(0.01, 0.04))
    return _blend(x, blurred, _spot(x, rng))


def _warp(
    x: np.ndarray, other: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A soft spot that is moved by 2 to 6 %."""
    height, width = x.shape[:2]
    spot = _spot(x, rng)
    move, turn = min(height, width) * rng.uniform(0.02, 0.06), rng.uniform(0, 2 * np.pi)
    rows, columns = np.indices((height, width), np.float32)
    maps = (
        columns + spot * np.float32(move * np.cos(turn)),
        rows + spot * np.float32(move * np.sin(turn)),
    )
    moved = cv2.remap(x, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return moved, spot > 0.0


KINDS: MappingProxyType[str, Draw] = MappingProxyType(
    {"paste": _paste, "scratch": _scratch, "stain": _stain, "blur": _blur, "warp": _warp}
)
"""By name, what draws a defect: (image, source, rng) to (damaged image, mask), with 0 for what is
dark in the image and 1 for what is bright; some of it is beyond."""


def _centre(x: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """A place (x, y) in pixels."""
    height, width = x.shape[:2]
    return rng.uniform(0.1, 0.9, size=2) * (width, height)


def _contrast(rng: np.random.RandomState, low: float, high: float) -> np.float32:
    return np.float32(rng.uniform(low, high) * rng.choice((-1.0, 1.0)))


def _spot(x: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Weights (H, W) float32 in [0, 1]: an ellipse with a soft, uneven edge, 0 outside."""
    height, width = x.shape[:2]
    side = min(height, width)
    (cx, cy), turn = _centre(x, rng), rng.uniform(0, np.pi)
    radii = side * rng.uniform(0.03, 0.15, size=2)
    rows, columns = np.indices((height, width), np.float32)
    along = (columns - cx) * np.cos(turn) + (rows - cy) * np.sin(turn)
    across = (rows - cy) * np.cos(turn) - (columns - cx) * np.sin(turn)
    angle = np.arctan2(across, along)
    wave = 1.0 + rng.uniform(0.0, 0.15) * np.sin(3.0 * angle + rng.uniform(0, 2 * np.pi))
    distance = np.hypot(along / radii[0], across / radii[1]) * wave
    inside = np.clip(1.0 - distance * distance, 0.0, 1.0)
    return np.clip(2.0 * inside, 0.0, 1.0).astype(np.float32)


def _blend(
    x: np.ndarray, damaged: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return x + _like(weights, x) * (damaged - x), weights > 0.0


def _like(pixels: np.ndarray, image: np.ndarray) -> np.ndarray:
    """(H, W) as (H, W) or (H, W, 1), as the image is."""
    return pixels if image.ndim == 2 else pixels[..., None]
