"""Area under the ROC curve, the Youden threshold, and the rates at a threshold.

Larger scores are more anomalous, and an image whose score **equals** the threshold is called
anomalous. Normal and anomalous images of equal score count one half in the AUROC.
"""

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: (N,), finite.

    Returns:
        The probability, in [0, 1], that an anomalous image scores above a normal one.
    """
    return float(roc_auc_score(labels, scores))


def youden_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """The threshold of the largest J = sensitivity + specificity − 1 (Eq. 8).

    Only scores that occur are candidates. Where several reach the same J, the highest is taken:
    the one with the fewest false alarms.

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: (N,), finite.

    Returns:
        A threshold; images that score at least this much are anomalous.
    """
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    num_anomalous = int(np.sum(labels))
    num_normal = len(labels) - num_anomalous
    # J·(anomalous·normal) in whole numbers: rates that are equal may differ in their last bit.
    j = np.rint(tpr * num_anomalous) * num_normal - np.rint(fpr * num_normal) * num_anomalous
    # The first point, above every score, is no score; thresholds fall, so argmax takes the highest.
    return float(thresholds[1:][np.argmax(j[1:])])


def rates(labels: np.ndarray, scores: np.ndarray, threshold: float) -> tuple[float, float]:
    """Sensitivity and specificity at a threshold (Eq. 8).

    Args:
        labels: (N,), 0 for normal and 1 for anomalous, both present.
        scores: (N,).
        threshold: images that score at least this much are called anomalous.

    Returns:
        (sensitivity, specificity), each in [0, 1].
    """
    labels = np.asarray(labels, dtype=bool)
    called = np.asarray(scores) >= threshold
    return float(np.mean(called[labels])), float(np.mean(~called[~labels]))
