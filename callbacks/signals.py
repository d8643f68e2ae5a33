"""The AUROCs that are looked at after each epoch, one of which steers: a row of `SIGNALS` each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """How `summary.md` explains its tables.

    Attributes:
        epoch: the epoch that they are read at.
        steered: what the adapt images did.
        threshold: which threshold the test images were judged by.
    """

    epoch: str
    steered: str
    threshold: str


@dataclass(frozen=True)
class Signal:
    """What may steer the weights, and choose the epoch and the threshold.

    Attributes:
        about: what it is, for `--help`.
        auc: the name of its AUROC in the logs and its column of `history.csv`.
        splits: the images that it is of, normal and anomalous together.
        name: what its AUROC is called in the progress bar, and by TensorBoard after `auc/`.
        label: what its AUROC is called in figures.
        uses_labels: whether labelled images choose anything where it steers.
        wording: how the tables are explained where it steers.
    """

    about: str
    auc: str
    splits: tuple[str, ...]
    name: str
    label: str
    uses_labels: bool
    wording: Wording


SIGNALS = {
    "labels": Signal(
        about="the labelled images",
        auc="adapt_auc",
        splits=("adapt",),
        name="adapt",
        label="AUC, adapt images",
        uses_labels=True,
        wording=Wording(
            epoch="at the epoch of each run's highest AUC on the adapt images",
            steered="They steered the training and chose the epoch and the threshold: the figures "
            "are optimistic.",
            threshold="the threshold of the adapt images",
        ),
    ),
    "synthetic": Signal(
        about="normal calibration images, by the AUC against copies of them with synthetic "
        "defects, so that no label is needed",
        auc="adapt_auc_synthetic",
        splits=("calibration", "synthetic"),
        name="synthetic",
        label="AUC, synthetic defects",
        uses_labels=False,
        wording=Wording(
            epoch="at the epoch of each run's highest AUC of calibration images against copies of "
            "them with synthetic defects",
            steered="They chose nothing: neither weights nor epoch nor threshold saw a label.",
            threshold="the threshold of the calibration images",
        ),
    ),
}
"""By the names that `--adapt_signal` takes, in the order of the columns of `history.csv`."""
