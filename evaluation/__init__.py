"""Anomaly scores, what they are worth, and pictures of them."""

from awl_vae.evaluation.pixels import pixel_metrics
from awl_vae.evaluation.roc import auroc, rates, youden_threshold
from awl_vae.evaluation.scorer import Scorer
from awl_vae.evaluation.scores import SCORES, Score

__all__ = ["SCORES", "Score", "Scorer", "auroc", "pixel_metrics", "rates", "youden_threshold"]
