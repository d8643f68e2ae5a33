"""Which image may be used for what. All splits are made by one constant seed.

`--seeds` never reaches this file: runs of different seeds see the same splits and can be paired.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from awl_vae.data.dataset import DataError, Dataset, Item
from awl_vae.system.words import quantity

SPLIT_SEED = 2023
MIN_CALIBRATION = 20


def split_train_and_labelled(
    normal: list[Item],
    labelled: list[Item],
    *,
    num_train: int | None,
    protocol: str,
    needs_labels: bool = True,
) -> Dataset:
    """Splits a dataset that comes with training images and labelled images apart.

    A tenth of the normal images, at least 20 (but never more than half), is for calibration.

    Args:
        normal: normal images that may be trained on.
        labelled: normal and anomalous images.
        num_train: number of training images to keep, or None for all.
        protocol: "heldout" or "paper".
        needs_labels: whether too few labelled images are an error; otherwise they are left out.

    Returns:
        The dataset.

    Raises:
        DataError: If there are too few images for what the protocol needs.
    """
    if len(normal) < 2:
        raise DataError(f"Expected at least 2 normal images to train on. Received: {len(normal)}.")
    calibration, train = _take(normal, num_calibration(len(normal)))
    try:
        adapt, test = _split_labelled(labelled, protocol)
    except DataError as error:
        if needs_labels:
            raise DataError(
                f"{error.in_flags} With --adapt_signal=synthetic none is needed."
            ) from error
        adapt = test = ()
    return Dataset(_limit(train, num_train), calibration, adapt, test)


def num_calibration(num_normal: int) -> int:
    """How many of the normal images that may be trained on are for calibration."""
    return min(max(num_normal // 10, MIN_CALIBRATION), num_normal // 2)


def split_pool(
    normal: list[Item], anomalous: list[Item], *, num_train: int | None, protocol: str
) -> Dataset:
    """Splits a dataset without a split of its own.

    Of the normal images 60 % train, 10 % calibrate and 30 % evaluate; all anomalies evaluate.

    Args:
        normal: all normal images.
        anomalous: all anomalous images.
        num_train: number of training images to keep, or None for all.
        protocol: "heldout" or "paper".

    Returns:
        The dataset.

    Raises:
        DataError: If there are too few images for what the protocol needs.
    """
    train, rest = _take(normal, len(normal) * 6 // 10)
    calibration, evaluation = _take(rest, len(normal) // 10)
    adapt, test = _split_labelled([*evaluation, *anomalous], protocol)
    return Dataset(_limit(train, num_train), calibration, adapt, test)


def _split_labelled(
    items: Sequence[Item], protocol: str
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Under "heldout" half and half, stratified by the kind of defect; else all to adapt."""
    num_parts = 2 if protocol == "heldout" else 1
    for label, meaning in enumerate(("normal", "anomalous")):
        found = sum(item.label == label for item in items)
        if found < num_parts:
            raise DataError(
                f"Expected at least {quantity(num_parts, f'{meaning} labelled image')} for the "
                f"protocol {protocol!r}. "
                f"Received: {found} ({len(items) - found} of the other class)."
            )
    # Dealt out in turn, kind by kind: halves that differ by one at most, in each kind and in all.
    dealt = sorted(_shuffled(items), key=lambda item: item.defect or "")
    normal = [item for item in dealt if not item.label]
    anomalous = [item for item in dealt if item.label]
    adapt = normal[::num_parts] + anomalous[::num_parts]
    test = normal[1::2] + anomalous[1::2] if num_parts == 2 else []
    return _by_name(adapt), _by_name(test)


def _take(items: Sequence[Item], count: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """A random part of `count` items, and the rest, each sorted by name."""
    shuffled = _shuffled(items)
    return _by_name(shuffled[:count]), _by_name(shuffled[count:])


def _limit(items: tuple[Item, ...], count: int | None) -> tuple[Item, ...]:
    if count is None or count == len(items):
        return items
    if count > len(items):
        raise DataError(
            f"Expected --num_train to be at most the {quantity(len(items), 'image')} that can be "
            "trained on. "
            f"Received: --num_train={count}."
        )
    return _take(items, count)[0]


def _shuffled(items: Sequence[Item]) -> list[Item]:
    items = _by_name(items)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(items))
    return [items[i] for i in order]


def _by_name(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.name))
