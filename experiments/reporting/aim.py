"""What our rule was to reach, whether it did, and where the AUROC is lost."""

from collections.abc import Iterator, Sequence

import numpy as np

from experiments.markdown import NOTHING, table
from experiments.reporting.contestants import (
    BASIS,
    BY_LABELS,
    BY_SYNTHETIC,
    CLIMB,
    CLIMB_BY_CHOSEN,
    FIXED,
    HELDOUT,
    PCA,
    RECONSTRUCTION,
    difference,
)
from experiments.reporting.files import Study
from experiments.reporting.tables import mean_and_std, signed

AIMED_AT = (FIXED, BY_LABELS)
"""What climb was to be at least as good as, on every dataset."""

OTHERS = (BASIS, BY_SYNTHETIC, RECONSTRUCTION, PCA)


def aim_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Climb less what it was to reach and less others, and whether the means reach the aim."""
    found = {
        each: [difference(study, dataset, CLIMB, each, HELDOUT) for dataset in datasets]
        for each in (*AIMED_AT, *OTHERS)
    }
    rows = [
        [each.title, each.chosen_by, *map(signed, differences)]
        for each, differences in found.items()
    ]
    verdicts = map(_verdict, *(found[each] for each in AIMED_AT))
    rows.insert(len(AIMED_AT), ["**Aim**", "by the means", *verdicts])
    return table(("climb less", "epoch chosen by", *datasets), rows)


def _verdict(*differences):
    if None in differences:
        return NOTHING
    return "reached" if all(each.mean >= 0 for each in differences) else "missed"


def paths_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """How the KL weight went, and what the choice of the epoch cost, on the adapt images."""
    rows = []
    for dataset in datasets:
        for each in (BY_LABELS, BY_SYNTHETIC, CLIMB, CLIMB_BY_CHOSEN, RECONSTRUCTION):
            outcomes = each.outcomes(study, dataset).values()
            if not outcomes:
                continue
            histories = [outcome.history() for outcome in outcomes]
            weights = [history["weight_kl"] for history in histories]
            aucs = [history["adapt_auc"] for history in histories]
            chosen = [outcome.entry["epoch"] for outcome in outcomes]
            at_chosen = [auc[epoch - 1] for auc, epoch in zip(aucs, chosen, strict=True)]
            rises = np.mean([np.sum(np.diff(of_seed) > 0) for of_seed in weights])
            cells = [dataset, each.title, each.chosen_by, epochs_by_weight(weights), f"{rises:.1f}"]
            cells.append(f"{np.mean(chosen):.0f} ({min(chosen)} to {max(chosen)})")
            highest, last = [auc.max() for auc in aucs], [auc[-1] for auc in aucs]
            cells += map(mean_and_std, (at_chosen, highest, last))
            rows.append(cells)
    return table(
        (
            *("dataset", "training", "steered by", "epochs at each KL weight", "rises"),
            *("epoch chosen", "AUC there", "highest AUC", "AUC at the end"),
        ),
        rows,
    )


def epochs_by_weight(weights: Sequence[np.ndarray]) -> str:
    """How many epochs have each weight, the largest first: mean over the seeds.

    Args:
        weights: of each seed, (epochs,).
    """
    values = sorted({float(value) for of_seed in weights for value in of_seed}, reverse=True)
    means = (np.mean([np.sum(of_seed == value) for of_seed in weights]) for value in values)
    return ", ".join(f"{value:g}: {mean:g}" for value, mean in zip(values, means, strict=True))
