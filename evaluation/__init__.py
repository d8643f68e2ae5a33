"""Anomaly scores, what they are worth, and pictures of them."""

from evaluation.pixels import pixel_metrics
from evaluation.roc import auroc, rates, youden_threshold
from evaluation.scorer import Scorer
from evaluation.scores import SCORES, Score

__all__ = ["SCORES", "Score", "Scorer", "auroc", "pixel_metrics", "rates", "youden_threshold"]
