"""What the linear VAE comes to on images whose distribution is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from awl_vae.training.set_points import count_values, set_points

SIZE = (8, 8)
NOISE = 0.01
DEVIATIONS = np.array([0.5, 0.2, 0.1])
"""Of the three components, over all pixels."""


def images(count, seed):
    """(N, 8, 8, 1), three components and noise."""
    random = np.random.default_rng(seed)
    components = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 3)))[0].T
    latents = random.normal(size=(count, 3)) * DEVIATIONS
    x = 0.5 + latents @ components + NOISE * random.normal(size=(count, 64))
    return x.reshape(count, *SIZE, 1).astype(np.float32)


def data_of(x, roi=None):
    """Stands where prepared images stand: a thousand for training, and as many others."""
    if roi is not None:
        x = np.concatenate([x, np.broadcast_to(roi[..., None], x.shape)], axis=-1)
    inputs = SimpleNamespace(shape=x.shape[1:3], num_channels=x.shape[-1], read=lambda at: x[at])
    positions = {"train": np.arange(1000), "calibration": np.arange(1000, 2000)}
    return SimpleNamespace(
        inputs=inputs, positions=positions, has_roi=roi is not None, mean_roi=roi
    )


@pytest.fixture(scope="module")
def x():
    return images(2000, 1)


def found(x, roi=None, *, likelihood="gaussian", variance="optimal"):
    return set_points(data_of(x, roi), latent_dim=3, likelihood=likelihood, variance=variance)


def test_the_rate_is_that_of_the_linear_vae(x):
    expected = 0.5 * np.log((DEVIATIONS**2 + NOISE**2) / NOISE**2).sum()
    assert found(x).rate == pytest.approx(expected, rel=0.05)


def test_the_distortion_is_what_the_components_leave(x):
    expected = 32 * (np.log(2 * np.pi * NOISE**2) + 1)
    for variance in ("optimal", "learned"):
        assert found(x, variance=variance).distortion == pytest.approx(expected, rel=0.02)


def test_a_variance_for_each_pixel_is_tighter_where_pixels_differ(x):
    noisy = x.copy()
    noisy[:, :4] += 0.05 * np.random.default_rng(2).normal(size=noisy[:, :4].shape)
    learned, optimal = (found(noisy, variance=each).distortion for each in ("learned", "optimal"))
    assert learned < optimal - 10


def test_the_cross_entropy_of_what_is_explained(x):
    x = np.clip(x, 0, 1)
    entropy = -(x * np.log(x + 1e-12) + (1 - x) * np.log1p(-x + 1e-12)).sum(axis=(1, 2, 3)).mean()
    distortion = found(x, likelihood="bernoulli").distortion
    assert entropy < distortion < entropy + 1


def test_what_is_outside_of_a_region_does_not_count(x):
    roi = np.zeros(SIZE, np.float32)
    roi[:, :4] = 1
    other = x.copy()
    other[:, :, 4:] = np.random.default_rng(3).random(other[:, :, 4:].shape)
    inside, noisy = found(x, roi), found(other, roi)
    assert count_values(data_of(x, roi)) == 32
    assert count_values(data_of(x)) == 64
    assert inside.distortion == pytest.approx(noisy.distortion)
    assert inside.rate == pytest.approx(noisy.rate)


def test_components_are_no_images(x):
    few = SimpleNamespace(**vars(data_of(x)))
    few.positions = {"train": np.arange(8), "calibration": np.arange(1000, 1020)}
    settings = {"likelihood": "gaussian", "variance": "optimal"}
    assert set_points(few, latent_dim=100, **settings) == set_points(few, latent_dim=2, **settings)
    assert set_points(few, latent_dim=2, **settings) != set_points(few, latent_dim=1, **settings)


def test_many_components_leave_noise_in_few_directions():
    """Of D = 64 directions K = 30 are explained: the error over all is half the noise."""
    random = np.random.default_rng(4)
    basis = np.linalg.qr(random.normal(size=(64, 30)))[0].T
    x = 0.5 + 0.2 * random.normal(size=(2000, 30)) @ basis + NOISE * random.normal(size=(2000, 64))
    data = data_of(x.reshape(2000, *SIZE, 1).astype(np.float32))
    rate = set_points(data, latent_dim=30, likelihood="gaussian", variance="optimal").rate
    expected = 30 * 0.5 * np.log((0.2**2 + NOISE**2) / NOISE**2)
    assert rate == pytest.approx(expected, abs=2.0)  # over all directions it would be 9.5 more
