"""Training one VAE with weights that follow the AUC, or that never change (Experiment I)."""

from pathlib import Path

from callbacks import (
    AdaptAUC,
    BestModel,
    EpochOrder,
    EventWriter,
    HistoryWriter,
    NonFiniteError,
    PatternSwitcher,
    Progress,
    ProgressBar,
    Resume,
    StopOnNonFinite,
)
from data import PreparedData
from experiments.config import AUCAdaptedConfig
from experiments.experiment import CHECKPOINT, Experiment, Trained
from experiments.training import Training, history_columns, hyper_parameters
from losses import PATTERNS

F_UPDATE = {
    # Paper: the conventional VAE is the adapted one with F_update = N_epoch (Sect. 4.1.2).
    "conventional": lambda config: config.epochs,
    "auc_adapted": lambda config: config.f_update,
}
"""F_update of each method, by the configuration."""


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
    training = Training(config, data, seed)
    terms = training.terms
    f_update = F_UPDATE[method](config)
    best_model = BestModel(directory / "model.keras")
    stateful = [
        PatternSwitcher(PATTERNS[config.likelihood], f_update=f_update),
        best_model,
        EventWriter(
            directory,
            terms=terms,
            hyper_parameters=hyper_parameters(config, seed, method=method, f_update=f_update),
            images=training.pictures,
        ),
        HistoryWriter(
            directory / "history.csv",
            history_columns(terms),
            float64=["adapt_auc"],
        ),
    ]
    resume = Resume(directory / CHECKPOINT / "latest.npz", stateful)
    # In this order each finds in the logs what it needs of those before it.
    callbacks = [
        EpochOrder(training.batches),
        AdaptAUC(data.labels["adapt"], training.score_adapt),
        StopOnNonFinite([*terms, "loss", "adapt_auc"]),
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


def _announce(config):
    if config.epochs <= 2 * config.f_update:
        return "Note: the weights can change after epoch 2 · f_update only, which is not reached."
    return ""


AUC_ADAPTED = Experiment(
    name="auc_adapted",
    runs=tuple((method,) for method in F_UPDATE),
    needs_labels=True,
    count_epochs=lambda config: config.epochs,
    announce=_announce,
    train=train,
)
"""The conventional and the AUC-adapted VAE, each trained on its own."""
