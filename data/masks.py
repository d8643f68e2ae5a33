"""Masks of defects: which file belongs to which image, and which pixels it marks."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from awl_vae.data.dataset import DataError
from awl_vae.data.reading import SUFFIXES, Source, decode, image_size

FOLDERS = ("ground_truth", "masks")
"""Where public datasets have their masks, in either case."""

ENDINGS = ("_mask", "-mask", "_gt", "_label", "_seg")
"""What they put after the stem of an image, in either case."""

Key = tuple[str, str]
"""Kind of defect and stem of an image, in one spelling of `SPELLINGS`."""


def match_masks(folders: Sequence[Path], images: Sequence[Path]) -> dict[Path, tuple[Path, ...]]:
    """Which masks belong to which images.

    The mask of an image `<kind>/<stem>` is `<kind>/<stem>`, maybe with one of `ENDINGS`, with any
    suffix of an image; or all the files of a folder `<kind>/<stem>` together. Where it is there in
    the case of the image, others are not its mask.

    Args:
        folders: where the masks are.
        images: anomalous images, each in the folder of its kind of defect.

    Returns:
        By image that has a mask, its files.

    Raises:
        DataError: If a mask is of two images, or an image has two of them.
    """
    files = [
        (mask, mask.relative_to(folder).with_suffix("").parts)
        for folder in folders
        for mask in files_below(folder)
        if mask.suffix.lower() in SUFFIXES
    ]
    found: dict[Path, tuple[Path, ...]] = {}
    for spelling in SPELLINGS:
        matched = {mask for masks in found.values() for mask in masks}
        left = [(mask, parts) for mask, parts in files if mask not in matched]
        found |= _matched(left, [image for image in images if image not in found], spelling)
    return found


def _matched(
    files: Sequence[tuple[Path, Sequence[str]]],
    images: Sequence[Path],
    spelling: Callable[[str], str],
) -> dict[Path, tuple[Path, ...]]:
    """What `match_masks` returns, of masks with their folders and stems, in one spelling."""
    of_key: dict[Key, list[Path]] = defaultdict(list)
    for image in images:
        of_key[spelling(image.parent.name), spelling(image.stem)].append(image)
    found: dict[Path, tuple[Path, ...]] = {}
    for mask, parts in files:
        key = _key_of_mask(parts, of_key, spelling)
        if key is None:
            continue
        image, *others = of_key[key]
        if others:
            raise DataError(
                f"Expected one image for the mask {mask}. Received: {image} and {others[0]}"
            )
        earlier = found.get(image, ())
        if earlier and (len(parts) == 2 or earlier[0].parent != mask.parent):
            raise DataError(
                f"Expected one mask for the image {image}. Received: {earlier[0]} and {mask}"
            )
        found[image] = (*earlier, mask)
    return found


def read_mask(files: Sequence[Path], image: Path) -> np.ndarray:
    """The pixels that the masks of an image mark together.

    Args:
        files: the masks; see `read_marked`.
        image: their image.

    Returns:
        Bool array (h, w) of the masks' size, which has the aspect ratio of the image.

    Raises:
        DataError: If one cannot be read, or is of another aspect ratio.
    """
    marked = np.zeros((0, 0), bool)
    for file in files:
        found = read_marked(file)
        check_aspect_ratio(found, image_size(image), file)
        if marked.size and marked.shape != found.shape:
            raise DataError(
                f"Expected masks of one size for {image}. Received: {files[0]} and {file}"
            )
        marked = found | marked if marked.size else found
    return marked


def read_marked(source: Source) -> np.ndarray:
    """The pixels (h, w) bool that the mask in a file marks; see `marked_in`.

    In a JPEG or a lossy WebP that is what is at least half as bright as its brightest pixel: beside
    an edge, and far from it, there are levels that nobody drew.

    Raises:
        DataError: If it cannot be read.
    """
    found = decode(source)
    mask = found.pixels
    return marked_in((mask > mask.max() / 2).astype(np.uint8) if found.is_lossy else mask)


def marked_in(mask: np.ndarray) -> np.ndarray:
    """The pixels (h, w) bool that a mask marks: whatever is not the background.

    What is not 0 in some colour is marked. Where the colours are the same everywhere, they say
    nothing, and what is not transparent is marked, unless that is the same everywhere, too.
    """
    if mask.ndim == 2:
        return mask != 0
    colors, alpha = mask[..., :3], mask[..., 3:]
    if alpha.size and alpha.min() != alpha.max() and (colors == colors[0, 0]).all():
        return alpha[..., 0] != 0
    return (colors != 0).any(-1)


def check_aspect_ratio(marked: np.ndarray, size: tuple[int, int], mask: object) -> None:
    """Checks that what a mask marks is of the aspect ratio of its image.

    Args:
        marked: array (h, w).
        size: (height, width) of the image.
        mask: what the mask is called in an error.

    Raises:
        DataError: If it is of another one, by more than a pixel.
    """
    (height, width), shape = size, marked.shape
    wanted = height * shape[1] / width, width * shape[0] / height
    if min(abs(shape[0] - wanted[0]), abs(shape[1] - wanted[1])) > 1:
        raise DataError(
            "Expected a mask of the aspect ratio of its image, whose height x width is "
            f"{height}x{width}. Received: {shape[0]}x{shape[1]}, {mask}"
        )


def _key_of_mask(
    parts: Sequence[str], known: Mapping[Key, object], spelling: Callable[[str], str]
) -> Key | None:
    """The key of the image that a mask of these folders and stem is of, if there is one."""
    if len(parts) not in (2, 3):
        return None
    kind, stem = spelling(parts[0]), spelling(parts[1])
    candidates = [(kind, stem)]
    if len(parts) == 2:
        candidates.append((kind, without_ending(stem)))
    return next((key for key in candidates if key in known), None)


def files_below(directory: Path) -> list[Path]:
    """The files below a directory that are not hidden, also where links lead to; each once."""
    found, seen = [], set()
    for parent, folders, names in os.walk(directory, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in seen else [name for name in folders if name[0] != "."]
        if real not in seen:
            found += [Path(parent, name) for name in names if name[0] != "."]
        seen.add(real)
    return sorted(found)


def without_ending(stem: str) -> str:
    """The stem of an image, of that of its mask."""
    return next((stem[: -len(e)] for e in ENDINGS if stem.lower().endswith(e)), stem)


def composed(name: str) -> str:
    """A name without the differences of how letters are composed."""
    return unicodedata.normalize("NFC", name)


def spelled(name: str) -> str:
    """The same without those of case."""
    return composed(name).casefold()


SPELLINGS = (composed, spelled)
"""How names are compared: what is the same by the first is preferred to what is by the second."""
