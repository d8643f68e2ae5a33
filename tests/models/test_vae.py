import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from awl_vae.losses import TERMS
from awl_vae.models import VAE
from awl_vae.models.networks import OutputMaps, feature_maps


def batch(num_images=6, image_size=(16, 16), seed=0):
    shape = (num_images, *image_size, 1)
    return np.random.RandomState(seed).uniform(size=shape).astype(np.float32)


def build(likelihood="bernoulli", image_size=(16, 16), seed=3, **kwargs):
    keras.utils.set_random_seed(seed)
    model = VAE(image_size, latent_dim=5, likelihood=likelihood, seed=seed, **kwargs)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    return model


@pytest.mark.parametrize(
    ("image_size", "smallest"),
    [
        ((16, 16), (4, 4)),
        ((64, 64), (4, 4)),
        ((96, 160), (3, 5)),
        ((320, 320), (5, 5)),
        ((512, 512), (4, 4)),
        ((16, 272), (4, 68)),
    ],
)
@pytest.mark.parametrize("likelihood", TERMS)
def test_any_size_divisible_by_16(image_size, smallest, likelihood):
    assert feature_maps(image_size)[-1][:2] == smallest
    model = VAE(image_size, latent_dim=2, likelihood=likelihood)
    x = batch(1, image_size)
    assert model(x).shape == (1, *image_size, 1)
    assert model.decoder.output_shape[-1] == (1 if likelihood == "bernoulli" else 2)


