import numpy as np
import pytest

from awl_vae.evaluation.latents import latent_use
from awl_vae.losses import kl, kl_per_latent


@pytest.fixture
def images():
    return np.random.default_rng(1).random((200, 4, 4, 1))


def use_of(x, x_hat, z_mean=None):
    z_mean = np.zeros((len(x), 3)) if z_mean is None else z_mean
    return latent_use(np.zeros_like(z_mean), z_mean, x, x_hat)


def test_perfect_reconstructions_explain_all(images):
    use = use_of(images, images)
    assert use.explained_variance == 1
    assert use.reconstruction_variance == pytest.approx(1)


def test_the_mean_explains_nothing_and_is_the_same_for_all(images):
    use = use_of(images, np.broadcast_to(images.mean(axis=0), images.shape))
    assert use.explained_variance == pytest.approx(0)
    assert use.reconstruction_variance == pytest.approx(0, abs=1e-12)


def test_half_of_the_way_to_the_mean(images):
    use = use_of(images, (images + images.mean(axis=0)) / 2)
    assert use.explained_variance == pytest.approx(0.75)
    assert use.reconstruction_variance == pytest.approx(0.25)


def test_images_that_are_all_the_same_are_explained(images):
    same = np.broadcast_to(images[:1], images.shape)
    assert use_of(same, same).explained_variance == 1


def test_active_units_are_those_whose_mean_varies(images):
    noise = np.random.default_rng(2).normal(size=(200, 3))
    use = use_of(images, images, noise * np.sqrt([1.0, 0.02, 0.005]) + [0, 0, 9])
    assert use.active_units == 2


def test_the_kl_of_each_latent_is_its_summand():
    z_mean, z_log_var = np.random.default_rng(3).normal(size=(2, 5, 3)).astype(np.float32)
    per_latent = np.asarray(kl_per_latent(z_mean, z_log_var))
    expected = 0.5 * (np.exp(z_log_var) - 1 - z_log_var + z_mean**2)
    np.testing.assert_allclose(per_latent, expected, rtol=1e-5)
    np.testing.assert_allclose(per_latent.sum(axis=1), np.asarray(kl(z_mean, z_log_var)), rtol=1e-5)
    use = latent_use(per_latent, z_mean, np.zeros((5, 1)), np.zeros((5, 1)))
    np.testing.assert_allclose(use.kl, expected.mean(axis=0), rtol=1e-5)
