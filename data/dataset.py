"""What a dataset is: splits of images that know how to load themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from awl_vae.system.errors import UserError

if TYPE_CHECKING:
    from awl_vae.data.measure import Measured

SPLITS = ("train", "calibration", "adapt", "test", "synthetic")


class DataError(UserError, ValueError):
    """The images that were asked for are not there, or not as they must be."""


@dataclass(frozen=True)
class Item:
    """One image.

    Attributes:
        name: what it is called in every file that a run writes; unique in its dataset.
        defect: the kind of defect, or None for a normal image.
        load: returns the image as an array (H, W), or (H, W, 3) RGB, of uint8 or uint16, the shape
            the same for all.
        load_mask: returns the defect's pixels, bool array (H, W), those in its region of interest;
            None where nobody marked them.
        file: where the image is, if it is a file of the user's.
        measured: returns what was seen of that file when it was loaded; it is read where it was
            not.
        load_roi: returns its region of interest, bool array (H, W); None where all of it counts,
            as then for every image of the dataset.
    """

    name: str
    defect: str | None
    load: Callable[[], np.ndarray]
    load_mask: Callable[[], np.ndarray] | None = None
    file: Path | None = None
    measured: "Callable[[], Measured] | None" = None
    load_roi: Callable[[], np.ndarray] | None = None

    @property
    def label(self) -> int:
        """0 for normal and 1 for anomalous."""
        return int(self.defect is not None)


def made_item(
    name: str,
    defect: str | None,
    make: Callable[[], tuple[np.ndarray, np.ndarray]],
    load_roi: Callable[[], np.ndarray] | None = None,
) -> Item:
    """The item of an image that is made together with its mask, see `Item`."""
    return Item(
        name, defect, load=lambda: make()[0], load_mask=lambda: make()[1], load_roi=load_roi
    )


@dataclass(frozen=True)
class Dataset:
    """Images by what they may be used for; no image is in two splits.

    Attributes:
        train: normal images, for the weights of the networks.
        calibration: normal images that nothing trains on, for thresholds and scales.
        adapt: labelled images, which the rule and the choice of the best epoch may see.
        test: labelled images that are read once, at the end; empty under the protocol "paper".
        synthetic: copies of calibration images with synthetic defects.
        synthetic_version: how these are drawn, a key of `VISIBILITY`; 1 is that of 0.1.0.
        notes: what is to be said of the images before they are used, in lines.
    """

    train: tuple[Item, ...]
    calibration: tuple[Item, ...]
    adapt: tuple[Item, ...]
    test: tuple[Item, ...]
    synthetic: tuple[Item, ...] = ()
    synthetic_version: int = 1
    notes: tuple[str, ...] = ()

    def items(self) -> list[tuple[str, Item]]:
        """(split, item) of every image, split by split."""
        return [(split, item) for split in SPLITS for item in getattr(self, split)]


def in_layout(split: str, defect: str | None, stem: str) -> str:
    """Path of a generated image in the folder layout, which tells its split by its name."""
    folder = "train" if split in ("train", "calibration") else "test"
    return f"{folder}/{defect or 'good'}/{split}_{stem}.png"


def mask_path(name: str) -> str:
    """Path of the mask of test/<defect>/<stem>.png: ground_truth/<defect>/<stem>_mask.png."""
    _, defect, file_name = name.split("/")
    return f"ground_truth/{defect}/{file_name.rpartition('.')[0]}_mask.png"
