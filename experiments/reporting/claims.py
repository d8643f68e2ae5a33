"""The claims, each with a verdict that its figures give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from evaluation.bootstrap import Interval
from experiments.reporting.contestants import (
    BASIS,
    BY_LABELS,
    BY_LOSS,
    BY_SYNTHETIC,
    CLIMB,
    CLIMB_BY_CHOSEN,
    CONVENTIONAL,
    FIXED,
    HELDOUT,
    LAST,
    PAPER,
    difference,
    interval,
)
from experiments.reporting.files import Study
from experiments.reporting.tables import table
from experiments.study_runs import CHOSEN_SCORE, JUDGED

AS_WELL = 0.01
"""How much lower an AUC may be that counts as "as good"."""

GOOD = 0.85
"""The AUC aimed at, set before it was measured."""

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


@dataclass(frozen=True)
class Finding:
    """What one dataset says of a claim.

    Attributes:
        low, mean, high: the figure with its interval, or with the range over the seeds.
        bound: what it has to be above.
    """

    low: float
    mean: float
    high: float
    bound: float = 0.0

    @property
    def verdict(self) -> str:
        """Holds where all of the interval is above the bound, fails where none of it is."""
        if self.low > self.bound:
            return HOLDS
        return FAILS if self.high <= self.bound else UNDECIDED


def claims(study: Study, datasets: Sequence[str]) -> Iterator[tuple[str, str, dict]]:
    """(claim, what its figures are, findings by dataset)."""

    def versus(contestant, other, protocol=HELDOUT, bound=0.0):
        found = {each: difference(study, each, contestant, other, protocol) for each in datasets}
        return _findings(found, bound)

    points = "difference of AUC on the test images, 95 % interval"
    yield (
        "The AUC-adapted VAE beats the conventional VAE at its best epoch (paper protocol).",
        "difference of AUC on the images that steered, 95 % interval: optimistic for both",
        versus(BY_LABELS, CONVENTIONAL, PAPER),
    )
    yield (
        "It still does on images that did not steer it.",
        points,
        versus(BY_LABELS, CONVENTIONAL),
    )
    yield (
        "The loss-adapted VAE beats the conventional VAE without labels.",
        points,
        versus(BY_LOSS, LAST),
    )
    yield (
        "Adaptation by synthetic defects does as well as by labels, to a point of AUC.",
        points,
        versus(BY_SYNTHETIC, BY_LABELS, bound=-AS_WELL),
    )
    yield (
        "Our rule (climb) by synthetic defects does as well as the paper's by labels, to a point.",
        points,
        versus(CLIMB, BY_LABELS, bound=-AS_WELL),
    )
    yield (
        "A lower loss means a higher AUC (the paper says that it does not).",
        "minus Spearman's correlation of loss and AUC over the ends of a search's branches, mean "
        "and range over the seeds",
        {each: found for each in datasets if (found := _loss_and_auc(study, each))},
    )
    yield (
        "Adaptive weights (climb) beat the best fixed weight after as many steps.",
        f"{points}; the fixed weight was chosen of several trainings, so it took their time",
        versus(CLIMB, FIXED),
    )
    yield (
        "The choice of the score matters more than the weights.",
        f"AUC of the conventional VAE with the score {CHOSEN_SCORE}, which synthetic defects chose "
        "on the paper's datasets, less that of adapted weights (climb) with the dataset's own "
        "score; 95 % interval",
        versus(BASIS.by(CHOSEN_SCORE), CLIMB),
    )
    yield (
        f"Without any label, climb and the score {CHOSEN_SCORE} reach an AUC of {100 * GOOD:.0f} % "
        "on real photographs.",
        "AUC on the test images, 95 % interval",
        _findings(
            {each: interval(study, each, CLIMB_BY_CHOSEN) for each in datasets if each in JUDGED},
            GOOD,
        ),
    )


def claims_lines(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """The claims as Markdown."""
    for number, (text, measure, findings) in enumerate(claims(study, datasets), 1):
        yield f"### {number}. {text}"
        yield ""
        if not findings:
            yield "Not run yet."
            yield ""
            continue
        yield f"{_sentence(findings)} Figures: {measure}."
        yield ""
        yield from table(
            ("dataset", "figure", "verdict"),
            (
                [
                    dataset,
                    f"{finding.mean:+.3f} [{finding.low:+.3f}, {finding.high:+.3f}]",
                    finding.verdict,
                ]
                for dataset, finding in findings.items()
            ),
        )
        yield ""


def _sentence(findings: Mapping[str, Finding]) -> str:
    parts = []
    for verdict in (HOLDS, FAILS, UNDECIDED):
        names = [name for name, finding in findings.items() if finding.verdict == verdict]
        if len(names) == len(findings):
            return f"**{verdict.capitalize()}** on every dataset."
        if names:
            parts.append(f"**{verdict}** on {', '.join(names)}")
    text = "; ".join(parts)
    return f"{text[:2]}{text[2].upper()}{text[3:]}."


def _findings(intervals: Mapping[str, Interval | None], bound):
    return {
        dataset: Finding(found.low, found.mean, found.high, bound)
        for dataset, found in intervals.items()
        if found is not None
    }


def _loss_and_auc(study, dataset):
    run = study.get(dataset, BY_LOSS.run)
    if run is None:
        return None
    outcomes = run.outcomes("loss_adapted").values()
    values = [_correlation(outcome.branches()) for outcome in outcomes]
    values = [-value for value in values if value is not None]
    if not values:
        return None
    return Finding(float(min(values)), float(np.mean(values)), float(max(values)))


def _correlation(rows):
    """Over the branches of the stages 2 and 3, at their last epochs."""
    ends = {(row["stage"], row["branch"]): row for row in rows if row["stage"] != "1"}
    ends = [row for row in ends.values() if row["adapt_auc"]]
    losses, aucs = ([float(row[name]) for row in ends] for name in ("loss_unweighted", "adapt_auc"))
    return spearmanr(losses, aucs).statistic if np.ptp(losses) and np.ptp(aucs) else None
