"""What every training is made of: the model, the batches, and how they are looked at."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from awl_vae.callbacks import AdaptAUC, Resume
from awl_vae.data import PreparedData, TrainingBatches
from awl_vae.evaluation import Scorer
from awl_vae.losses import TERMS
from awl_vae.models import VAE
from awl_vae.training.config import Config
from awl_vae.training.evaluate import ORIGINALS, SYNTHETIC_SPLITS, batches_to_score
from awl_vae.training.run_figures import example_images
from awl_vae.training.runtime import start_run

AUC_SPLITS = {"adapt_auc": ("adapt",), "adapt_auc_synthetic": SYNTHETIC_SPLITS}
"""By their names in the logs, the images of the AUROCs that are looked at after each epoch."""


class Trainer:
    """A new model, compiled, and its data, whatever ran before in this process.

    Args:
        config: the settings.
        data: the images.
        seed: seed of initialisation, order and noise.
        sample_latent: whether training samples z; see `VAE`.

    Attributes:
        model: the VAE.
        batches: the training images.
        terms: the names of the loss terms.
    """

    def __init__(
        self, config: Config, data: PreparedData, seed: int, *, sample_latent: bool = True
    ):
        start_run(seed)
        self.model = VAE(
            config.image_size,
            latent_dim=config.latent_dim,
            likelihood=config.likelihood,
            variance=config.variance,
            seed=seed,
            sample_latent=sample_latent,
            dtype=config.dtype_policy,
        )
        self.model.compile(optimizer=keras.optimizers.Adam(config.learning_rate))
        self.batches = TrainingBatches(
            data.cache,
            data.positions["train"],
            batch_size=config.batch_size,
            seed=seed,
            repeats=config.repeats,
        )
        self.terms = TERMS[config.likelihood]
        self._scorer = Scorer(self.model, config.score, config.image_size)
        self._batches = batches_to_score(data)
        labels = {
            name: np.concatenate([data.labels[split] for split in splits])
            for name, splits in AUC_SPLITS.items()
        }
        self._labels = {name: values for name, values in labels.items() if values.any()}
        self._examples = example_images(data)

    def fit(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        resume: Resume,
        *,
        epochs: int,
    ) -> None:
        """Trains for at most `epochs`, going on from the checkpoint where there is one."""
        self.model.fit(
            self.batches.dataset,
            epochs=resume.last_epoch(epochs),
            initial_epoch=resume.initial_epoch,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
        )

    def watch_aucs(self, *names: str) -> list[AdaptAUC]:
        """The callback for those of some AUROCs that the data allow, if they allow any."""
        labels = {name: self._labels[name] for name in names if name in self._labels}
        return [AdaptAUC(labels, lambda: self._score(labels))] if labels else []

    def _score(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        scorer, batches = self._scorer, self._batches
        residuals = scorer.learn_scale(batches["calibration"])
        scores = {}
        for name in names:
            parts = [
                scorer.leave_one_out(batches[split], batches[ORIGINALS[split]], residuals)[0]
                if split in ORIGINALS
                else scorer.scores(batches[split])
                for split in AUC_SPLITS[name]
            ]
            scores[name] = np.concatenate(parts)
        return scores

    def images_to_show(self) -> dict[str, np.ndarray]:
        """By tag, images (N, H, W, 1) in [0, 1] by the model of the moment."""
        x = self._examples
        x_hat = self._scorer.reconstruct(x).numpy()
        error = (x - x_hat) ** 2
        return {"input": x, "reconstruction": x_hat, "squared_error": error / error.max()}


def history_columns(terms: Sequence[str]) -> list[str]:
    """The columns of `history.csv` after `epoch`."""
    return ["loss", *terms, *(f"weight_{term}" for term in terms), "pattern", "adapt_auc"]


def hyper_parameters(config: Config, seed: int, **own: object) -> dict[str, object]:
    """The settings of a run that TensorBoard shows, with those of the run's own."""
    shared = (
        "dataset",
        "protocol",
        "likelihood",
        "variance",
        "score",
        "latent_dim",
        "batch_size",
        "learning_rate",
        "dtype_policy",
    )
    image_size = "x".join(map(str, config.image_size))
    return (
        {"seed": seed, "image_size": image_size} | {name: getattr(config, name) for name in shared}
    ) | own
