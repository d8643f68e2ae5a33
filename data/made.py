"""Datasets whose images are made, each with its mask, when they are loaded."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from awl_vae.data.dataset import Dataset, Item, in_layout, made_item

NUM_CALIBRATION = 200
NUM_TEST = (500, 500)

Make = Callable[[str, int, str | None], tuple[np.ndarray, np.ndarray]]
"""(split, index in the split, kind of defect or None) to an image (H, W) and its mask."""


def made_dataset(
    make: Make,
    kinds: Sequence[str],
    *,
    num_train: int,
    num_adapt: tuple[int, int],
    protocol: str,
) -> Dataset:
    """The images by split: normal ones first, then the kinds of defect in turn.

    Args:
        make: makes an image; the same one for the same arguments.
        kinds: the kinds of defect.
        num_train: number of training images.
        num_adapt: number of adapt images, normal and anomalous.
        protocol: "heldout", or "paper" without test images.
    """

    def items(split: str, num_normal: int, num_anomalous: int = 0) -> Iterator[Item]:
        for index in range(num_normal + num_anomalous):
            defect = None if index < num_normal else kinds[(index - num_normal) % len(kinds)]
            name = in_layout(split, defect, f"{index:05d}")
            yield made_item(name, defect, partial(make, split, index, defect))

    return Dataset(
        train=tuple(items("train", num_train)),
        calibration=tuple(items("calibration", NUM_CALIBRATION)),
        adapt=tuple(items("adapt", *num_adapt)),
        test=tuple(items("test", *NUM_TEST)) if protocol == "heldout" else (),
    )
