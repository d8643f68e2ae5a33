"""Synthetic defects of many sizes, on images that a model was not fitted on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from awl_vae.data.synthetic_defects import KINDS, LEAST_SIDE, UnseenError, add_defect

SEED = 2026

NUM_COPIES = 300
"""Copies with a defect, of all images together."""

WINDOWS = (1.0, 0.5, 0.25)
"""Sides of the square that a defect is drawn in, as shares of the image's shorter side."""


@dataclass(frozen=True)
class Damaged:
    """A copy of an image with a synthetic defect.

    Attributes:
        index: the image's.
        kind: a key of `KINDS`.
        extent: the square root of the defect's area, in pixels of the copy.
        image: the copy (H, W, 3), uint8 or uint16.
    """

    index: int
    kind: str
    extent: float
    image: np.ndarray


def damaged_copies(
    load: Callable[[int], np.ndarray],
    inside: Callable[[int], tuple[slice, slice]],
    part: Sequence[int],
    numbers: range,
    total: int,
) -> Iterator[Damaged]:
    """Copies of some images, with kinds and sizes in turn.

    Args:
        load: gives the image (H, W, 3) of an index.
        inside: gives the rows and columns in which it is no black border.
        part: indices of the images that are damaged, at least one.
        numbers: of the copies, each of which is another.
        total: how many images there are; a patch may be cut from any.

    Yields:
        A copy for each number, but for those on whose image such a defect cannot be seen.
    """
    kinds = list(KINDS)
    for place, number in enumerate(numbers):
        random = np.random.RandomState([SEED, number])
        index, kind = part[place % len(part)], kinds[number % len(kinds)]
        image, other = load(index), load(int(random.randint(total)))
        share = WINDOWS[number // len(kinds) % len(WINDOWS)]
        rows, columns = inside(index)
        lengths = rows.stop - rows.start, columns.stop - columns.start
        side = min(max(round(min(lengths) * share), LEAST_SIDE), *lengths)
        top, left = (
            edge.start + int(random.randint(length - side + 1))
            for edge, length in zip((rows, columns), lengths, strict=True)
        )
        window = np.s_[top : top + side, left : left + side]
        try:
            drawn, mask = add_defect(image[window], other[window], random, kind)
        except UnseenError:
            continue
        copy = image.copy()
        copy[window] = drawn
        yield Damaged(index, kind, float(np.sqrt(mask.sum())), copy)
