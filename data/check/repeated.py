"""Images that are there more than once: the same pixels, or nearly the same."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from awl_vae.data.check.concern import Concern
from awl_vae.data.measure import THUMBNAIL, Measured
from awl_vae.system.words import in_one_line, with_first

MOST = 1.0 / 255.0
"""Share of the range that two images may differ by, and be nearly the same."""

PART = 0.1
"""The same as a part of what two images of the folder usually differ by."""

MOST_COMPARED = 20_000
"""Images, all with all."""

NEARLY_THE_SAME = (
    f"The same pixels are those of the gray images. Nearly the same are two images whose gray "
    f"thumbnails of {THUMBNAIL[0]}x{THUMBNAIL[1]} pixels differ, as a root mean square, by no more "
    f"than 1/{1 / MOST:.0f} of the range of levels and 1/{1 / PART:.0f} of what two images of the "
    "folder usually differ by: so those stored anew as JPEG or at half the size, and photographs "
    "of one thing that did not move. What was turned, mirrored, cropped, shifted or lit otherwise "
    "is not found; two images that differ in a defect too small for a thumbnail are. Of more than "
    f"{MOST_COMPARED:,} images so many are compared, evenly chosen."
)
"""How it is told, for people."""

BLOCK = 256
"""Images that are compared with all others at a time."""

SAMPLE = 500
"""Images that tell what two of them usually differ by."""

Pair = tuple[int, int]

KINDS = ("labels", "splits", "split")
"""What two images that are the same may have: different labels, different splits, or neither."""

SAME = {
    "labels": "normal and anomalous at once, which training refuses",
    "splits": "in train and in test; training uses each in one of them alone",
    "split": "twice for the same use, so that they count double",
}
NEARLY = {
    "labels": "one normal and one anomalous; a small defect, or a wrong label",
    "splits": "one in train and one in test, which makes what is measured in test too good",
    "split": "both for the same use, so that they count double",
}


def repeated_concerns(images: Sequence[Measured]) -> Iterator[Concern]:
    """What is to be said of images that are there more than once."""
    yield from _told("same pixels", images, _same(images), SAME)
    if len(images) > MOST_COMPARED:
        images = [images[i * len(images) // MOST_COMPARED] for i in range(MOST_COMPARED)]
    yield from _told("nearly the same", images, _nearly_same(images), NEARLY)


def _told(
    topic: str, images: Sequence[Measured], pairs: Iterable[Pair], texts: dict[str, str]
) -> Iterator[Concern]:
    by_kind: dict[str, list[Pair]] = defaultdict(list)
    for one, other in sorted({(min(pair), max(pair)) for pair in pairs}):
        by_kind[_kind(images[one], images[other])].append((one, other))
    for kind in KINDS:
        if found := by_kind[kind]:
            names = [images[index].name for pair in found for index in pair]
            pairs_found = with_first(
                len(found), "pair", f"{in_one_line(names[0])}, {in_one_line(names[1])}"
            )
            yield Concern(topic, f"{pairs_found}: {texts[kind]}", tuple(names))


def _kind(one: Measured, other: Measured) -> str:
    if one.label != other.label:
        return "labels"
    return "split" if one.split == other.split else "splits"


def _same(images: Sequence[Measured]) -> Iterator[Pair]:
    """Of each image, the pairs with the first of the same pixels of each label and split."""
    first: dict[str, dict[tuple[int, str], int]] = defaultdict(dict)
    for index, image in enumerate(images):
        earlier = first[image.digest]
        yield from ((other, index) for other in earlier.values())
        earlier.setdefault((image.label, image.split), index)


def _nearly_same(images: Sequence[Measured]) -> Iterator[Pair]:
    """Of each image, the pairs with the one nearest to it among those of each kind."""
    if len(images) < 2:
        return
    thumbnails = np.stack([image.thumbnail.ravel() for image in images]).astype(np.float32)
    thumbnails /= np.iinfo(np.uint16).max
    # What all have in common would cost the differences their last digits.
    thumbnails -= thumbnails.mean(0)
    most = min(MOST, PART * _usual(thumbnails))
    labels = np.array([image.label for image in images])
    splits = np.array([image.split for image in images])
    pixels = np.unique([image.digest for image in images], return_inverse=True)[1]
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = _distances(thumbnails[rows], thumbnails)
        distances[pixels[rows, None] == pixels] = np.inf
        other_label = labels[rows, None] != labels
        other_split = splits[rows, None] != splits
        for asked in (other_label, ~other_label & other_split, ~other_label & ~other_split):
            of_kind = np.where(asked, distances, np.inf)
            nearest = of_kind.argmin(1)
            for row in np.flatnonzero(of_kind.min(1) <= most):
                yield start + int(row), int(nearest[row])


def _usual(thumbnails: np.ndarray) -> float:
    """The median of the distances between some of (N, D), N at least 2."""
    some = thumbnails[:: -(-len(thumbnails) // SAMPLE)]
    some = thumbnails if len(some) < 2 else some
    return float(np.median(_distances(some, some)[np.triu_indices(len(some), 1)]))


def _distances(some: np.ndarray, all_: np.ndarray) -> np.ndarray:
    """Root mean squares (M, N) of the differences between (M, D) and (N, D)."""
    squares = (some**2).sum(1)[:, None] + (all_**2).sum(1) - 2.0 * some @ all_.T  # (M, N)
    return np.sqrt(np.maximum(squares, 0.0) / all_.shape[1])
