"""Masks of defects, and what is left of the defects at the size of training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from awl_vae.data.check.concern import Concern, listed
from awl_vae.data.dataset import DataError
from awl_vae.data.images import resize
from awl_vae.data.masks import read_mask
from awl_vae.data.reading import image_size as size_of
from awl_vae.system.words import in_one_line, with_first

SMALL = 4.0
"""Pixels at the size of training below which a defect is said to be small."""

GONE = 0.5
"""The same below which it is said to vanish."""

MOST = 0.75
"""Share of an image from which on a mask may be one with black and white exchanged."""


@dataclass(frozen=True)
class MeasuredMask:
    """The marked pixels of an image.

    Attributes:
        name: the image's.
        defect: the kind of its defect.
        area: how many pixels of the image are marked.
        share: what share of them that is.
        resized: the same at the size of training: the area that they cover there, so that half
            a pixel is 0.5. In hundredths, as it is told.
        error: why the mask cannot be used, or an empty text.
    """

    name: str
    defect: str
    area: float
    resized: float
    share: float = 0.0
    error: str = ""


def measure_mask(
    masks: Sequence[Path],
    image: Path,
    name: str,
    defect: str,
    image_size: tuple[int, int],
    mode: str,
) -> MeasuredMask:
    """Reads and measures the mask of an image.

    Args:
        masks: its files.
        image: the image's file.
        name: what the image is called.
        defect: the kind of its defect.
        image_size: (height, width) of training.
        mode: how images are brought to it.
    """
    try:
        marked = read_mask(masks, image)
        height, width = size_of(image)
    except DataError as error:
        return MeasuredMask(name, defect, 0.0, 0.0, error=str(error))
    full = np.iinfo(np.uint16).max
    covered = resize(marked * np.uint16(full), image_size, mode).sum(dtype=np.float64) / full
    share = float(marked.mean())
    return MeasuredMask(name, defect, share * height * width, round(float(covered), 2), share)


def mask_concerns(shares: Mapping[str, float]) -> Iterator[Concern]:
    """What is to be said of masks by how much they mark.

    Args:
        shares: by image, the share of its pixels that its mask marks.
    """
    empty = [name for name, share in shares.items() if not share]
    yield from listed("empty masks", empty, "a mask that marks nothing counts as none")
    large = [name for name, share in shares.items() if share >= MOST]
    yield from listed(
        "large masks",
        large,
        f"a mask that marks {MOST:.0%} of its image or more, as one with black and white exchanged "
        "does",
    )


def defect_concerns(masks: Sequence[MeasuredMask]) -> Iterator[Concern]:
    """What is to be said of masks and of the defects that they mark."""
    broken = [mask for mask in masks if mask.error]
    if broken:
        name, error = in_one_line(broken[0].name), in_one_line(broken[0].error)
        text = f"{with_first(len(broken), 'image', name)}: {error}"
        yield Concern("unusable masks", text, tuple(mask.name for mask in broken))
    whole = [mask for mask in masks if not mask.error]
    yield from mask_concerns({mask.name: mask.share for mask in whole})
    marked = sorted((mask for mask in whole if mask.area), key=lambda mask: mask.resized)
    gone = [mask.name for mask in marked if mask.resized < GONE]
    yield from listed(
        "vanishing defects",
        gone,
        f"less than {GONE:g} pixels of the defect at the size of training; a larger --image_size "
        "keeps it",
    )
    small = [mask.name for mask in marked if GONE <= mask.resized < SMALL]
    yield from listed(
        "small defects",
        small,
        f"less than {SMALL:g} pixels of the defect at the size of training; a larger --image_size "
        "shows more of it",
    )
