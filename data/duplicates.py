"""Images that are there twice: by link, by copy, or stored anew."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from awl_vae.data.dataset import DataError, Item
from awl_vae.system.words import quantity

PRIORITY = ("calibration", "train", "adapt", "test")
"""Where an image stays that is in several splits: in the first of these."""


def find_duplicates(items: Sequence[tuple[str, Item]]) -> dict[str, str]:
    """Which images stand in another split, too.

    Args:
        items: (split, item) of every image.

    Returns:
        By name of an image that is not to be used, the name of the same one that is.

    Raises:
        DataError: If an image is both normal and anomalous.
    """
    duplicates: dict[str, str] = {}
    contradictions: list[tuple[str, str]] = []
    for group in _groups(items):
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


def _groups(items: Sequence[tuple[str, Item]]) -> Iterator[list[tuple[str, Item]]]:
    """Files of the same pixels."""
    same: Mapping[str, list[tuple[str, Item]]] = defaultdict(list)
    for split, item in items:
        if item.measured is not None:
            same[item.measured().digest].append((split, item))
    yield from (group for group in same.values() if len(group) > 1)
