"""What the latent variables of a model tell of images."""

from dataclasses import dataclass

import numpy as np

ACTIVE = 0.01
"""Variance of a latent's mean between images above which it is active (Burda et al., 2016)."""

EMPTY = 1e-3
"""Share of the images' variance that reconstructions have at least: below, a model is empty."""


@dataclass(frozen=True)
class LatentUse:
    """How much a model uses its latent variables.

    Attributes:
        kl: (Z,), by latent the mean KL divergence in nats.
        active_units: how many latents have a mean that varies between images (Burda et al., 2016,
            Sect. 2.2: Cov_x(E[u | x]) > 0.01).
        explained_variance: 1 − Σ (x − x̂)² / Σ (x − x̄)², x̄ the mean of the images at each pixel:
            1 where every image is reconstructed, and at most 0 where the mean would do as well.
        reconstruction_variance: Σ (x̂ − mean of x̂)² / Σ (x − x̄)²: 0 where every image has the same
            reconstruction.
    """

    kl: np.ndarray
    active_units: int
    explained_variance: float
    reconstruction_variance: float


def latent_use(kl: np.ndarray, z_mean: np.ndarray, x: np.ndarray, x_hat: np.ndarray) -> LatentUse:
    """Measures it on some images.

    Args:
        kl: (N, Z), of each image and latent the KL divergence in nats.
        z_mean: (N, Z), the means of the latents.
        x: (N, ...), the images; those that are all the same count as explained by their mean.
        x_hat: (N, ...), their reconstructions.
    """
    total = _sum_of_squares(x - x.mean(axis=0)) or 1.0
    return LatentUse(
        kl.mean(axis=0),
        int((z_mean.var(axis=0) > ACTIVE).sum()),
        1.0 - _sum_of_squares(x - x_hat) / total,
        _sum_of_squares(x_hat - x_hat.mean(axis=0)) / total,
    )


def _sum_of_squares(values: np.ndarray) -> float:
    return float(np.sum(np.square(values), dtype=np.float64))
