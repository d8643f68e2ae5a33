"""Training one VAE with weights that follow the AUC, or that never change (Experiment I)."""

from pathlib import Path

from awl_vae.callbacks import (
    AnnealingRule,
    BestModel,
    ClimbRule,
    EpochOrder,
    EventWriter,
    HistoryWriter,
    NonFiniteError,
    PaperRule,
    PatternSwitcher,
    Progress,
    ProgressBar,
    Resume,
    StopOnNonFinite,
)
from awl_vae.data import PreparedData
from awl_vae.training.config import AUCAdaptedConfig
from awl_vae.training.experiment import CHECKPOINT, Experiment, Trained
from awl_vae.training.trainer import Training, history_columns, hyper_parameters
from awl_vae.losses import DISABLED, PATTERN_SETS, PATTERNS, with_kl_weight

MIN_STEPS = 500
"""Fewer steps than this are worth a word."""

WINDOWS = 20
"""Of a training by the rule "climb", unless they were shorter than two epochs."""

SIGNALS = {"labels": "adapt_auc", "synthetic": "adapt_auc_synthetic"}
"""By `--adapt_signal`, the AUROC that steers the weights and chooses the epoch."""

RULES = {
    "paper": lambda patterns, config: PaperRule(patterns, f_update=config.f_update),
    "climb": lambda patterns, config: ClimbRule(patterns, window=_window(config)),
    "monotonic": lambda patterns, config: _annealing(patterns, config, cycles=1),
    "cyclical": lambda patterns, config: _annealing(patterns, config, cycles=4),
}
"""By `--rule`, the rule of the patterns and the configuration."""


def _window(config):
    # Long enough for what a change of weights does to show, on small data sets, too.
    return max(2, config.epochs // WINDOWS)


def _annealing(patterns, config, cycles):
    return AnnealingRule(patterns[0], epochs=config.epochs, cycles=cycles, floor=DISABLED)


def _conventional(config):
    # Paper: the conventional VAE is the adapted one with F_update = N_epoch (Sect. 4.1.2).
    return PaperRule(PATTERNS[config.likelihood], f_update=config.epochs)


def _auc_adapted(config):
    patterns = PATTERN_SETS[config.patterns][config.likelihood]
    return RULES[config.rule](patterns, config)


def _fixed(config, kl_weight):
    pattern = with_kl_weight(config.likelihood, max(kl_weight, DISABLED))
    return PaperRule([pattern], f_update=config.epochs)


METHODS = {
    "conventional": _conventional,
    "auc_adapted": _auc_adapted,
    "beta_vae": lambda config: _fixed(config, config.kl_weight),
    "autoencoder": lambda config: _fixed(config, DISABLED),
}
"""By `--methods`, the rule of a configuration."""


def train(
    run_dir: Path,
    config: AUCAdaptedConfig,
    data: PreparedData,
    *,
    methods: tuple[str],
    seed: int,
    bar: ProgressBar,
) -> dict[str, Trained]:
    """Trains by one method and keeps the model of its best epoch; see `Experiment.train`."""
    (method,) = methods
    directory = run_dir / method / f"seed-{seed}"
    training = Training(config, data, seed, samples=method != "autoencoder")
    terms, metric = training.terms, SIGNALS[config.adapt_signal]
    best_model = BestModel(directory / "model.keras", metric)
    own = ("f_update", "adapt_signal", "patterns", "rule", "kl_weight")
    stateful = [
        PatternSwitcher(
            METHODS[method](config), metric=metric, best_path=directory / CHECKPOINT / "best.npz"
        ),
        best_model,
        EventWriter(
            directory,
            terms=terms,
            hyper_parameters=hyper_parameters(
                config, seed, method=method, **{name: getattr(config, name) for name in own}
            ),
            metric=metric,
            images=training.pictures,
        ),
        HistoryWriter(
            directory / "history.csv",
            [*history_columns(terms), "adapt_auc_synthetic"],
            float64=SIGNALS.values(),
        ),
    ]
    resume = Resume(directory / CHECKPOINT / "latest.npz", stateful)
    # In this order each finds in the logs what it needs of those before it.
    callbacks = [
        EpochOrder(training.batches),
        *training.watch_aucs(*SIGNALS.values()),
        StopOnNonFinite([*terms, "loss", metric]),
        *stateful,
        resume,
        Progress(
            bar,
            describe=lambda epoch: f"{method} seed {seed}, epoch {epoch} of {config.epochs}",
            epochs_left=lambda epoch: config.epochs - epoch + 1,
        ),
    ]
    if resume.initial_epoch:
        bar.say(f"{method} seed {seed} goes on after epoch {resume.initial_epoch}.")
    try:
        training.fit(callbacks, resume, epochs=config.epochs)
    except NonFiniteError as error:
        return {method: Trained(error.epoch, failed=error.name)}
    return {method: Trained(best_model.epoch)}


def _announce(config, steps_per_epoch):
    switches = "auc_adapted" in config.methods and config.rule == "paper"
    if switches and config.epochs <= 2 * config.f_update:
        yield "Note: the weights can change after epoch 2 · f_update only, which is not reached."
    if (steps := config.epochs * steps_per_epoch) < MIN_STEPS:
        yield f"Note: {steps} training steps are few; it takes thousands: --epochs."


AUC_ADAPTED = Experiment(
    name="auc_adapted",
    runs=lambda config: tuple((method,) for method in config.methods),
    needs_labels=lambda config: config.uses_labels,
    count_epochs=lambda config: config.epochs,
    announce=_announce,
    train=train,
)
"""The methods of `METHODS`, each trained on its own."""
