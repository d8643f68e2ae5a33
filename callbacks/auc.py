"""The AUROC after each epoch."""

import math
from collections.abc import Callable, Mapping

import keras
import numpy as np

from awl_vae.callbacks.logs import Logs
from awl_vae.evaluation import auroc


class AdaptAUC(keras.callbacks.Callback):
    """Adds AUROCs to the logs of each epoch, for the callbacks after it.

    One is NaN where a score is no finite number.

    Args:
        labels: by the name in the logs, (N,), 0 for normal and 1 for anomalous, both present.
        score: returns, by the same names, the anomaly scores (N,) by the model of the moment.
    """

    def __init__(
        self,
        labels: Mapping[str, np.ndarray],
        score: Callable[[], Mapping[str, np.ndarray]],
    ):
        super().__init__()
        self.labels = labels
        self.score = score

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        for name, scores in self.score().items():
            is_finite = np.isfinite(scores).all()
            logs[name] = auroc(self.labels[name], scores) if is_finite else math.nan
