"""The way that trainings took: weights, chosen epochs, and where the AUROC is lost."""

from collections.abc import Iterator, Mapping, Sequence

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
from awl_vae.study.run_files import Outcome, Study
from awl_vae.study.tables import mean_and_std
from awl_vae.system.markdown import table

EMPTY = 0.1
"""KL divergence in nats under which nothing of the image is left in its latents."""

TRAININGS = (
    *(CONVENTIONAL, BY_LABELS, BASIS, BY_SYNTHETIC, CLIMB, CLIMB_BY_CHOSEN, RECONSTRUCTION),
)


def trajectories_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """How the weights went, and what the choice of the epoch cost, on the adapt images."""
    rows = (
        [dataset, each.title, each.chosen_by, *_cells(outcomes)]
        for dataset in datasets
        for each in TRAININGS
        if (outcomes := list(each.outcomes(study, dataset).values()))
    )
    return table(
        (
            *("dataset", "training", "steered by", "epochs at each KL weight", "rises"),
            *("epochs with another below 1", "epoch chosen", "empty there"),
            *("AUC there", "highest AUC", "AUC at the end"),
        ),
        rows,
    )


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    """What the table has of a training with each of its seeds."""
    histories = [outcome.history() for outcome in outcomes]
    weights, kl, aucs = (
        [history[name] for history in histories] for name in ("weight_kl", "kl", "adapt_auc")
    )
    rises = np.mean([np.sum(np.diff(of_seed) > 0) for of_seed in weights])
    below_one = np.mean([_others_below_one(history) for history in histories])
    chosen = [outcome.entry["epoch"] for outcome in outcomes]
    num_empty = sum(value < EMPTY for value in _at(kl, chosen))
    highest, last = [auc.max() for auc in aucs], [auc[-1] for auc in aucs]
    return [
        epochs_by_weight(weights),
        f"{rises:.1f}",
        f"{below_one:.1f}",
        f"{np.mean(chosen):.0f} ({min(chosen)} to {max(chosen)}) of {len(weights[0])}",
        f"{num_empty}/{len(kl)}",
        *map(mean_and_std, (_at(aucs, chosen), highest, last)),
    ]


def _at(columns: Sequence[np.ndarray], epochs: Sequence[int]) -> list[float]:
    """The values of each seed's column after its epoch."""
    return [column[epoch - 1] for column, epoch in zip(columns, epochs, strict=True)]


def _others_below_one(history: Mapping[str, np.ndarray]) -> int:
    """In how many epochs a term other than the KL divergence had a weight below 1."""
    others = [
        values
        for name, values in history.items()
        if name.startswith("weight_") and name != "weight_kl"
    ]
    return int(np.sum(np.min(others, axis=0) < 1))


def epochs_by_weight(weights: Sequence[np.ndarray]) -> str:
    """How many epochs have each weight, the largest first: mean over the seeds.

    Args:
        weights: of each seed, (epochs,).
    """
    values = sorted({float(value) for of_seed in weights for value in of_seed}, reverse=True)
    means = (np.mean([np.sum(of_seed == value) for of_seed in weights]) for value in values)
    return ", ".join(f"{value:g}: {mean:g}" for value, mean in zip(values, means, strict=True))
