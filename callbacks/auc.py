"""The AUROC on the adapt images after each epoch."""

import math
from collections.abc import Callable

import keras
import numpy as np

from evaluation import auroc


class AdaptAUC(keras.callbacks.Callback):
    """Adds `adapt_auc` to the logs of each epoch, for the callbacks after it.

    It is NaN where a score is no finite number.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        score: returns the anomaly scores (N,) by the model as it is at the moment.
    """

    def __init__(self, labels: np.ndarray, score: Callable[[], np.ndarray]):
        super().__init__()
        self.labels = labels
        self.score = score

    def on_epoch_end(self, epoch, logs=None):
        scores = self.score()
        is_finite = np.isfinite(scores).all()
        logs["adapt_auc"] = auroc(self.labels, scores) if is_finite else math.nan
