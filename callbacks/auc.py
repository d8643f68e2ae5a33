"""The AUROC on the adapt images after each epoch."""

from collections.abc import Callable

import keras
import numpy as np

from callbacks.finite import require_finite
from evaluation import auroc


class AdaptAUC(keras.callbacks.Callback):
    """Adds `adapt_auc` to the logs of each epoch, for the callbacks after it.

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
        require_finite(epoch + 1, {"score": float(np.sum(scores))})
        logs["adapt_auc"] = auroc(self.labels, scores)
