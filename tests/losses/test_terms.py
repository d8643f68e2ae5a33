import keras
import numpy as np
import pytest
import tensorflow as tf

from awl_vae.losses import LOG_VARIANCE_RANGE, bce, kl, log_variance, mahalanobis


def pixels(*values):
    """One image of one row: (1, 1, W, 1)."""
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


def test_bce_by_hand():
    # x' = sigmoid(0) = 1/2 for both pixels: -log(1/2) each, whatever x is: 2 · 0.693147 = 1.386294.
    np.testing.assert_allclose(bce(pixels(1, 0), pixels(0, 0)), [1.386294], rtol=1e-6)
    # x' = 0.8 has the logit log(0.8/0.2) = log 4.
    # x = 1: -log 0.8 = 0.223144; x = 0.25: -(0.25 log 0.8 + 0.75 log 0.2) = 0.055786 + 1.207078.
    logits = pixels(np.log(4), np.log(4))
    np.testing.assert_allclose(bce(pixels(1, 0.25), logits), [1.486008], rtol=1e-6)


def test_mahalanobis_by_hand():
    # (1 − 3)² / 4 / 2 = 0.5 and (0.5 − 0)² / 1 / 2 = 0.125.
    terms = mahalanobis(pixels(3, 0), pixels(1, 0.5), pixels(np.log(4), 0))
    np.testing.assert_allclose(terms, [0.625], rtol=1e-6)


def test_log_variance_by_hand():
    # σ² = 1: log(2π)/2 = 0.918939; σ² = 4: log(8π)/2 = 1.612086.
    np.testing.assert_allclose(log_variance(pixels(0, np.log(4))), [2.531024], rtol=1e-6)


