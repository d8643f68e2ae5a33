"""Training the loss-adapted VAE, and the conventional one beside it (Experiment II)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from awl_vae.callbacks import (
    EpochRow,
    LossAdaptedSearch,
    first_nonfinite,
    has_diverged,
    is_empty,
    of_branch,
    save_model,
)
from awl_vae.models import VAE
from awl_vae.system import write_csv
from awl_vae.system.tasks import Engine
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.experiment import CHECKPOINT, Experiment, TrainingResult
from awl_vae.training.images import RunImages
from awl_vae.training.search_figures import plot_search
from awl_vae.training.search_training import SearchTraining, Where, search_plan
from awl_vae.training.side_by_side import train_side_by_side
from awl_vae.training.trainer import going_on, history_columns


def train(
    images: RunImages[LossAdaptedConfig],
    *,
    methods: tuple[str, str],
    seed: int,
    bar: ProgressBar,
    engine: Engine,
) -> dict[str, TrainingResult]:
    """Searches, and keeps the chosen and the conventional model; see `Experiment.train`."""
    config, directory = images.config, images.path / "loss_adapted" / f"seed-{seed}"
    plan = search_plan(config)
    where = Where(directory, directory / CHECKPOINT, directory / "branches.csv")
    training = SearchTraining(images, seed, plan, where, bar)
    epochs = plan.epochs_left()
    if done := training.resume.initial_epoch:
        name = f"The search with seed {seed}"
        bar.say(going_on(name, quantity(done, "epoch"), training.resume, epochs))
    if engine.is_parallel:
        train_side_by_side(training, images, seed, where, engine, bar)
    else:
        training.fit()
    search = training.search
    plot_search(
        directory / "figures", plan, rows=search.rows, title=f"{config.dataset}, seed {seed}"
    )
    return {
        method: _finish(
            images.path / method / f"seed-{seed}", method, training.trainer.model, search
        )
        for method in methods
    }


def _finish(directory: Path, method: str, model: VAE, search: LossAdaptedSearch) -> TrainingResult:
    """Writes a method's history and its model."""
    path = search.plan.path(search.rows, method)
    _write_history(directory / "history.csv", search.plan.terms, path, method)
    last = path[-1]
    notes = _notes(search) if method == "loss_adapted" else {}
    if has_diverged(path):
        return TrainingResult(
            last.epoch, failed=first_nonfinite(last, search.plan.terms), notes=notes
        )
    search.restore(method)
    save_model(directory / "model.keras", model)
    return TrainingResult(
        last.epoch,
        is_empty=is_empty(dict(last.latents)),
        notes={"loss_unweighted": last.loss_unweighted} | notes,
    )


def _write_history(file: Path, terms: Sequence[str], path: Sequence[EpochRow], method: str) -> None:
    columns = ["epoch", *history_columns(terms, ["adapt_auc"])]
    # The conventional VAE is the first pattern all along; the search has no numbered patterns.
    pattern = {"pattern": 1 if method == "conventional" else None}
    rows = (row.to_json() | dict(row.latents) | pattern for row in path)
    write_csv(file, columns, ({name: row.get(name) for name in columns} for row in rows))


def _notes(search: LossAdaptedSearch) -> dict[str, object]:
    plan, rows = search.plan, search.rows
    branches = dict.fromkeys((row.stage, row.branch) for row in rows)
    done = [of_branch(rows, stage=stage, branch=branch) for stage, branch in branches]
    return {
        "chosen": [plan.chosen(rows, stage) for stage in (2, 3)],
        "out": [
            {"stage": last.stage, "branch": last.branch, "epoch": last.epoch}
            for last in (branch[-1] for branch in done if has_diverged(branch))
        ],
        "trained_epochs": len(rows),
    }


def _announce(config: LossAdaptedConfig, steps_per_epoch: int) -> Iterator[str]:
    plan = search_plan(config)
    stages = [plan.num_epochs(stage) for stage in (1, 2, 3)]
    searched, most, e3 = sum(stages), plan.epochs_left(), config.e3
    yield (
        f"Each search trains {' + '.join(map(str, stages))} = {searched} epochs, and up to "
        f"{most - searched} more for the conventional VAE. A conventional run is {e3}: the search "
        f"takes {searched / e3:.1f} to {most / e3:.1f} times as long."
    )


LOSS_ADAPTED = Experiment(
    runs=lambda config: (("conventional", "loss_adapted"),),
    needs_labels=lambda config: False,
    count_epochs=lambda config: search_plan(config).epochs_left(),
    announce=_announce,
    train=train,
)
"""The loss-adapted search, which carries the conventional VAE along."""
