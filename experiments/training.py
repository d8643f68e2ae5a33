"""Training one VAE with weights that follow the AUC, or that never change."""

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
"""What a run goes on from, as long as it is not finished."""

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
    model = _build(config, seed)
    batches = TrainingBatches(
        data.cache,
        data.positions["train"],
        batch_size=config.batch_size,
        seed=seed,
        repeats=config.repeats,
    )
    scorer = Scorer(model, SCORES[config.score], config.image_size)
    adapt = scoring_batches(data.cache, data.positions["adapt"], SCORING_BATCH_SIZE)
    terms = TERMS[config.likelihood]
    f_update = F_UPDATE[method](config)
    best_model = BestModel(directory / "model.keras")
    stateful = [
        PatternSwitcher(PATTERNS[config.likelihood], f_update=f_update),
        best_model,
        EventWriter(
            directory,
            terms=terms,
            hyper_parameters=_hyper_parameters(config, method, f_update, seed),
            images=_pictures(data.images("adapt", example_indices(data)), scorer),
        ),
        HistoryWriter(
            directory / "history.csv",
            ["loss", *terms, *(f"weight_{term}" for term in terms), "pattern", "adapt_auc"],
            float64=["adapt_auc"],
        ),
    ]
    resume = Resume(directory / CHECKPOINT, stateful)
    if resume.initial_epoch:
        bar.skip(resume.initial_epoch * batches.steps_per_epoch)
        bar.say(f"{method} seed {seed} goes on after epoch {resume.initial_epoch}.")
    model.fit(
        batches.dataset,
        epochs=config.epochs,
        initial_epoch=resume.initial_epoch,
        # In this order each finds in the logs what it needs of those before it.
        callbacks=[
            EpochOrder(batches),
            StopOnNonFinite([*terms, "loss"]),
            AdaptAUC(data.labels["adapt"], lambda: scorer(adapt)),
            *stateful,
            resume,
            Progress(bar, f"{method} seed {seed}"),
        ],
        shuffle=False,
        verbose=0,
    )
    return best_model.epoch


def _build(config, seed):
    model = VAE(
        config.image_size,
        latent_dim=config.latent_dim,
        likelihood=config.likelihood,
        seed=seed,
        dtype=config.dtype_policy,
    )
    model.compile(optimizer=keras.optimizers.Adam(config.learning_rate))
    return model


def _hyper_parameters(config, method, f_update, seed):
    own = {"method": method, "f_update": f_update, "seed": seed}
    own |= {"image_size": "x".join(map(str, config.image_size))}
    shared = (
        "dataset",
        "protocol",
        "likelihood",
        "score",
        "latent_dim",
        "batch_size",
        "learning_rate",
        "dtype_policy",
        "epochs",
    )
    return own | {name: getattr(config, name) for name in shared}


def _pictures(x, scorer):
    """A function that returns images by tag, by the model of the moment."""

    def pictures():
        x_hat = scorer.reconstruct(x).numpy()
        error = (x - x_hat) ** 2
        return {"input": x, "reconstruction": x_hat, "squared_error": error / error.max()}

    return pictures
