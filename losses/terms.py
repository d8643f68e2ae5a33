"""The unweighted terms of the VAE's loss, per sample and in nats.

Nothing here averages over a batch or knows of weights: a term is a function from tensors to one
number per sample, summed (never averaged) over pixels or latents. A mean over pixels would rescale
the weights of the terms against each other.
"""

import math
from typing import Any

from keras import ops

Tensor = Any
"""A tensor of floats."""

LOG_VARIANCE_RANGE = (-10.0, 10.0)
"""Every log-variance is clipped to this range (natural log; σ between 0.0067 and 148) before use.

The lower end is about 1.7 of 255 gray levels: finer than the noise of a camera, and it keeps
1/σ² below 22,027, so that a flat background cannot drive the loss to minus infinity.
"""


def clip_log_variance(log_var: Tensor) -> Tensor:
    """Clips log-variances, of any shape, to `LOG_VARIANCE_RANGE`."""
    return ops.clip(log_var, *LOG_VARIANCE_RANGE)


def bce(x: Tensor, logits: Tensor, roi: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of a Bernoulli likelihood.

    Paper: Eq. (4), E_BC(x, x') without its minus sign. Here: −Σ {x log x' + (1−x) log(1−x')} with
    x' = sigmoid(logits), computed from the logits, so that it is finite wherever they are.

    Args:
        x: float tensor (N, H, W, C) in [0, 1], the images.
        logits: float tensor (N, H, W, C), any real number.
        roi: float tensor (N, H, W, 1), what each pixel counts: 1 in the region of interest and 0
            outside. None where all count.

    Returns:
        Float tensor (N,), in nats.
    """
    return _sum_over_sample(ops.binary_crossentropy(x, logits, from_logits=True), roi)


def mahalanobis(x: Tensor, x_mean: Tensor, x_log_var: Tensor, roi: Tensor | None = None) -> Tensor:
    """Half the squared Mahalanobis distance of a Gaussian likelihood with diagonal covariance.

    Paper: Eq. (7), M_VAE = ½ Σ (μ_x − x)² / σ_x².

    Args:
        x: float tensor (N, H, W, C) in [0, 1], the images.
        x_mean: float tensor (N, H, W, C), μ_x.
        x_log_var: float tensor (N, H, W, C), log σ_x², clipped to `LOG_VARIANCE_RANGE`.
        roi: what each pixel counts; see `bce`.

    Returns:
        Float tensor (N,), in nats, at least 0.
    """
    distance = 0.5 * ops.square(x_mean - x) * ops.exp(-clip_log_variance(x_log_var))
    return _sum_over_sample(distance, roi)


def log_variance(x_log_var: Tensor, roi: Tensor | None = None) -> Tensor:
    """Half the log-determinant of a Gaussian likelihood's covariance, with its constant.

    Paper: Eq. (6), A_VAE = ½ Σ log(2π σ_x²).

    Args:
        x_log_var: float tensor (N, H, W, C), log σ_x², clipped to `LOG_VARIANCE_RANGE`.
        roi: what each pixel counts; see `bce`.

    Returns:
        Float tensor (N,), in nats; negative where the variances are small.
    """
    return _sum_over_sample(0.5 * (math.log(2.0 * math.pi) + clip_log_variance(x_log_var)), roi)


def kl(z_mean: Tensor, z_log_var: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the approximate posterior from N(0, I).

    Paper: Eq. (2), D_VAE = ½ Σ {−log σ_z² − 1 + σ_z² + μ_z²}.

    Args:
        z_mean: float tensor (N, Z), μ_z.
        z_log_var: float tensor (N, Z), log σ_z², clipped to `LOG_VARIANCE_RANGE`.

    Returns:
        Float tensor (N,), in nats, at least 0.
    """
    return _sum_over_sample(kl_per_latent(z_mean, z_log_var))


def kl_per_latent(z_mean: Tensor, z_log_var: Tensor) -> Tensor:
    """The summands of `kl`, (N, Z)."""
    z_log_var = clip_log_variance(z_log_var)
    return 0.5 * (ops.exp(z_log_var) - 1.0 - z_log_var + ops.square(z_mean))


def _sum_over_sample(values: Tensor, roi: Tensor | None = None) -> Tensor:
    values = values if roi is None else values * roi
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))  # (N, ...) -> (N,)
