"""Training one VAE with weights that follow the AUC, or that never change."""

from collections.abc import Mapping
from pathlib import Path

import keras

from callbacks import (
    AdaptAUC,
    BestModel,
    EpochOrder,
    EventWriter,
    HistoryWriter,
    PatternSwitcher,
    Progress,
    ProgressBar,
    Resume,
    StopOnNonFinite,
)
from data import PreparedData, TrainingBatches, scoring_batches
from evaluation import SCORES, Scorer
from experiments.config import Config
from experiments.outcome import SCORING_BATCH_SIZE, example_indices
from experiments.runtime import start_run
from losses import PATTERNS, TERMS
from models import VAE

CHECKPOINT = "checkpoint.npz"
"""What a run goes on from; to be removed when nothing is left to do."""

F_UPDATE = {
    # Paper: the conventional VAE is the adapted one with F_update = N_epoch (Sect. 4.1.2).
    "conventional": lambda config: config.epochs,
    "auc_adapted": lambda config: config.f_update,
}
"""F_update of each method, by the configuration."""


def train(
    directory: Path,
    config: Config,
    data: PreparedData,
    *,
    method: str,
    seed: int,
    bar: ProgressBar,
) -> int:
    """Trains by one method with one seed, from where an earlier process was cut off.

    Leaves `model.keras` of the best epoch, `history.csv`, and TensorBoard's events.

    Args:
        directory: where the files go.
        config: the settings.
        data: the images.
        method: a key of `F_UPDATE`.
        seed: seed of initialisation, order and noise.
        bar: advanced by one for each batch.

    Returns:
        The epoch of the best model, from 1.

    Raises:
        NonFiniteError: If a loss term or a score is no finite number.
    """
    start_run(seed)
    model = VAE(
        config.image_size,
        latent_dim=config.latent_dim,
        likelihood=config.likelihood,
        seed=seed,
        dtype=config.dtype_policy,
    )
    model.compile(optimizer=keras.optimizers.Adam(config.learning_rate))
    batches = TrainingBatches(
        data.cache, data.positions["train"], batch_size=config.batch_size, seed=seed
    )
    switcher = PatternSwitcher(PATTERNS[config.likelihood], f_update=F_UPDATE[method](config))
    best_model = BestModel(directory / "model.keras")
    *others, resume = _callbacks(directory, config, data, model, batches, switcher, best_model)
    if resume.initial_epoch:
        bar.skip(resume.initial_epoch * batches.steps_per_epoch)
        bar.say(f"{method} seed {seed} goes on after epoch {resume.initial_epoch}.")
    model.fit(
        batches.dataset,
        epochs=config.epochs,
        initial_epoch=resume.initial_epoch,
        callbacks=[*others, resume, Progress(bar, f"{method} seed {seed}")],
        shuffle=False,
        verbose=0,
    )
    return best_model.epoch


def _callbacks(directory, config, data, model, batches, switcher, best_model):
    """The callbacks in the one order in which each finds in the logs what it needs."""
    terms = TERMS[config.likelihood]
    scorer = Scorer(model, SCORES[config.score], config.image_size)
    adapt = scoring_batches(data.cache, data.positions["adapt"], SCORING_BATCH_SIZE)
    examples = data.images("adapt", example_indices(data))
    weights = [f"weight_{term}" for term in terms]
    stateful = [
        switcher,
        best_model,
        EventWriter(
            directory,
            terms=terms,
            hyper_parameters=_hyper_parameters(config, switcher, model),
            images=lambda: _pictures(examples, scorer.reconstruct(examples)),
        ),
        HistoryWriter(
            directory / "history.csv",
            ["loss", *terms, *weights, "pattern", "adapt_auc"],
            float64=["adapt_auc"],
        ),
    ]
    return [
        EpochOrder(batches),
        StopOnNonFinite([*terms, "loss"]),
        AdaptAUC(data.labels["adapt"], lambda: scorer(adapt)),
        *stateful,
        Resume(directory / CHECKPOINT, stateful),
    ]


def _hyper_parameters(config, switcher, model) -> Mapping:
    names = ("dataset", "likelihood", "score", "latent_dim", "batch_size", "learning_rate")
    settings = {name: getattr(config, name) for name in names}
    return settings | {"epochs": config.epochs, "f_update": switcher.f_update, "seed": model.seed}


def _pictures(x, x_hat) -> Mapping:
    error = (x - x_hat) ** 2
    return {"input": x, "reconstruction": x_hat, "squared_error": error / error.numpy().max()}
