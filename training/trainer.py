"""What every training is made of: the model, the batches, and how they are looked at."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from awl_vae.callbacks import AdaptAUC, Resume, WatchLatents
from awl_vae.callbacks.latents import COLUMNS
from awl_vae.callbacks.signals import SIGNALS, Signal
from awl_vae.data import PreparedData, TrainingBatches, scoring_batches
from awl_vae.evaluation.latents import LatentUse, latent_use
from awl_vae.losses import TERMS, kl_per_latent
from awl_vae.models import VAE
from awl_vae.models.balancing import Balancing
from awl_vae.training.config import Config
from awl_vae.training.distribution import FromChief, strategy_of
from awl_vae.training.judges import judge_of
from awl_vae.training.loop import fit_shares
from awl_vae.training.run_figures import examples_of
from awl_vae.training.runtime import start_run
from awl_vae.training.settings import settings_of

NUM_WATCHED = 64
"""Calibration images of which it is looked after each epoch what the latents tell."""


class Trainer:
    """A new model, compiled, and its data, whatever ran before in this process.

    Args:
        config: the settings.
        data: the images.
        seed: seed of initialisation, order and noise.
        sample_latent: whether training samples z; see `VAE`.
        balancing: what sets the weights with every batch, if anything; see `VAE`.

    Attributes:
        model: the VAE.
        batches: the training images.
        terms: the names of the loss terms.
    """

    def __init__(
        self,
        config: Config,
        data: PreparedData,
        seed: int,
        *,
        sample_latent: bool = True,
        balancing: Balancing | None = None,
    ):
        start_run(seed)
        self._distribute = config.distribute
        with strategy_of(config.distribute).scope():
            self.model = VAE(
                (*data.inputs.shape[:2], data.inputs.num_channels - data.has_roi),
                input_kind=config.input,
                latent_dim=config.latent_dim,
                likelihood=config.likelihood,
                variance=config.variance,
                seed=seed,
                sample_latent=sample_latent,
                balancing=balancing,
                dtype=config.dtype_policy,
            )
            self.model.compile(optimizer=keras.optimizers.Adam(config.learning_rate))
        self.batches = TrainingBatches(
            data.inputs,
            data.positions["train"],
            batch_size=config.batch_size,
            seed=seed,
            repeats=config.repeats,
        )
        self.terms = TERMS[config.likelihood]
        self._judge = judge_of(self.model, config, data)
        labels = {
            name: np.concatenate([data.labels[split] for split in signal.splits])
            for name, signal in SIGNALS.items()
        }
        self._labels = {name: values for name, values in labels.items() if values.any()}
        self._examples = examples_of(data)
        watched = data.positions["calibration"][:NUM_WATCHED]
        self._watched = scoring_batches(data.inputs, watched, NUM_WATCHED)

    def fit(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        resume: Resume,
        *,
        epochs: int,
    ) -> None:
        """Trains for at most `epochs`, going on from the checkpoint where there is one."""
        last, first = resume.last_epoch(epochs), resume.initial_epoch
        if self._distribute != "none":
            strategy = strategy_of(self._distribute)
            fit_shares(
                self.model,
                self.batches,
                callbacks,
                strategy=strategy,
                epochs=last,
                initial_epoch=first,
            )
            return
        self.model.fit(
            self.batches.dataset,
            epochs=last,
            initial_epoch=first,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
        )

    def watch(self, *names: str) -> list[keras.callbacks.Callback]:
        """The callbacks that add to the logs of an epoch what those after them read.

        Args:
            *names: the signals whose AUROCs are among it, those that the data allow.
        """
        agree = [FromChief()] if self._distribute == "multi_worker" else []
        return [*self._watch_aucs(*names), self._watch_latents(), *agree]

    def _watch_aucs(self, *names: str) -> list[AdaptAUC]:
        """The callback for the AUROCs of those of some signals that the data allow, if any."""
        watched = {SIGNALS[name]: self._labels[name] for name in names if name in self._labels}
        labels = {signal.auc: values for signal, values in watched.items()}
        return [AdaptAUC(labels, lambda: self._score(watched))] if watched else []

    def _watch_latents(self) -> WatchLatents:
        """The callback for what the latent variables tell of calibration images."""
        (x,) = self._watched
        channels = self.model.shape[2]
        roi = x[..., channels:] if x.shape[-1] > channels else tf.ones([])
        images = x[..., :channels] * roi

        @tf.function
        def look() -> tuple[tf.Tensor, ...]:
            z_mean, z_log_var = self.model.encode(images)
            return kl_per_latent(z_mean, z_log_var), z_mean, self.model(images) * roi

        def measure() -> LatentUse:
            kl, z_mean, x_hat = (values.numpy() for values in look())
            return latent_use(kl, z_mean, images.numpy(), x_hat)

        return WatchLatents(measure)

    def _score(self, signals: Iterable[Signal]) -> dict[str, np.ndarray]:
        signals = list(signals)
        scores = self._judge.watch({split for signal in signals for split in signal.splits})
        return {
            signal.auc: np.concatenate([scores[split] for split in signal.splits])
            for signal in signals
        }

    def images_to_show(self) -> dict[str, np.ndarray]:
        """By tag, images (N, H, W, C) in [0, 1] by the model of the moment."""
        view = self._judge.view(*self._examples)
        residual = view.residual / view.residual.max()
        if view.x_hat is None:
            images = {"input": view.x, "residual": residual}
        else:
            images = {"input": view.x, "reconstruction": view.x_hat, "squared_error": residual}
        return {tag: x if x.ndim == 4 else x[..., None] for tag, x in images.items()}


def going_on(what: str, done: str, resume: Resume, epochs: int) -> str:
    """What is said of a training that goes on from its checkpoint.

    Args:
        what: what is trained.
        done: what the checkpoint has behind it, in words.
        resume: the checkpoint.
        epochs: see `Trainer.fit`.
    """
    if resume.initial_epoch < resume.last_epoch(epochs):
        return f"{what} goes on after {done}."
    return f"{what} is trained to its end; its evaluation is left."


def history_columns(terms: Sequence[str], aucs: Sequence[str]) -> list[str]:
    """The columns of `history.csv` after `epoch`."""
    return ["loss", *terms, *(f"weight_{term}" for term in terms), "pattern", *aucs, *COLUMNS]


def hyper_parameters(config: Config, seed: int, **own: object) -> dict[str, object]:
    """The settings of a run that TensorBoard shows, with those of the run's own.

    A run is of one of the `seeds` and `methods`. TensorBoard takes numbers and texts alone.
    """
    shown: dict[str, object] = {"seed": seed}
    for name, kind in settings_of(type(config)).items():
        value = getattr(config, name)
        if value is not None and name not in ("seeds", "methods"):
            shown[name] = kind.show(value) if isinstance(value, tuple) else value
    return shown | own
