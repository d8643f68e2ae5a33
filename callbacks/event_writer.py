"""TensorBoard events: scalars of each epoch, images now and then, hyper-parameters."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from awl_vae.callbacks.event_files import keep_epochs
from awl_vae.callbacks.latents import COLUMNS
from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.system import naming

Images = Callable[[], Mapping[str, np.ndarray]]
"""Returns, by tag, images (N, H, W, 1) in [0, 1] by the model of the moment."""


class TensorBoardRun:
    """What TensorBoard shows as one run: `loss/<term>`, `weight/<term>`, `auc/adapt`, `pattern`.

    And, where the logs have it, what the latent variables tell, with a histogram of their KL.

    Args:
        log_dir: directory of the event files.
        begin: the epoch, from 1, that is written first. Events of it and of later ones, which a
            process has left that was cut off, are removed.
        terms: names of the loss terms.
        hyper_parameters: settings of the run, for the HParams page.
    """

    def __init__(
        self,
        log_dir: Path,
        *,
        begin: int,
        terms: Sequence[str],
        hyper_parameters: Mapping[str, object],
    ):
        self.tags = (
            {"loss": "loss/weighted", "pattern": "pattern"}
            | {signal.auc: f"auc/{signal.name}" for signal in SIGNALS.values()}
            | {term: f"loss/{term}" for term in terms}
            | {f"weight_{term}": f"weight/{term}" for term in terms}
            | {name: f"latents/{name}" for name in COLUMNS}
        )
        self._naming = partial(naming, log_dir, tf.errors.OpError)
        with self._naming():
            keep_epochs(log_dir, begin - 1)
            self.writer = tf.summary.create_file_writer(str(log_dir))
        with self._naming(), self.writer.as_default():
            hparams.hparams(dict(hyper_parameters))

    def write(self, epoch: int, logs: Logs, images: Images | None = None) -> None:
        """Writes the logs of an epoch, from 1, and images if there are."""
        shown = images() if images else {}
        with self._naming(), self.writer.as_default(step=epoch):
            for name in self.tags.keys() & logs.keys():
                if logs[name] is not None:
                    tf.summary.scalar(self.tags[name], logs[name])
            if "kl_per_latent" in logs:
                tf.summary.histogram("latents/kl", logs["kl_per_latent"])
            for tag, each in shown.items():
                tf.summary.image(tag, each, max_outputs=len(each))
            self.writer.flush()

    def close(self) -> None:
        """Closes the event file."""
        with self._naming():
            self.writer.close()


class EventWriter(keras.callbacks.Callback):
    """Writes a training as one run of TensorBoard.

    The images are written at the first epoch and whenever an AUROC is the highest so far.

    Args:
        log_dir: directory of the event files.
        terms: names of the loss terms.
        hyper_parameters: settings of the run, for the HParams page.
        monitor: the name of the AUROC, among the logs.
        images: what to show.
    """

    def __init__(
        self,
        log_dir: Path,
        *,
        terms: Sequence[str],
        hyper_parameters: Mapping[str, object],
        monitor: str,
        images: Images,
    ):
        super().__init__()
        self.log_dir = log_dir
        self.settings: dict[str, Any] = {"terms": terms, "hyper_parameters": hyper_parameters}
        self.monitor = monitor
        self.images = images
        self.best_auc = -1.0
        self.run: TensorBoardRun | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best_auc, self.run = -1.0, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.run is None:
            self.run = TensorBoardRun(self.log_dir, begin=epoch + 1, **self.settings)
        is_best = logs[self.monitor] > self.best_auc
        self.best_auc = max(self.best_auc, logs[self.monitor])
        self.run.write(epoch + 1, logs, self.images if is_best else None)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.run is not None:
            self.run.close()

    def get_state(self) -> dict[str, Any]:
        return {"best_auc": self.best_auc}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best_auc = state["best_auc"]
