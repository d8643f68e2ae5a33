"""Each rival's trajectory on a sequence made by hand, by the equations of its paper."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_same_bits

from awl_vae.callbacks import Resume
from awl_vae.models import VAE
from awl_vae.models.balancing import GECO, ControlVAE, UncertaintyWeights

MODEL = {"size": 16, "latent_dim": 4, "likelihood": "bernoulli"}


def follow(balancing, sequence):
    """The weights with each batch, and the losses."""
    losses, weights = zip(*(balancing(terms) for terms in sequence), strict=True)
    return [float(loss) for loss in losses], [
        {name: float(weight) for name, weight in each.items()} for each in weights
    ]


def batches(bce, kl):
    return [
        {"bce": keras.ops.array(b), "kl": keras.ops.array(k)} for b, k in zip(bce, kl, strict=True)
    ]


def test_geco_multiplies_by_the_moving_average_of_the_constraint():
    bce, kl = [30.0, 20.0, 8.0, 2.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    losses, weights = follow(GECO(**MODEL, tolerance=10.0), batches(bce, kl))
    multiplier, average = 1.0, None
    for error, divergence, loss, weight in zip(bce, kl, losses, weights, strict=True):
        assert weight == pytest.approx({"bce": multiplier, "kl": 1.0}, rel=1e-5)
        assert loss == pytest.approx(divergence + multiplier * error, rel=1e-5)
        constraint = error - 10.0
        average = constraint if average is None else 0.99 * average + 0.01 * constraint
        multiplier *= math.exp(0.1 * average / 16)


def test_geco_lets_go_where_the_reconstruction_is_better_than_it_has_to_be():
    _, weights = follow(GECO(**MODEL, tolerance=10.0), batches([2.0] * 400, [1.0] * 400))
    rates = np.diff(np.log([weight["bce"] for weight in weights]))
    np.testing.assert_allclose(rates, -0.1 * 8 / 16, rtol=1e-3)


def test_geco_bounds_the_negative_log_likelihood_of_a_gaussian():
    settings = MODEL | {"likelihood": "gaussian"}
    terms = {"mahalanobis": 8.0, "log_variance": -24.0, "kl": 1.0}
    terms = {name: keras.ops.array(value) for name, value in terms.items()}
    _, weights = follow(GECO(**settings, tolerance=-32.0), [terms] * 2)
    assert weights[0] == {"mahalanobis": 1.0, "log_variance": 1.0, "kl": 1.0}
    raised = math.exp(0.1 * (8 - 24 + 32) / 16)
    expected = {"mahalanobis": raised, "log_variance": raised, "kl": 1.0}
    assert weights[1] == pytest.approx(expected)


def test_control_vae_is_a_pi_controller():
    kl = [3.0, 8.0, 12.0, 30.0, 9.0]
    losses, weights = follow(ControlVAE(**MODEL, target=10.0), batches([50.0] * 5, kl))
    integral = 0.0
    for divergence, loss, weight in zip(kl, losses, weights, strict=True):
        error = 10.0 - divergence
        proportional = 0.01 / (1 + math.exp(error))
        if proportional + integral - 1e-4 * error >= 0:
            integral -= 1e-4 * error
        beta = max(proportional + integral, 1e-10)
        assert weight == pytest.approx({"bce": 1.0, "kl": beta}, rel=1e-3)
        assert loss == pytest.approx(50 + beta * divergence, rel=1e-5)
    assert integral > 0.001


def test_control_vae_does_not_wind_up():
    """A thousand batches below the set point do not count against those above it."""
    kl = [0.0] * 1000 + [20.0]
    _, weights = follow(ControlVAE(**MODEL, target=10.0), batches([50.0] * 1001, kl))
    assert weights[999]["kl"] < 1e-6
    assert weights[1000]["kl"] == pytest.approx(0.01 + 1e-4 * 10, rel=1e-3)
    _, weights = follow(ControlVAE(**MODEL, target=0.0), batches([50.0] * 400, [100.0] * 400))
    assert max(weight["kl"] for weight in weights) <= 1
    assert weights[-1]["kl"] == pytest.approx(1, abs=0.01)


def test_learnt_weights_follow_their_gradients():
    """Two steps of gradient descent by hand: ds = −rate · (n / 2 − exp(−s) L)."""
    balancing, rate = UncertaintyWeights(**MODEL), 0.01
    optimizer, logs = keras.optimizers.SGD(rate), {"bce": 0.0, "kl": 0.0}
    for terms in batches([32.0, 30.0], [0.5, 0.6]):
        with tf.GradientTape() as tape:
            loss, weights = balancing(terms)
        expected = {name: math.exp(-s) for name, s in logs.items()}
        assert {name: float(w) for name, w in weights.items()} == pytest.approx(expected)
        penalty = 8 * logs["bce"] + 2 * logs["kl"]
        weighted = sum(expected[name] * float(terms[name]) for name in terms)
        assert float(loss) == pytest.approx(weighted + penalty)
        variables = balancing.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        for name, half in (("bce", 8), ("kl", 2)):
            logs[name] -= rate * (half - expected[name] * float(terms[name]))


def test_learnt_weights_tend_to_half_of_the_numbers_over_the_loss():
    balancing = UncertaintyWeights(**MODEL)
    terms = batches([32.0], [0.5])[0]
    loss, weights = balancing(terms)
    assert (float(loss), {name: float(w) for name, w in weights.items()}) == (
        32.5,
        {"bce": 1.0, "kl": 1.0},
    )
    optimizer = keras.optimizers.Adam(0.05)
    for _ in range(1500):
        with tf.GradientTape() as tape:
            loss, weights = balancing(terms)
        variables = balancing.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    found = {name: float(weight) for name, weight in weights.items()}
    assert found == pytest.approx({"bce": 16 / (2 * 32), "kl": 4 / (2 * 0.5)}, rel=1e-2)


def test_the_log_variance_of_pixels_is_no_task():
    balancing = UncertaintyWeights(**MODEL | {"likelihood": "gaussian"})
    assert sorted(balancing.counts) == ["kl", "mahalanobis"]


@pytest.mark.parametrize(
    "balancing",
    [GECO(**MODEL, tolerance=3.0), ControlVAE(**MODEL, target=2.0), UncertaintyWeights(**MODEL)],
    ids=lambda each: type(each).__name__,
)
def test_a_model_shows_the_weights_of_its_last_batch_and_is_saved_with_them(balancing, tmp_path):
    x = np.random.default_rng(1).random((8, 16, 16, 1)).astype(np.float32)
    model = VAE((16, 16), latent_dim=4, seed=1, balancing=balancing)
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(x, epochs=3, batch_size=4, shuffle=False, verbose=0).history
    last = {name: float(weight.numpy()) for name, weight in model.term_weights.items()}
    assert {name: history[f"weight_{name}"][-1] for name in last} == last
    assert last != {"bce": 1.0, "kl": 1.0}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.balancing) is type(balancing)
    assert loaded.balancing.get_config() == balancing.get_config()
    np.testing.assert_array_equal(loaded(x), model(x))
    for one, other in zip(loaded.balancing.variables, balancing.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("kind", [GECO, ControlVAE, UncertaintyWeights])
def test_a_training_that_was_cut_off_goes_on_to_the_same_bits(kind, tmp_path):
    own = {GECO: {"tolerance": 3.0}, ControlVAE: {"target": 2.0}}.get(kind, {})
    x = np.random.default_rng(1).random((8, 16, 16, 1)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices(x).batch(4)

    def trained(path, *ends):
        for end in ends:
            keras.utils.set_random_seed(1)
            model = VAE((16, 16), latent_dim=4, seed=1, balancing=kind(**MODEL, **own))
            model.compile(keras.optimizers.Adam(1e-2))
            resume = Resume(path, [])
            first = resume.initial_epoch
            settings = {"callbacks": [resume], "shuffle": False, "verbose": 0}
            model.fit(batches, epochs=end, initial_epoch=first, **settings)
        return [variable.numpy() for variable in model.variables]

    assert_same_bits(trained(tmp_path / "cut.npz", 2, 4), trained(tmp_path / "whole.npz", 4))


def test_a_model_loads_where_nothing_but_the_vae_was_imported(tmp_path):
    for kind, own in ((GECO, {"tolerance": 3.0}), (ControlVAE, {"target": 2.0})):
        model = VAE((16, 16), latent_dim=4, seed=1, balancing=kind(**MODEL, **own))
        model.save(tmp_path / f"{kind.__name__}.keras")
    VAE((16, 16), latent_dim=4, balancing=UncertaintyWeights(**MODEL)).save(
        tmp_path / "UncertaintyWeights.keras"
    )
    program = (
        "import sys; import awl_vae.system.quiet_tensorflow, keras; from awl_vae import VAE\n"
        "for path in sys.argv[1:]: print(type(keras.saving.load_model(path).balancing).__name__)"
    )
    paths = sorted(tmp_path.iterdir())
    command = [sys.executable, "-c", program, *map(str, paths)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert lines == [path.stem for path in paths]
