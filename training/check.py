"""What is wrong with a folder of images, with what training would make of them.

It stands here, since what tells the classes apart takes `evaluation`, and how many images a
threshold takes `detection`: `data`, which looks at the images, may import neither.
"""

import bisect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from awl_vae.data.check import Concern, Report, Survey, Table, counts_table, defects_table
from awl_vae.data.layout import NORMAL
from awl_vae.data.measure import Measured
from awl_vae.data.splits import num_calibration
from awl_vae.detection.false_alarms import supports
from awl_vae.detection.thresholds import num_needed

STRONG = 0.75
"""AUC from which, or from one minus which, something is said to tell the classes apart."""

CHANCE = 0.005
"""Probability, of a rank test, below which such an AUC is no chance.

The test is exact for few images without ties. Where nothing tells the classes apart,
at most 3 % of folders have such a number among the six.
"""

FEATURES = {
    "brightness": lambda image: image.brightness,
    "contrast": lambda image: image.contrast,
    "brightness of the border": lambda image: image.border,
    "file size in bytes": lambda image: image.num_bytes,
    "height": lambda image: image.size[0],
    "width": lambda image: image.size[1],
}
"""By name, what an image has that has nothing to do with a defect."""


@dataclass(frozen=True)
class Separation:
    """How well one number tells anomalous images from normal ones.

    Attributes:
        name: the number.
        auc: the probability that an anomalous image has more of it than a normal one.
        chance: how probable an AUC so far from one half is, where the classes do not differ.
    """

    name: str
    auc: float
    chance: float

    @property
    def is_strong(self) -> bool:
        """Whether it is far from one half, and no chance."""
        return max(self.auc, 1.0 - self.auc) >= STRONG and self.chance < CHANCE


def separations(labels: np.ndarray, numbers: Mapping[str, np.ndarray]) -> Iterator[Separation]:
    """How well each of some numbers tells the classes apart.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous.
        numbers: by name, (N,).

    Yields:
        One for each; none where a class is missing.
    """
    from scipy.stats import mannwhitneyu  # takes long to import

    from awl_vae.evaluation import auroc

    if len(np.unique(labels)) < 2:
        return
    for name, values in numbers.items():
        chance = 1.0
        if np.ptp(values):
            chance = float(mannwhitneyu(values[labels == 1], values[labels == 0]).pvalue)
        yield Separation(name, auroc(labels, values), chance)


def separations_of(images: Iterable[Measured]) -> Iterator[Separation]:
    """How well each of `FEATURES` tells the classes of the labelled images apart."""
    # Copies are no more evidence.
    distinct = {(image.digest, image.label): image for image in images if image.split == "test"}
    labelled = list(distinct.values())
    labels = np.array([image.label for image in labelled], np.int64)
    numbers = {
        name: np.array([number(image) for image in labelled], float)
        for name, number in FEATURES.items()
    }
    yield from separations(labels, numbers)


def separation_concerns(found: Iterable[Separation]) -> Iterator[Concern]:
    """What is to be said of numbers that tell the classes apart."""
    for each in found:
        if each.is_strong:
            way = "higher" if each.auc > 0.5 else "lower"
            yield Concern(
                "labels without a look",
                f"{each.name} alone tells the classes apart, {way} in anomalous images, with an "
                f"AUC of {each.auc:.2f}: by the defects, or by how the images were taken",
            )


def calibration_concerns(num_given: int, false_alarm_rate: float) -> Iterator[Concern]:
    """What is to be said where the images for calibration are too few for a threshold.

    Args:
        num_given: how many there are.
        false_alarm_rate: the rate that is asked for, in (0, 1).
    """
    if not supports(num_given, false_alarm_rate):
        enough = bisect.bisect_left(
            range(sys.maxsize),
            True,
            lo=2,
            key=lambda count: supports(num_calibration(count), false_alarm_rate),
        )
        needed = num_needed(false_alarm_rate)
        yield Concern(
            "images for calibration",
            f"a threshold for a rate of false alarms of {false_alarm_rate:g} takes {needed} images "
            f"for calibration, and there are {num_given}; of {enough} images in train/{NORMAL} "
            f"{num_calibration(enough)} are kept for it. awl-vae fit takes all, each held out once",
        )


def check(survey: Survey, false_alarm_rate: float) -> Report:
    """What a folder is, and what is wrong with it.

    Args:
        survey: what was seen of it.
        false_alarm_rate: the rate of false alarms that is wanted, in (0, 1).
    """
    layout = survey.layout
    apart = list(separations_of(survey.images))
    return Report(
        f"Images in {layout.root}",
        [
            table
            for table in (counts_table(survey), _apart(apart), defects_table(survey))
            if table.rows
        ],
        [
            *survey.concerns(),
            *separation_concerns(apart),
            *calibration_concerns(num_calibration(len(layout.normal)), false_alarm_rate),
        ],
    )


def _apart(found: Sequence[Separation]) -> Table:
    return Table(
        "What tells labelled anomalous images from normal ones without a look at the product",
        ("number", "AUC", "chance of such an AUC"),
        [(each.name, f"{each.auc:.3f}", f"{each.chance:.2g}") for each in found],
        f"An AUC of 0.5 tells nothing. One of at least {STRONG:g} or at most {1 - STRONG:g} is "
        f"something to look at where its chance is below {CHANCE:g} (rank test of Mann and "
        "Whitney).",
    )
