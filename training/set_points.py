"""Where rivals need to be told how good a reconstruction is, or how much the latents tell.

Both are found from normal images alone, by the linear VAE, whose optimum is known: PCA (Lucas et
al., Don't Blame the ELBO, 2019). With K components of variance λ_k, and σ², the squared error of
what they leave, a mean over the D − K directions that are left, a latent tells ½ log(λ_k / σ²) nats
of an image.
"""

import math
from dataclasses import dataclass

import numpy as np

from awl_vae.data import PreparedData
from awl_vae.losses import LOG_VARIANCE_RANGE
from awl_vae.models.projection import principal_components

MAX_IMAGES = 1000
"""So many training images are looked at, and as many calibration images."""

MAX_BYTES = 1 << 28

MOST_SHARE = 1 / 4
"""As many components as a quarter of the images at most, so that they are no images themselves."""

CLIPPED = 1e-3
"""A reconstruction by components can be out of [0, 1], and is brought back, and off the ends."""


@dataclass(frozen=True)
class SetPoints:
    """What the linear VAE comes to.

    Attributes:
        distortion: the mean negative log-likelihood of a calibration image, in nats, by its
            projection: that of sampled latents is a little higher.
        rate: the KL divergence, in nats.
    """

    distortion: float
    rate: float


def set_points(data: PreparedData, *, latent_dim: int, likelihood: str, variance: str) -> SetPoints:
    """Fits components to training images, and looks what they leave of calibration images.

    Args:
        data: the images.
        latent_dim: as many components at most.
        likelihood: "bernoulli" or "gaussian".
        variance: of the latter, "learned", here one for each pixel, or "optimal", one for all.
    """
    inside = _inside(data)
    x, held_out = (_flat(data, split)[:, inside] for split in ("train", "calibration"))
    mean = x.mean(axis=0)
    x -= mean
    components = principal_components(x, min(latent_dim, int(len(x) * MOST_SHARE)))
    latents = (held_out - mean) @ components.T
    x_hat = mean + latents @ components
    squares = np.square(held_out - x_hat)
    error = max(float(squares.mean()), 1e-12)
    size = x.shape[1]
    noise = error * size / max(1, size - len(components))
    rate = 0.5 * np.log(np.maximum(latents.var(axis=0) / noise, 1.0)).sum()
    if likelihood == "bernoulli":
        share = np.clip(x_hat, CLIPPED, 1.0 - CLIPPED)
        losses = -held_out * np.log(share) - (1.0 - held_out) * np.log1p(-share)
        distortion = losses.sum(axis=1).mean()
    else:
        means = squares.mean(axis=0) if variance == "learned" else np.full(size, error)
        variances = np.maximum(means, math.exp(LOG_VARIANCE_RANGE[0]))
        losses = 0.5 * (np.log(2.0 * np.pi * variances) + squares / variances)
        distortion = losses.sum(axis=1).mean()
    return SetPoints(float(distortion), float(rate))


def count_values(data: PreparedData) -> int:
    """How many numbers of an image count: those that are inside of a region of interest in any."""
    return int(_inside(data).sum())


def _inside(data: PreparedData) -> np.ndarray:
    """(D,) bool."""
    channels = data.inputs.num_channels - data.has_roi
    height, width = data.inputs.shape[:2]
    counts = data.mean_roi > 0 if data.has_roi else np.ones((height, width), bool)
    return np.repeat(counts.ravel(), channels)


def _flat(data: PreparedData, split: str) -> np.ndarray:
    """(N, D), some images of a split as models see them; black outside of a region of interest."""
    positions = data.positions[split]
    size = math.prod(data.inputs.shape[:2]) * data.inputs.num_channels
    count = max(1, min(len(positions), MAX_IMAGES, MAX_BYTES // (4 * size)))
    chosen = np.linspace(0, len(positions) - 1, count).astype(int)
    x = data.inputs.read(positions[chosen])
    if data.has_roi:
        x = x[..., :-1] * x[..., -1:]
    return x.reshape(count, -1)
