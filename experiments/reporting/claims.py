"""The claims, each with a verdict that its figures give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from evaluation.bootstrap import Interval
from experiments.reporting.files import Study
from experiments.reporting.tables import (
    BASIS,
    BY_LABELS,
    BY_LOSS,
    BY_SYNTHETIC,
    CLIMB,
    CONVENTIONAL,
    FIXED,
    LAST,
    Contestant,
    difference,
    table,
)

AS_WELL = 0.01
"""How much lower an AUC may be that counts as "as good"."""

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
    paper = {
        dataset: _paper_protocol(study, dataset, BY_LABELS, CONVENTIONAL) for dataset in datasets
    }
    points = "difference of AUC on the test images, 95 % interval"
    yield (
        "The AUC-adapted VAE beats the conventional VAE at its best epoch (paper protocol).",
        "difference of AUC on the images that steered, 95 % interval: optimistic for both",
        _present(paper),
    )
    for text, contestant, other, bound in (
        ("It still does on images that did not steer it.", BY_LABELS, CONVENTIONAL, 0.0),
        ("The loss-adapted VAE beats the conventional VAE without labels.", BY_LOSS, LAST, 0.0),
        (
            "Adaptation by synthetic defects does as well as by labels, to a point of AUC.",
            BY_SYNTHETIC,
            BY_LABELS,
            -AS_WELL,
        ),
        (
            "Our rule by synthetic defects does as well as the paper's by labels, to a point.",
            CLIMB,
            BY_LABELS,
            -AS_WELL,
        ),
    ):
        yield text, points, _findings(study, datasets, contestant, other, bound)
    yield (
        "A lower loss means a higher AUC (the paper says that it does not).",
        "minus Spearman's correlation of loss and AUC over the ends of a search's branches, mean "
        "and range over the seeds",
        _present({dataset: _loss_and_auc(study, dataset) for dataset in datasets}),
    )
    yield (
        "Adaptive weights (climb) beat the best fixed weight after as many steps.",
        f"{points}; the fixed weight was chosen of several trainings, so it took their time",
        _findings(study, datasets, CLIMB, FIXED, 0.0),
    )
    yield (
        "The choice of the score matters more than the weights.",
        "gain of AUC by the score that synthetic defects choose, less the gain by adapted weights "
        "(climb), mean and range over the seeds",
        _present({dataset: _score_or_weights(study, dataset) for dataset in datasets}),
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
                    f"{finding.mean:+.4f} [{finding.low:+.4f}, {finding.high:+.4f}]",
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


def _paper_protocol(study, dataset, contestant, other):
    """On all that steered: in a run of the protocol, or where it is the same, in the usual one."""
    run = "labels-paper_protocol"
    if study.get(dataset, run) is not None:
        contestant, other = (
            Contestant(each.title, run, each.method, each.chosen_by) for each in (contestant, other)
        )
    return _finding(difference(study, dataset, contestant, other, splits=("adapt",)))


def _findings(study, datasets, contestant, other, bound):
    return _present(
        {
            dataset: _finding(difference(study, dataset, contestant, other), bound)
            for dataset in datasets
        }
    )


def _finding(interval: Interval | None, bound=0.0):
    if interval is None:
        return None
    return Finding(interval.low, interval.mean, interval.high, bound)


def _loss_and_auc(study, dataset):
    run = study.get(dataset, BY_LOSS.run)
    if run is None:
        return None
    outcomes = run.outcomes("loss_adapted").values()
    return _over_seeds([-_correlation(outcome.branches()) for outcome in outcomes])


def _correlation(rows):
    """Over the branches of the stages 2 and 3, at their last epochs."""
    ends = {(row["stage"], row["branch"]): row for row in rows if row["stage"] != "1"}
    ends = [row for row in ends.values() if row["adapt_auc"]]
    losses, aucs = ([float(row[name]) for row in ends] for name in ("loss_unweighted", "adapt_auc"))
    return spearmanr(losses, aucs).statistic


def _score_or_weights(study, dataset):
    base, climb = (each.outcomes(study, dataset) for each in (BASIS, CLIMB))
    gains = []
    for seed in sorted(set(base) & set(climb)):
        by_score = base[seed].entry["by_score"].values()
        best = max(by_score, key=lambda aucs: aucs["synthetic_auc"])
        gains.append(best["test_auc"] - climb[seed].entry["test_auc"])
    return _over_seeds(gains) if gains else None


def _over_seeds(values):
    return Finding(float(min(values)), float(np.mean(values)), float(max(values)))


def _present(findings):
    return {dataset: finding for dataset, finding in findings.items() if finding is not None}
