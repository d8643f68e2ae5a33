from .patterns import (
    BRANCHES as BRANCHES,
    DISABLED as DISABLED,
    PATTERN_SETS as PATTERN_SETS,
    PATTERNS as PATTERNS,
    TERMS as TERMS,
    VARIANCES as VARIANCES,
    with_weights as with_weights,
)
from .terms import (
    LOG_VARIANCE_RANGE as LOG_VARIANCE_RANGE,
    bce as bce,
    clip_log_variance as clip_log_variance,
    kl as kl,
    kl_per_latent as kl_per_latent,
    log_variance as log_variance,
    mahalanobis as mahalanobis,
)
