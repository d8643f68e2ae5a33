"""The rows of a search: what each of its epochs gave."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

WEIGHT = "weight_"
"""What the name of a weight begins with, before the name of its term."""


@dataclass(frozen=True)
class EpochRow:
    """What one epoch of a branch gave.

    Attributes:
        stage: 1, 2 or 3.
        branch: the name of the branch.
        epoch: the logical epoch, from 1: every branch of a stage counts the same epochs.
        loss: the loss with the weights of the epoch.
        loss_unweighted: the loss with all weights at 1; NaN where the epoch has broken the model.
        terms: by term, its mean over the epoch.
        weights: by term, its weight in the epoch.
        adapt_auc: the AUROC after the epoch, or None where there is none.
        synthetic_auc: the same of synthetic defects, where that chooses branches.
        latents: what the latent variables tell, by the columns of `history.csv`.
    """

    stage: int
    branch: str
    epoch: int
    loss: float
    loss_unweighted: float
    terms: Mapping[str, float]
    weights: Mapping[str, float]
    adapt_auc: float | None
    synthetic_auc: float | None = None
    latents: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The row as one dict, each term under its name and its weight under `weight_<term>`.

        Checkpoints since version 0.1.0 hold rows in this form, with the keys in this order; the
        last ones are there where they are known.
        """
        synthetic = {} if self.synthetic_auc is None else {"synthetic_auc": self.synthetic_auc}
        latents = {"latents": dict(self.latents)} if self.latents else {}
        return {
            "stage": self.stage,
            "branch": self.branch,
            "epoch": self.epoch,
            "loss": self.loss,
            "loss_unweighted": self.loss_unweighted,
            **self.terms,
            **{WEIGHT + term: weight for term, weight in self.weights.items()},
            "adapt_auc": self.adapt_auc,
            **synthetic,
            **latents,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The row that `to_json` gave."""
        terms = [name.removeprefix(WEIGHT) for name in row if name.startswith(WEIGHT)]
        return cls(
            row["stage"],
            row["branch"],
            row["epoch"],
            loss=row["loss"],
            loss_unweighted=row["loss_unweighted"],
            terms={term: row[term] for term in terms},
            weights={term: row[WEIGHT + term] for term in terms},
            adapt_auc=row["adapt_auc"],
            synthetic_auc=row.get("synthetic_auc"),
            latents=row.get("latents", {}),
        )


def of_branch(rows: Sequence[EpochRow], *, stage: int, branch: str | None) -> list[EpochRow]:
    """The rows of one branch in one stage; none where there is no branch."""
    return [row for row in rows if row.stage == stage and row.branch == branch]


def has_diverged(rows: Sequence[EpochRow]) -> bool:
    """Whether the last row's loss is not finite, so that its branch can't be chosen."""
    return bool(rows) and not math.isfinite(rows[-1].loss_unweighted)


def is_over(rows: Sequence[EpochRow], end: int) -> bool:
    """Whether a branch with these rows has reached an epoch, or is out."""
    return bool(rows) and (rows[-1].epoch >= end or has_diverged(rows))


def first_nonfinite(row: EpochRow, terms: Sequence[str]) -> str:
    """The name of what is not finite in a row: the first such term, or the loss."""
    return next((term for term in terms if not math.isfinite(row.terms[term])), "loss_unweighted")
