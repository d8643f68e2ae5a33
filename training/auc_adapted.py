"""Training one VAE with weights that follow the AUC, or that never change (Experiment I)."""

from collections.abc import Iterator
from pathlib import Path

from awl_vae.callbacks import (
    BestModel,
    EpochOrder,
    EventWriter,
    HistoryWriter,
    LossWeightScheduler,
    NonFiniteError,
    Progress,
    Resume,
    StopOnNonFinite,
    is_empty,
)
from awl_vae.callbacks.latents import VARIANCES
from awl_vae.callbacks.rules import ShunsEmpty
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.system import numeric_columns, read_csv
from awl_vae.system.tasks import Engine
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity
from awl_vae.training.balancings import BALANCINGS
from awl_vae.training.config import AUCAdaptedConfig
from awl_vae.training.distribution import strategy_of
from awl_vae.training.experiment import CHECKPOINT, Experiment, TrainingResult
from awl_vae.training.images import RunImages
from awl_vae.training.methods import RULE_METHODS
from awl_vae.training.trainer import Trainer, going_on, history_columns, hyper_parameters

MIN_STEPS = 500
"""Fewer steps than this are worth a word."""

WINDOWS = 20
"""Of a training by the rule "climb", unless they were shorter than two epochs."""


def train(
    images: RunImages[AUCAdaptedConfig],
    *,
    methods: tuple[str],
    seed: int,
    bar: ProgressBar,
    engine: Engine,
) -> dict[str, TrainingResult]:
    """Trains by one method and keeps the model of its best epoch; see `Experiment.train`."""
    (method,) = methods
    config, data = images.config, images.data
    directory = images.path / method / f"seed-{seed}"
    row = RULE_METHODS[method]
    with strategy_of(config.distribute).scope():
        balancing = BALANCINGS[method](config, data) if method in BALANCINGS else None
    trainer = Trainer(config, data, seed, sample_latent=row.sample_latent, balancing=balancing)
    terms, monitor = trainer.terms, SIGNALS[config.adapt_signal].auc
    rule = row.rule(config)
    shuns_empty = isinstance(rule, ShunsEmpty)
    best_model = BestModel(directory / "model.keras", monitor, shuns_empty=shuns_empty)
    aucs = [signal.auc for signal in SIGNALS.values()]
    stateful = [
        LossWeightScheduler(
            rule,
            monitor=monitor,
            best_path=directory / CHECKPOINT / "best.npz",
        ),
        best_model,
        _event_writer(directory, config, trainer, method, seed),
        HistoryWriter(
            directory / "history.csv",
            history_columns(terms, aucs),
            float64=[*aucs, *VARIANCES],
        ),
    ]
    resume = Resume(directory / CHECKPOINT / "latest.npz", stateful)
    # In this order each finds in the logs what it needs of those before it.
    callbacks = [
        EpochOrder(trainer.batches),
        *trainer.watch(*SIGNALS),
        StopOnNonFinite([*terms, "loss", monitor]),
        *stateful,
        resume,
        Progress(
            bar,
            describe=lambda epoch: f"{method} seed {seed}, epoch {epoch} of {config.epochs}",
            epochs_left=lambda epoch: config.epochs - epoch + 1,
        ),
    ]
    set_points = balancing.set_points if balancing else {}
    for name, value in set_points.items():
        bar.say(f"{method} seed {seed}: the {name} is {value:.4g} nats.")
    if resume.initial_epoch:
        done = f"epoch {resume.initial_epoch}"
        bar.say(going_on(f"{method} seed {seed}", done, resume, config.epochs))
    try:
        trainer.fit(callbacks, resume, epochs=config.epochs)
    except NonFiniteError as error:
        return {method: TrainingResult(error.epoch, failed=error.name)}
    history = read_csv(directory / "history.csv")
    aucs_by_epoch = numeric_columns(history)[monitor]
    if (count := aucs_by_epoch.count(best_model.auc)) > 1:
        bar.say(
            f"Note: {method} seed {seed} has its best {monitor}, {best_model.auc:.4g}, after "
            f"{count} epochs and keeps that of epoch {best_model.epoch}, the first, which may "
            "reconstruct little; these images tell no better."
        )
    return {
        method: TrainingResult(
            best_model.epoch,
            is_empty=is_empty(history[best_model.epoch - 1]),
            notes=dict(set_points),
        )
    }


def _event_writer(
    directory: Path, config: AUCAdaptedConfig, trainer: Trainer, method: str, seed: int
) -> EventWriter:
    return EventWriter(
        directory,
        terms=trainer.terms,
        hyper_parameters=hyper_parameters(config, seed, method=method),
        monitor=SIGNALS[config.adapt_signal].auc,
        images=trainer.images_to_show,
    )


def _announce(config: AUCAdaptedConfig, steps_per_epoch: int) -> Iterator[str]:
    switches = "auc_adapted" in config.methods and config.rule in ("paper", "margin")
    if switches and config.epochs <= 2 * config.f_update:
        yield "Note: the weights can change after epoch 2 · f_update only, which is not reached."
    if config.rule == "margin" and config.f_update == 1:
        yield "Note: means of one epoch have no error; --rule=margin takes a longer --f_update."
    if (steps := config.epochs * steps_per_epoch) < MIN_STEPS:
        yield f"Note: {quantity(steps, 'training step')} of the thousands that it takes: --epochs."


AUC_ADAPTED = Experiment(
    runs=lambda config: tuple((method,) for method in config.methods),
    needs_labels=lambda config: config.uses_labels,
    count_epochs=lambda config: config.epochs,
    announce=_announce,
    train=train,
)
"""The methods of `RULE_METHODS`, each trained on its own."""
