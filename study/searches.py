"""What the searches of the loss-adapted VAE did: how far, how long, and loss against AUROC."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import rankdata

from awl_vae.evaluation.intervals import Interval, seeds_interval
from awl_vae.study.compared_methods import BY_LOSS
from awl_vae.study.grid import SEARCHES
from awl_vae.study.run_files import Outcome, Study, StudyRun
from awl_vae.system.markdown import NOTHING, table


def searches_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """How far the weights of the chosen paths went, and how far apart the branches' losses are."""
    runs = (study.get(dataset, name) for dataset in datasets for name in SEARCHES)
    rows = (_row(run) for run in runs if run is not None and run.outcomes(BY_LOSS.name))
    return table(
        (
            *("dataset", "search", "seeds", "lowest weight at the end", "on any branch"),
            *("highest at the end", "losses apart, stage 2 (nats)", "stage 3 (nats)"),
            *("epochs, times those of one training", "AUC, test, %"),
        ),
        rows,
    )


def _row(run: StudyRun) -> list[str]:
    outcomes = run.outcomes(BY_LOSS.name).values()
    branches = [outcome.branches() for outcome in outcomes]
    cells = [_range(map(_lowest_at_the_end, outcomes)), _range(map(_lowest_of_all, branches))]
    cells.append(_range(max(_at_the_last(outcome)) for outcome in outcomes))
    for stage in ("2", "3"):
        found = (_at_the_end(rows, stage, run.config) for rows in branches)
        cells.append(_range(np.ptp(losses) for losses, _ in found if len(losses)))
    efforts = (outcome.entry["trained_epochs"] / run.config["e3"] for outcome in outcomes)
    aucs = (100 * outcome.entry["test_auc"] for outcome in outcomes)
    about = ", ".join(SEARCHES[run.name]) or "the paper's"
    return [run.dataset, about, str(len(outcomes)), *cells, _range(efforts), _range(aucs)]


def _range(values: Iterable[float]) -> str:
    """The lowest and the highest of the seeds."""
    values = list(values)
    return f"{min(values):.4g} to {max(values):.4g}" if values else NOTHING


def _lowest_at_the_end(outcome: Outcome) -> float:
    return min(_at_the_last(outcome))


def _at_the_last(outcome: Outcome) -> list[float]:
    """The weights of the last epoch."""
    history = outcome.history()
    return [values[-1] for name, values in history.items() if name.startswith("weight_")]


def _lowest_of_all(rows: Sequence[Mapping[str, str]]) -> float:
    return min(float(row[name]) for row in rows for name in row if name.startswith("weight_"))


def loss_and_auc(study: Study, dataset: str) -> Interval | None:
    """`correlation` over the seeds, with an interval that ends where correlations do."""
    run = study.get(dataset, BY_LOSS.run)
    if run is None:
        return None
    outcomes = run.outcomes(BY_LOSS.name).values()
    of_seeds = [correlation(outcome.branches(), run.config) for outcome in outcomes]
    defined = [value for value in of_seeds if value is not None]
    if not defined:
        return None
    found = seeds_interval(defined)
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0))


def correlation(rows: Sequence[Mapping[str, str]], ends: Mapping[str, int]) -> float | None:
    """Correlation of the ranks of falling loss and rising AUROC, each less its mean in the stage.

    Args:
        rows: those of `branches.csv`.
        ends: by "e2" and "e3", the last epochs of the stages.

    Returns:
        None where it is not defined.
    """
    losses: list[float] = []
    aucs: list[float] = []
    for stage in ("2", "3"):
        loss, auc = _at_the_end(rows, stage, ends)
        if len(loss):
            ranks = rankdata((-loss, auc), axis=1)
            centred = ranks - ranks.mean(axis=1, keepdims=True)
            losses += list(centred[0])
            aucs += list(centred[1])
    if len(losses) < 3 or not np.ptp(losses) or not np.ptp(aucs):
        return None
    return float(np.corrcoef(losses, aucs)[0, 1])


def _at_the_end(
    rows: Sequence[Mapping[str, str]], stage: str, ends: Mapping[str, int]
) -> np.ndarray:
    """(2, branches): losses and AUROCs at the end of a stage; those that are not finite go."""
    found = [
        (float(row["loss_unweighted"]), float(row["adapt_auc"]))
        for row in rows
        if row["stage"] == stage and int(row["epoch"]) == ends[f"e{stage}"] and row["adapt_auc"]
    ]
    return np.array([pair for pair in found if np.isfinite(pair).all()]).reshape(-1, 2).T