def test_kl_by_hand():
    # μ = 0, σ² = 1: 0. μ = 2, σ² = 1: 4/2 = 2. μ = 0, σ² = 4: (−log 4 − 1 + 4)/2 = 0.806853.
    z_mean = np.array([[0, 2, 0], [0, 0, 0]], np.float32)
    z_log_var = np.array([[0, 0, np.log(4)], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(kl(z_mean, z_log_var), [2.806853, 0.0], rtol=1e-6)


def test_terms_equal_their_formulas_in_numpy():
    # float32 sums of 60 numbers of order 1 against float64: 1e-5 is about 100 roundings.
    rng = np.random.RandomState(0)
    x, mean, log_var = rng.uniform(size=(3, 5, 4, 3, 5, 1)).astype(np.float32)[:, :, :, :, 0, :]
    logits = rng.normal(0, 3, size=x.shape).astype(np.float32)
    x64, axes = x.astype(np.float64), (1, 2, 3)
    x_hat = 1 / (1 + np.exp(-logits.astype(np.float64)))
    expected = -(x64 * np.log(x_hat) + (1 - x64) * np.log(1 - x_hat)).sum(axes)
    np.testing.assert_allclose(bce(x, logits), expected, rtol=1e-5)
    expected = ((mean.astype(np.float64) - x64) ** 2 / np.exp(log_var) / 2).sum(axes)
    np.testing.assert_allclose(mahalanobis(x, mean, log_var), expected, rtol=1e-5)
    expected = (np.log(2 * np.pi * np.exp(log_var.astype(np.float64))) / 2).sum(axes)
    np.testing.assert_allclose(log_variance(log_var), expected, rtol=1e-5)


def test_three_terms_are_the_gaussian_log_density():
    x, mean, log_var = pixels(0.2, 0.9), pixels(0.3, 0.5), pixels(-1.0, 0.5)
    sigma = np.exp(log_var / 2)
    density = np.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    total = mahalanobis(x, mean, log_var) + log_variance(log_var)
    np.testing.assert_allclose(total, [-np.log(density).sum()], rtol=1e-5)


def test_terms_are_sums_over_the_sample_and_keep_the_batch():
    ones = np.ones((3, 4, 6, 1), np.float32)
    for term in (bce(ones, ones), mahalanobis(ones, 2 * ones, ones), log_variance(ones)):
        assert term.shape == (3,)
        np.testing.assert_allclose(term[0], term[2])
    # 24 pixels of −log sigmoid(1) = 0.313262.
    np.testing.assert_allclose(bce(ones, ones), [24 * 0.313262] * 3, rtol=1e-5)


@pytest.mark.parametrize("extreme", [-3e38, -1e4, -200.0, 200.0, 1e4, 3e38])
def test_no_nan_at_extreme_inputs(extreme):
    x = tf.constant(pixels(0.0, 0.5, 1.0))
    z = tf.constant([[1.0, -1.0]])
    wild_pixels, wild_latents = tf.fill(x.shape, extreme), tf.fill(z.shape, extreme)
    cases = {
        "bce": lambda value: bce(x, value),
        "mahalanobis": lambda value: mahalanobis(x, x + 0.5, value),
        "log_variance": log_variance,
    }
    for name, term in cases.items():
        with tf.GradientTape() as tape:
            tape.watch(wild_pixels)
            value = term(wild_pixels)
        assert not np.isnan(value).any(), name
        assert np.isfinite(tape.gradient(value, wild_pixels)).all(), name
    with tf.GradientTape() as tape:
        tape.watch(wild_latents)
        value = kl(z, wild_latents)
    assert np.isfinite(value).all()
    assert np.isfinite(tape.gradient(value, wild_latents)).all()
    assert not np.isnan(kl(wild_latents, z)).any()
    assert not np.isnan(mahalanobis(x, wild_pixels, tf.zeros_like(x))).any()


def test_log_variances_are_clipped_to_the_documented_range():
    low, high = LOG_VARIANCE_RANGE
    for value, limit in ((-1e3, low), (1e3, high)):
        np.testing.assert_array_equal(log_variance(pixels(value)), log_variance(pixels(limit)))
        np.testing.assert_array_equal(
            mahalanobis(pixels(1), pixels(0), pixels(value)),
            mahalanobis(pixels(1), pixels(0), pixels(limit)),
        )
        latents = np.zeros((1, 1), np.float32)
        np.testing.assert_array_equal(kl(latents, latents + value), kl(latents, latents + limit))


def test_gradients_by_hand():
    # d bce/d logit = sigmoid(logit) − x, also at 0; d kl/d μ = μ; d kl/d log σ² = (σ² − 1)/2.
    logits = tf.constant(pixels(0.0, np.log(4)))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = bce(pixels(1, 0.25), logits)
    np.testing.assert_allclose(
        keras.ops.reshape(tape.gradient(value, logits), (-1,)), [-0.5, 0.55], rtol=1e-5
    )
    z_mean, z_log_var = tf.constant([[3.0]]), tf.constant([[np.log(2.0)]], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([z_mean, z_log_var])
        value = kl(z_mean, z_log_var)
    by_mean, by_log_var = tape.gradient(value, [z_mean, z_log_var])
    np.testing.assert_allclose([by_mean[0, 0], by_log_var[0, 0]], [3.0, 0.5], rtol=1e-6)


def test_what_is_outside_of_a_region_has_no_part_by_hand():
    random = np.random.RandomState(0)
    x, output, log_var = (
        tf.constant(random.uniform(0.1, 0.9, (2, 2, 3, 1)), tf.float32) for _ in range(3)
    )
    roi = np.zeros((2, 2, 3, 1), np.float32)
    roi[0, 0, :2] = roi[1, 1, 2] = 1.0
    for term, weighs_x in ((bce, True), (mahalanobis, True), (log_variance, False)):
        outputs = {bce: [output], mahalanobis: [output, log_var], log_variance: [log_var]}[term]
        arguments = [x, *outputs] if weighs_x else outputs
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            values = term(*arguments, roi)
        # two pixels of the first sample, one of the second, each alone
        (first, second) = (
            sum(
                term(*(array[i : i + 1, y : y + 1, x : x + 1] for array in arguments)).numpy()[0]
                for y, x in pixels
            )
            for i, pixels in ((0, [(0, 0), (0, 1)]), (1, [(1, 2)]))
        )
        np.testing.assert_allclose(values, [first, second], rtol=1e-6)
        for gradient in tape.gradient(values, arguments):
            assert np.all(gradient.numpy()[roi == 0] == 0.0)
            assert np.all(gradient.numpy()[roi == 1] != 0.0)
