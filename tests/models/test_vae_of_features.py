"""The VAE on maps of features, and on colours."""

import keras
import numpy as np
import pytest

from awl_vae.losses import TERMS
from awl_vae.models import VAE
from awl_vae.models.feature_networks import halved

SHAPE = (9, 6, 5)


def maps(count, shape=SHAPE, seed=0):
    """Standardized maps that one number for each image explains in good part."""
    random = np.random.RandomState(seed)
    common = random.normal(size=(count, 1, 1, 1)) * np.ones(shape)
    return (0.9 * common + 0.4 * random.normal(size=(count, *shape))).astype(np.float32)


def build(shape=SHAPE, **kwargs):
    settings = {"likelihood": "gaussian", "input_kind": "features", "latent_dim": 3, "seed": 1}
    return VAE(shape, **settings | kwargs)


@pytest.mark.parametrize(
    ("size", "smallest"), [((28, 28), (4, 4)), ((72, 28), (9, 4)), ((9, 37), (3, 10))]
)
def test_sides_are_halved_and_rounded_up(size, smallest):
    assert halved(size)[-1] == smallest


@pytest.mark.parametrize("shape", [(2, 3, 4), (9, 6, 5), (13, 11, 2), (4, 30, 3)])
def test_maps_of_any_sides_come_back(shape):
    model = build(shape)
    x = maps(3, shape)
    assert model(x).shape == x.shape
    terms = model.compute_terms(x)
    assert [*terms] == [*TERMS["gaussian"]]
    assert all(value.shape == (3,) for value in terms.values())


def test_training_explains_what_maps_have_in_common():
    model, x = build(), maps(64)
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(x, epochs=60, batch_size=16, verbose=0, shuffle=False)
    new = maps(64, seed=1)
    assert np.mean((new - model(new)) ** 2) < 0.5 * np.mean(new**2)


def test_the_weights_of_its_terms_count():
    x, finals = maps(16), []
    for weight in (1.0, 1e-10):
        model = build()
        model.set_term_weights({"mahalanobis": weight, "log_variance": weight, "kl": 1.0})
        model.compile(keras.optimizers.SGD(1e-3))
        model.fit(x, epochs=3, verbose=0, shuffle=False)
        finals.append(model(x).numpy())
    assert np.abs(finals[0] - finals[1]).max() > 1e-4


def test_it_is_saved_and_loaded(tmp_path):
    model = build()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.shape, loaded.input_kind) == (SHAPE, "features")
    np.testing.assert_array_equal(loaded(maps(4)), model(maps(4)))


def test_what_has_no_sense_is_refused():
    with pytest.raises(ValueError, match="likelihood='gaussian' of features"):
        build(likelihood="bernoulli")
    with pytest.raises(ValueError, match="Received: input_kind='sound'"):
        build(input_kind="sound")


@pytest.mark.parametrize("likelihood", TERMS)
def test_colours_have_a_reconstruction_and_a_term_of_all(likelihood):
    x = np.random.RandomState(0).uniform(size=(4, 16, 32, 3)).astype(np.float32)
    model = VAE((16, 32, 3), latent_dim=2, likelihood=likelihood, seed=1)
    assert model(x).shape == x.shape
    reconstruction = TERMS[likelihood][0]
    before = model.compute_terms(x)[reconstruction].numpy()
    for channel in range(3):
        other = x.copy()
        other[..., channel] = 0.0
        assert (model.compute_terms(other)[reconstruction].numpy() != before).all()


@pytest.mark.parametrize("variance", ["learned", "optimal"])
def test_what_is_outside_of_a_region_has_no_part_in_colours(variance):
    random = np.random.RandomState(0)
    x = random.uniform(size=(3, 16, 16, 3)).astype(np.float32)
    roi = np.zeros((3, 16, 16, 1), np.float32)
    roi[:, 4:12, 2:9] = 1.0
    other = np.where(roi > 0, x, random.uniform(size=x.shape)).astype(np.float32)
    settings = {"likelihood": "gaussian", "variance": variance, "sample_latent": False}
    model = VAE((16, 16, 3), latent_dim=2, seed=1, **settings)
    found = [model.compute_terms(np.concatenate([each, roi], axis=-1)) for each in (x, other)]
    for term in ("mahalanobis", "log_variance"):
        np.testing.assert_array_equal(found[0][term], found[1][term])
    if variance == "optimal":  # half the number of values inside, whatever is outside
        assert np.mean(found[0]["mahalanobis"]) == pytest.approx(0.5 * 3 * 8 * 7, rel=1e-5)
