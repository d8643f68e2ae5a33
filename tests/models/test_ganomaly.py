"""GANomaly: what each of its steps moves, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from awl_vae.models.ganomaly import WEIGHTS, GANomaly

SHAPE = (16, 16, 1)


@pytest.fixture
def gan():
    keras.utils.set_random_seed(1)
    model = GANomaly(SHAPE, latent_dim=4)
    model.compile()
    model.generator_optimizer.learning_rate = 2e-3
    return model


def stripes(count, seed=1):
    """Images that differ in where their one bright stripe is."""
    x = np.zeros((count, *SHAPE), np.float32)
    for image, place in zip(x, np.random.default_rng(seed).integers(2, 12, count), strict=True):
        image[:, place : place + 3] = 0.8
    return x


def values(variables):
    return [variable.numpy() for variable in variables]


def num_moved(variables, before):
    return sum((now.numpy() != was).any() for now, was in zip(variables, before, strict=True))


def test_a_loss_moves_its_own_network_alone(gan):
    x = stripes(8)
    parts = (gan.generator_variables, gan.discriminator_variables)
    assert not {id(each) for each in parts[0]} & {id(each) for each in parts[1]}
    assert len(parts[0]) + len(parts[1]) == len(gan.trainable_variables)
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    for stopped, still, moving in ((1, *reversed(parts)), (0, *parts)):
        optimizers[stopped].learning_rate = 0.0
        optimizers[1 - stopped].learning_rate = 1e-3
        before = values(still), values(moving)
        gan.fit(x, verbose=0)
        assert num_moved(still, before[0]) == 0
        assert num_moved(moving, before[1]) > 0


def test_the_loss_is_the_weighted_sum_of_its_three(gan):
    logs = gan.train_step(tf.constant(stripes(8)))
    expected = sum(weight * float(logs[name]) for name, weight in WEIGHTS.items())
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)


def test_it_learns_to_reconstruct(gan):
    x = stripes(64)
    first, *_, last = gan.fit(x, batch_size=16, epochs=30, verbose=0).history["contextual"]
    assert last < 0.5 * first


def test_the_score_is_the_distance_of_the_latents(gan):
    x = stripes(5)
    z = gan.encoder(x, training=False)
    again = gan.second_encoder(gan.decoder(z, training=False), training=False)
    np.testing.assert_allclose(gan.score(x), np.abs(z - again).mean(axis=1), rtol=1e-5)


def test_saved_and_loaded_it_is_the_same(gan, tmp_path):
    x = stripes(8)
    gan.fit(x, epochs=2, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras", compile=False)
    np.testing.assert_array_equal(again.score(x), gan.score(x))
    np.testing.assert_array_equal(again(x), gan(x))
