"""Training the loss-adapted VAE, and the conventional one beside it (Experiment II)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from awl_vae.callbacks import (
    BranchEventWriter,
    EpochRow,
    LossAdaptedSearch,
    Progress,
    Resume,
    SearchPlan,
    first_nonfinite,
    has_diverged,
    is_empty,
    of_branch,
    save_model,
)
from awl_vae.callbacks.search.moving_weight import Motion, moving_branches
from awl_vae.callbacks.search.plan import SearchStep
from awl_vae.data import PreparedData
from awl_vae.losses import BRANCHES, DISABLED, TERMS
from awl_vae.models import VAE
from awl_vae.system import write_csv
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.experiment import CHECKPOINT, Experiment, TrainingResult
from awl_vae.training.search_figures import plot_search
from awl_vae.training.trainer import Trainer, going_on, history_columns, hyper_parameters


def train(
    run_dir: Path,
    config: LossAdaptedConfig,
    data: PreparedData,
    *,
    methods: tuple[str, str],
    seed: int,
    bar: ProgressBar,
) -> dict[str, TrainingResult]:
    """Searches, and keeps the chosen and the conventional model; see `Experiment.train`."""
    directory = run_dir / "loss_adapted" / f"seed-{seed}"
    trainer = Trainer(config, data, seed)
    plan = search_plan(config)
    search = LossAdaptedSearch(
        plan,
        batches=trainer.batches,
        snapshot_dir=directory / CHECKPOINT / "models",
        branches_path=directory / "branches.csv",
        say=lambda text: bar.say(f"seed {seed}, {text}"),
    )
    resume = Resume(directory / CHECKPOINT / "latest.npz", [search])
    # In this order each finds in the logs, and in the search, what it needs of those before it.
    callbacks = [
        *trainer.watch_aucs(*_watched(config)),
        trainer.watch_latents(),
        BranchEventWriter(
            directory,
            search,
            hyper_parameters=hyper_parameters(config, seed),
            images=trainer.images_to_show,
        ),
        search,
        resume,
        Progress(
            bar,
            describe=lambda _: f"seed {seed}, {_describe(plan, search.step)}",
            epochs_left=lambda _: plan.epochs_left(search.rows),
        ),
    ]
    epochs = plan.epochs_left()
    if resume.initial_epoch:
        done = quantity(resume.initial_epoch, "epoch")
        bar.say(going_on(f"The search with seed {seed}", done, resume, epochs))
    trainer.fit(callbacks, resume, epochs=epochs)
    plot_search(
        directory / "figures", plan, rows=search.rows, title=f"{config.dataset}, seed {seed}"
    )
    return {
        method: _finish(run_dir / method / f"seed-{seed}", method, trainer.model, search)
        for method in methods
    }


def _watched(config: LossAdaptedConfig) -> Iterator[str]:
    """The signals whose AUC is looked at: that of labels is reported on and chooses nothing."""
    yield "labels"
    if config.selection_loss == "synthetic_auc":
        yield "synthetic"


def search_plan(config: LossAdaptedConfig) -> SearchPlan:
    """The plan of a configuration."""
    return SearchPlan(
        moving_branches(BRANCHES[config.likelihood], config.directions),
        terms=TERMS[config.likelihood],
        ends=(config.e1, config.e2, config.e3),
        motion=Motion(
            floor=DISABLED,
            rise=config.rise,
            window=config.slope_window,
            patience=config.patience,
        ),
        selection_loss=config.selection_loss,
        search=config.search,
    )


def _describe(plan: SearchPlan, step: SearchStep) -> str:
    names = list(plan.branches)
    branch = "the conventional VAE"
    if step.stage > 1 and step.branch in names:
        branch = f"branch {names.index(step.branch) + 1} of {len(names)} ({step.branch})"
    end = plan.ends[step.stage - 1]
    return f"stage {step.stage} of 3, {branch}, epoch {step.epoch} of {end}"


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
