"""TensorBoard events: scalars of each epoch, pictures of each new best one, hyper-parameters."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams


class EventWriter(keras.callbacks.Callback):
    """Writes `loss/<term>`, `weight/<term>`, `auc/adapt`, `pattern`, and images.

    The images are written at the first epoch and whenever `adapt_auc` is the highest so far.

    Args:
        log_dir: directory of the event files.
        terms: names of the loss terms.
        hyper_parameters: settings of the run, for the HParams page.
        images: returns, by tag, images (N, H, W, 1) in [0, 1] by the model of the moment.
    """

    def __init__(
        self,
        log_dir: Path,
        *,
        terms,
        hyper_parameters: Mapping,
        images: Callable[[], Mapping[str, object]],
    ):
        super().__init__()
        self.log_dir = log_dir
        self.tags = (
            {"loss": "loss/weighted", "adapt_auc": "auc/adapt", "pattern": "pattern"}
            | {term: f"loss/{term}" for term in terms}
            | {f"weight_{term}": f"weight/{term}" for term in terms}
        )
        self.hyper_parameters = dict(hyper_parameters)
        self.images = images
        self.best_auc = -1.0

    def on_train_begin(self, logs=None):
        self.best_auc = -1.0
        self.writer = tf.summary.create_file_writer(str(self.log_dir))
        with self.writer.as_default():
            hparams.hparams(self.hyper_parameters)

    def on_epoch_end(self, epoch, logs=None):
        with self.writer.as_default(step=epoch + 1):
            for name, tag in self.tags.items():
                tf.summary.scalar(tag, logs[name])
            if logs["adapt_auc"] > self.best_auc:
                self.best_auc = logs["adapt_auc"]
                for tag, images in self.images().items():
                    tf.summary.image(tag, images, max_outputs=len(images))
        self.writer.flush()

    def on_train_end(self, logs=None):
        self.writer.close()

    def get_state(self):
        return {"best_auc": self.best_auc}

    def set_state(self, state):
        self.best_auc = state["best_auc"]
