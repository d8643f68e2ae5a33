"""The unweighted loss terms of the VAE and the tables of weights for them."""

from losses.patterns import BRANCHES, DISABLED, PATTERNS, TERMS
from losses.terms import (
    LOG_VARIANCE_RANGE,
    bce,
    clip_log_variance,
    kl,
    log_variance,
    mahalanobis,
)

__all__ = [
    "BRANCHES",
    "DISABLED",
    "LOG_VARIANCE_RANGE",
    "PATTERNS",
    "TERMS",
    "bce",
    "clip_log_variance",
    "kl",
    "log_variance",
    "mahalanobis",
]
