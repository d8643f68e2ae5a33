"""The unweighted loss terms of the VAE and the tables of weights for them."""

from awl_vae.losses.patterns import BRANCHES, DISABLED, PATTERN_SETS, PATTERNS, TERMS, with_kl_weight
from awl_vae.losses.terms import (
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
    "PATTERN_SETS",
    "TERMS",
    "bce",
    "clip_log_variance",
    "kl",
    "log_variance",
    "mahalanobis",
    "with_kl_weight",
]