@pytest.mark.parametrize("num_maps", [1, 2])
def test_the_fast_way_to_the_output_maps_is_keras_transposed_convolution(num_maps):
    settings = {"strides": 2, "padding": "same", "bias_initializer": "ones"}
    ours = OutputMaps(num_maps, 4, **settings)
    theirs = keras.layers.Conv2DTranspose(num_maps, 4, **settings)
    random = np.random.RandomState(0)
    x = tf.constant(random.normal(size=(2, 3, 5, 7)), tf.float32)
    y = tf.constant(random.normal(size=(2, 6, 10, num_maps)), tf.float32)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    outputs, gradients = [], []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs.append(layer(x))
        wanted = [x, *layer.trainable_variables]
        gradients.append(tape.gradient(outputs[-1], wanted, output_gradients=y))
    assert outputs[0].shape == y.shape
    for one, other in zip((outputs[0], *gradients[0]), (outputs[1], *gradients[1]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("image_size", [(50, 64), (64, 0), (8, 8), (-16, 16)])
def test_other_sizes_are_refused(image_size):
    with pytest.raises(ValueError, match="divisible by 16. Received: image_size="):
        VAE(image_size, latent_dim=2)


def test_unknown_likelihood_is_refused():
    with pytest.raises(ValueError, match="Received: likelihood='poisson'"):
        VAE((16, 16), latent_dim=2, likelihood="poisson")


@pytest.mark.parametrize("likelihood", TERMS)
def test_logs_hold_terms_weights_and_the_weighted_loss(likelihood):
    model = build(likelihood)
    weights = {term: 0.5 + index for index, term in enumerate(TERMS[likelihood])}
    model.set_term_weights(weights)
    dataset = tf.data.Dataset.from_tensor_slices(batch()).batch(4)
    for logs in (
        model.evaluate(dataset, verbose=0, return_dict=True),
        {k: v[0] for k, v in model.fit(dataset, verbose=0, shuffle=False).history.items()},
    ):
        assert set(logs) == {"loss", *weights, *(f"weight_{term}" for term in weights)}
        assert {term: logs[f"weight_{term}"] for term in weights} == weights
        total = sum(weights[term] * logs[term] for term in weights)
        assert logs["loss"] == pytest.approx(total, rel=1e-5)


def test_epoch_logs_are_means_over_images_not_over_batches():
    model = build()
    x = batch(6)
    uneven = tf.data.Dataset.from_tensor_slices(x).batch(5)
    logs = model.evaluate(uneven, verbose=0, return_dict=True)
    z_mean, z_log_var = model.encode(x)
    kls = 0.5 * np.sum(np.exp(z_log_var) - 1 - z_log_var + np.square(z_mean), axis=1)
    assert logs["kl"] == pytest.approx(kls.mean(), rel=1e-5)


def test_weights_change_the_gradients_of_a_traced_step():
    # One trace for all: with the weight of bce next to 0, the decoder's bias stops moving and
    # starts again with the weight, which a weight frozen into the trace could not do.
    model = build()
    model.compile(optimizer=keras.optimizers.SGD(1e-3))
    traces = []

    @tf.function
    def step(x):
        traces.append(1)
        return model.train_step(x)

    bias = model.decoder.trainable_variables[-1]
    moved = []
    for weight in (1.0, 1e-10, 1.0):
        model.set_term_weights({"bce": weight, "kl": 1.0})
        before = bias.numpy()
        logs = step(tf.constant(batch()))
        moved.append(float(np.abs(bias.numpy() - before).max()))
        assert float(logs["weight_bce"]) == np.float32(weight)
    assert len(traces) == 1
    assert moved[0] > 1e-4
    assert moved[1] < 1e-9
    assert moved[2] > 1e-4


def test_setting_weights_of_other_terms_is_refused():
    with pytest.raises(ValueError, match="Expected a weight for each of bce, kl"):
        build().set_term_weights({"bce": 1.0})


@pytest.mark.parametrize("likelihood", TERMS)
def test_reconstruction_is_deterministic_and_training_is_not(likelihood):
    model = build(likelihood)
    x = batch()
    np.testing.assert_array_equal(model(x), model(x))
    first, second = (model.compute_terms(x)[TERMS[likelihood][0]] for _ in range(2))
    assert not np.array_equal(first, second)
    z_mean, _ = model.encode(x)
    expected = model.decoder(z_mean)[..., :1]
    if likelihood == "bernoulli":
        expected = 1 / (1 + np.exp(-expected))
    np.testing.assert_allclose(model(x), expected, rtol=1e-5)


def test_same_seed_same_bits():
    dataset = tf.data.Dataset.from_tensor_slices(batch(10)).batch(4)
    runs = []
    for _ in range(2):
        model = build()
        model.fit(dataset, epochs=2, verbose=0, shuffle=False)
        runs.append([variable.numpy() for variable in model.trainable_variables])
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("likelihood", "dtype"),
    [
        pytest.param("bernoulli", "float32", marks=pytest.mark.slow),
        pytest.param("gaussian", "mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("bernoulli", "mixed_bfloat16", marks=pytest.mark.exhaustive),
        pytest.param("gaussian", "float32", marks=pytest.mark.exhaustive),
    ],
)
def test_saved_and_loaded_in_a_new_process(tmp_path, likelihood, dtype):
    model = build(likelihood, dtype=dtype)
    model.fit(tf.data.Dataset.from_tensors(batch()), verbose=0, shuffle=False)
    model.set_term_weights(dict.fromkeys(TERMS[likelihood], 1e-10))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", batch())
    script = (
        "import awl_vae.models.vae, keras, numpy as np, sys\n"
        "from awl_vae.training.runtime import set_up\n"
        "set_up(2)\n"
        "model = keras.saving.load_model(sys.argv[1] + '/model.keras', safe_mode=True)\n"
        "np.save(sys.argv[1] + '/y.npy', model(np.load(sys.argv[1] + '/x.npy')))\n"
        "np.save(sys.argv[1] + '/w.npy', [w.numpy() for w in model.term_weights.values()])\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model(batch()))
    assert set(np.load(tmp_path / "w.npy")) == {np.float32(1e-10)}


def test_bfloat16_keeps_variables_terms_and_outputs_in_float32():
    model = build(dtype="mixed_bfloat16")
    assert model.encoder.layers[0].compute_dtype == "bfloat16"
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model(batch()).dtype == "float32"
    assert {term.dtype.name for term in model.compute_terms(batch()).values()} == {"float32"}
    exact = build()
    # 8 bits of mantissa: a few per mille of relative error in a sum over 256 pixels.
    np.testing.assert_allclose(
        model.compute_terms(batch())["bce"], exact.compute_terms(batch())["bce"], rtol=1e-2
    )


PLACEMENT = """
import keras, numpy as np, tensorflow as tf
from awl_vae.models import VAE
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.experimental.enable_op_determinism()
x = np.random.RandomState(0).uniform(size=(8, 16, 16, 1)).astype("float32")

def trained(scope):
    keras.utils.set_random_seed(1)
    with scope:
        model = VAE((16, 16), latent_dim=3, seed=1)
        model.compile(optimizer=keras.optimizers.Adam(1e-3))
        model.fit(tf.data.Dataset.from_tensor_slices(x).batch(4), verbose=0, shuffle=False)
    return model

first, second = trained(tf.device("CPU:0")), trained(tf.device("CPU:1"))
assert "CPU:1" in second.trainable_variables[0].value.device
for a, b in zip(first.variables, second.variables, strict=True):
    np.testing.assert_array_equal(a, b)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
mirrored = trained(strategy.scope())
for variable in mirrored.trainable_variables:
    copies = [copy.numpy() for copy in strategy.experimental_local_results(variable.value)]
    assert len(copies) == 2
    np.testing.assert_array_equal(*copies)
assert not np.array_equal(mirrored.trainable_variables[0], first.trainable_variables[0])
"""


@pytest.mark.slow
def test_placement_and_distribution_on_two_logical_devices():
    # As on two GPUs: the same bits on either device, and equal copies under a strategy.
    subprocess.run([sys.executable, "-c", PLACEMENT], check=True)


def test_the_optimal_variance_is_the_mean_squared_error_of_the_batch():
    model = build("gaussian", variance="optimal")
    x = batch(4)
    model.sample_latent = False
    terms = model.compute_terms(x)
    error = np.mean((x - model(x).numpy()) ** 2)
    # ½ Σ (x − μ)² / σ² over a batch with σ² = its mean: half the number of its pixels.
    assert np.mean(terms["mahalanobis"]) == pytest.approx(0.5 * 16 * 16, rel=1e-5)
    expected = 0.5 * 16 * 16 * np.log(2 * np.pi * error)
    assert terms["log_variance"].numpy() == pytest.approx(expected, rel=1e-5)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(4)
    losses = model.fit(dataset, epochs=30, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]


def test_an_unknown_variance_is_refused():
    with pytest.raises(ValueError, match="Received: variance='none'"):
        VAE((16, 16), latent_dim=2, variance="none")


@pytest.mark.parametrize(
    ("likelihood", "variance"),
    [
        pytest.param("bernoulli", "learned", marks=pytest.mark.exhaustive),
        pytest.param("gaussian", "learned", marks=pytest.mark.exhaustive),
        pytest.param("gaussian", "optimal", marks=pytest.mark.slow),
    ],
)
def test_what_is_outside_of_a_region_has_no_part_in_loss_and_gradients(likelihood, variance):
    x = batch()
    roi = np.zeros_like(x)
    roi[:, 3:9, 5:14] = 1.0
    roi[0, 10:12] = 1.0  # each image has its own
    outside, inside = x + 0.5 * (roi == 0), x + 0.1 * roi

    def learn(images):
        model = build(likelihood, variance=variance)
        history = model.fit(np.concatenate([images, roi], -1), shuffle=False, verbose=0).history
        return [*history.values(), *(variable.numpy() for variable in model.variables)]

    expected = learn(x)
    for value, other in zip(learn(outside), expected, strict=True):
        np.testing.assert_array_equal(value, other)
    assert learn(inside)[0] != expected[0]


def test_a_region_that_is_all_changes_nothing():
    x = batch()
    for likelihood in TERMS:
        terms = build(likelihood).compute_terms(x)
        with_roi = build(likelihood).compute_terms(np.concatenate([x, np.ones_like(x)], -1))
        for name, values in terms.items():
            np.testing.assert_array_equal(with_roi[name], values)
