"""Images that are there twice: by link, by copy, or stored anew."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from awl_vae.data.cache import ImageCache
from awl_vae.data.dataset import DataError, Item
from awl_vae.data.images import read_gray
from awl_vae.system.words import quantity

PRIORITY = ("calibration", "train", "adapt", "test")
"""Where an image stays that is in several splits: in the first of these."""


def find_duplicates(items: Sequence[tuple[str, Item]], cache: ImageCache) -> dict[str, str]:
    """Which images stand in another split, too.

    Args:
        items: (split, item) of every image, in the order of the cache.
        cache: the decoded images.

    Returns:
        By name of an image that is not to be used, the name of the same one that is.

    Raises:
        DataError: If an image is both normal and anomalous.
    """
    duplicates: dict[str, str] = {}
    contradictions: list[tuple[str, str]] = []
    for group in _groups(items, cache):
        split, first = min(group, key=lambda entry: PRIORITY.index(entry[0]))
        for other_split, item in group:
            if item.label != first.label:
                contradictions.append((first.name, item.name))
            elif other_split != split:
                duplicates[item.name] = first.name
    if contradictions:
        (one, other), *more = contradictions
        raise DataError(
            f"Expected an image to be either normal or anomalous. Received: {one} and {other}, "
            "which are the same" + (f" (and {quantity(len(more), 'more pair')})" if more else "")
        )
    return duplicates


Group = Sequence[tuple[str, Item]]


def _groups(items: Sequence[tuple[str, Item]], cache: ImageCache) -> Iterator[Group]:
    """Files of the same pixels. Only those are read again that are alike at the model's size."""
    alike: Mapping[bytes, list[tuple[str, Item]]] = defaultdict(list)
    for position, (split, item) in enumerate(items):
        if item.file is not None:
            alike[digest(cache.read(np.array([position])))].append((split, item))
    for candidates in alike.values():
        if len({split for split, _ in candidates}) == 1 == len({i.label for _, i in candidates}):
            continue
        same: Mapping[bytes, list[tuple[str, Item]]] = defaultdict(list)
        for split, item in candidates:
            assert item.file is not None
            same[digest(read_gray(item.file))].append((split, item))
        yield from (group for group in same.values() if len(group) > 1)


def digest(pixels: np.ndarray) -> bytes:
    """What two images have in common whose shape and pixels are the same."""
    return hashlib.blake2b(pixels.tobytes(), person=str(pixels.shape).encode()[:16]).digest()
