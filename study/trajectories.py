"""The way that trainings took: weights, chosen epochs, and where the AUROC is lost."""

from collections.abc import Iterator, Sequence

import numpy as np

from awl_vae.study.compared_methods import (
    BASIS,
    BY_LABELS,
    BY_SYNTHETIC,
    CLIMB,
    CLIMB_BY_CHOSEN,
    CONVENTIONAL,
    RECONSTRUCTION,
)
from awl_vae.study.run_files import Study
from awl_vae.study.tables import mean_and_std
from awl_vae.system.markdown import table

EMPTY = 0.1
"""KL divergence in nats under which nothing of the image is left in its latents."""

TRAININGS = (
    *(CONVENTIONAL, BY_LABELS, BASIS, BY_SYNTHETIC, CLIMB, CLIMB_BY_CHOSEN, RECONSTRUCTION),
)


def paths_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """How the weights went, and what the choice of the epoch cost, on the adapt images."""
    rows = []
    for dataset in datasets:
        for each in TRAININGS:
            outcomes = each.outcomes(study, dataset).values()
            if not outcomes:
                continue
            histories = [outcome.history() for outcome in outcomes]
            weights = [history["weight_kl"] for history in histories]
            rises = np.mean([np.sum(np.diff(of_seed) > 0) for of_seed in weights])
            cells = [dataset, each.title, each.chosen_by, epochs_by_weight(weights), f"{rises:.1f}"]
            cells.append(f"{np.mean(list(map(_others_below_one, histories))):.1f}")
            chosen = [outcome.entry["epoch"] for outcome in outcomes]
            spread = f"{np.mean(chosen):.0f} ({min(chosen)} to {max(chosen)})"
            cells.append(f"{spread} of {len(weights[0])}")
            kl, aucs = ([history[name] for history in histories] for name in ("kl", "adapt_auc"))
            cells.append(f"{sum(value < EMPTY for value in _at(kl, chosen))}/{len(kl)}")
            highest, last = [auc.max() for auc in aucs], [auc[-1] for auc in aucs]
            cells += map(mean_and_std, (_at(aucs, chosen), highest, last))
            rows.append(cells)
    return table(
        (
            *("dataset", "training", "steered by", "epochs at each KL weight", "rises"),
            *("epochs with another below 1", "epoch chosen", "empty there"),
            *("AUC there", "highest AUC", "AUC at the end"),
        ),
        rows,
    )


def _at(columns, epochs):
    """The values of each seed's column after its epoch."""
    return [column[epoch - 1] for column, epoch in zip(columns, epochs, strict=True)]


def _others_below_one(history):
    """In how many epochs a term other than the KL divergence had a weight below 1."""
    others = [
        v for name, v in history.items() if name.startswith("weight_") and name != "weight_kl"
    ]
    return np.sum(np.min(others, axis=0) < 1)


def epochs_by_weight(weights: Sequence[np.ndarray]) -> str:
    """How many epochs have each weight, the largest first: mean over the seeds.

    Args:
        weights: of each seed, (epochs,).
    """
    values = sorted({float(value) for of_seed in weights for value in of_seed}, reverse=True)
    means = (np.mean([np.sum(of_seed == value) for of_seed in weights]) for value in values)
    return ", ".join(f"{value:g}: {mean:g}" for value, mean in zip(values, means, strict=True))
