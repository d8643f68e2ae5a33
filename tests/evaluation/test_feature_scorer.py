"""Scores of residuals of features: against what NumPy and scikit-learn make of the same numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from sklearn.neighbors import NearestNeighbors

from awl_vae.evaluation.feature_scorer import TOP_FRACTION, FeatureScorer
from awl_vae.evaluation.whitening import POOLED, RIDGE, Moments, coreset

SHAPE = (3, 4, 5)


def features(count, seed=0):
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((*SHAPE[:2], SHAPE[2], SHAPE[2])) + np.eye(SHAPE[2])
    values = random.standard_normal((count, *SHAPE))
    return np.einsum("hwdc,nhwc->nhwd", mixing, values).astype(np.float32)


def scorer(score="mahalanobis", **arguments):
    """One whose features are the channels of the pixels, and whose model says 0."""
    extractor = keras.Sequential(
        [keras.Input((24, 32, 3)), layers.AveragePooling2D(8), layers.Conv2D(SHAPE[2], 1)]
    )
    model = keras.Sequential([keras.Input(SHAPE), layers.Rescaling(0.0)])
    return FeatureScorer(extractor, model, score, **arguments)


def whitening(values):
    """Mean and W at each position, by NumPy."""
    mean = values.mean(axis=0)
    centered = values - mean
    own = np.einsum("nhwc,nhwd->hwcd", centered, centered) / (len(values) - 1)
    pooled = own.mean(axis=(0, 1))
    noise = RIDGE * np.trace(pooled) / SHAPE[2] * np.eye(SHAPE[2])
    return mean, np.linalg.inv(np.linalg.cholesky((1 - POOLED) * own + POOLED * pooled + noise))


def test_what_is_learnt_in_parts_is_what_numpy_finds():
    values = features(40)
    moments = Moments(SHAPE)
    for batch in np.split(values, (10, 25)):
        moments.add(tf.constant(batch))
    for found, expected in zip(moments.whitening(), whitening(values), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)


def test_a_mean_that_is_large_takes_no_digits_of_the_covariance(monkeypatch):
    monkeypatch.setattr("awl_vae.evaluation.whitening.GROUP_BYTES", 4 * 40 * np.prod(SHAPE))
    values = features(384)
    far = Moments(SHAPE)
    for batch in np.split(values, 24):
        far.add(tf.constant(batch + np.float32(1000)))
    mean, factor = far.whitening()
    expected_mean, expected_factor = whitening(values)
    np.testing.assert_allclose(mean - 1000, expected_mean, atol=1e-4)
    np.testing.assert_allclose(factor, expected_factor, rtol=2e-3, atol=2e-4)


def test_of_more_images_than_vectors_are_wanted_some_have_one(monkeypatch):
    monkeypatch.setattr("awl_vae.evaluation.feature_scorer.SAMPLE", 7)
    found = scorer("nearest_normal", whitens=False)
    images = tf.constant(features(20))
    sample = found._sample([images[:9], images[9:]], 20, seed=0)
    assert sample.shape == (7, SHAPE[2])
    smoothed = found._smoothed(images).numpy().reshape(20, -1, SHAPE[2])
    of = [np.flatnonzero((smoothed == vector).all(-1).any(-1)).tolist() for vector in sample]
    assert [len(each) for each in of] == [1] * 7
    assert of == sorted(of)
    assert len({each[0] for each in of}) == 7


def test_mahalanobis_is_the_distance_by_the_whole_covariance():
    normal, others = features(200), features(6, seed=1)
    found = scorer()
    parts = [tf.constant(normal[:90]), tf.constant(normal[90:])]
    found.learn(lambda: parts, lambda: parts, 200, seed=0)
    mean, factor = whitening(normal)
    distances = np.linalg.norm(np.einsum("hwdc,nhwc->nhwd", factor, others - mean), axis=-1)
    scores, maps = found.score_and_map_of_features(tf.constant(others))
    most = int(np.ceil(TOP_FRACTION * 12))
    expected = np.sort(distances.reshape(6, -1), axis=1)[:, -most:].mean(axis=1)
    np.testing.assert_allclose(scores, expected, rtol=5e-3)
    resized = ops.image.resize(distances[..., None], (24, 32))[..., 0]
    np.testing.assert_allclose(maps, resized, rtol=1e-2)


def test_nearest_normal_is_the_distance_of_smoothed_vectors_to_the_coreset():
    normal, others = features(60), features(4, seed=1)
    found = scorer("nearest_normal", coreset_size=50)
    found.learn(lambda: [tf.constant(normal)], lambda: [tf.constant(normal)], 60, seed=0)
    mean, factor = whitening(normal)
    vectors = np.einsum("hwdc,nhwc->nhwd", factor, others - mean)
    padded = np.pad(vectors, ((0, 0), (1, 1), (1, 1), (0, 0)))
    smoothed = sum(padded[:, y : y + 3, x : x + 4] for y in range(3) for x in range(3)) / 9
    search = NearestNeighbors(n_neighbors=1).fit(found.coreset.numpy())
    distances, _ = search.kneighbors(smoothed.reshape(-1, 5))
    expected = distances.reshape(4, -1).max(axis=1)
    np.testing.assert_allclose(
        found.score_and_map_of_features(tf.constant(others))[0], expected, rtol=1e-2
    )


def uniform_of_inside(places):
    """The mean of 3 × 3 places (h, w), of those that there are."""
    padded = np.pad(places, 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return np.nanmean(windows, axis=(2, 3))


def test_the_features_themselves_have_a_third_of_the_score_and_two_of_the_map():
    normal, others = tf.constant(features(60)), tf.constant(features(4, seed=1))
    residuals_alone, both = (
        scorer("nearest_normal", coreset_size=50, has_plain=has_plain)
        for has_plain in (False, True)
    )
    for one in (residuals_alone, both):
        one.learn(lambda: [normal], lambda: [normal], 60, seed=0)
    shape = (-1, *others.shape[1:])
    padded = np.pad(others, ((0, 0), (1, 1), (1, 1), (0, 0)))
    smoothed = sum(padded[:, y : y + 3, x : x + 4] for y in range(3) for x in range(3)) / 9
    search = NearestNeighbors(n_neighbors=1).fit(both.plain.numpy())
    plain = search.kneighbors(smoothed.reshape(-1, 5))[0].reshape(shape[:3])
    whitened = residuals_alone._smoothed(residuals_alone._vectors(others))
    distances = residuals_alone._distance(whitened, residuals_alone.coreset).numpy()
    scores, maps = both.score_and_map_of_features(others)
    of_places = np.cbrt(distances**2 * plain)
    expected = [uniform_of_inside(each).max() for each in of_places]
    np.testing.assert_allclose(scores, expected, rtol=1e-2)
    lengths = np.linalg.norm(both._vectors(others), axis=-1)
    places = np.cbrt(lengths * plain**2)
    expected = both.in_pixels(tf.constant(places, tf.float32))
    np.testing.assert_allclose(maps, expected, rtol=1e-2)


def test_a_coreset_leaves_no_vector_far_from_it():
    vectors = np.random.default_rng(0).standard_normal((2000, 3)).astype(np.float32)
    chosen = coreset(vectors, 200, seed=0)
    assert len(chosen) == 200
    assert len(np.unique(chosen, axis=0)) == 200
    search = NearestNeighbors(n_neighbors=1)
    farthest = search.fit(chosen).kneighbors(vectors)[0].max()
    first = search.fit(vectors[:200]).kneighbors(vectors)[0].max()
    assert farthest < 0.6 * first
    assert len(coreset(vectors[:7], 200, seed=0)) == 7


@pytest.mark.parametrize("score", ["mahalanobis", "nearest_normal"])
@pytest.mark.parametrize("whitens", [True, False])
def test_saved_and_loaded_it_gives_the_same_bits(tmp_path, score, whitens):
    found = scorer(score, whitens=whitens, coreset_size=20)
    normal = tf.constant(features(30))
    found.learn(lambda: [normal], lambda: [normal], 30, seed=0)
    images = tf.constant(np.random.default_rng(0).random((2, 24, 32, 3), np.float32))
    found.save(tmp_path / "scorer.keras")
    loaded = keras.saving.load_model(tmp_path / "scorer.keras")
    assert loaded.image_size == (24, 32)
    for before, after in zip(
        found.score_and_map(images), loaded.score_and_map(images), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_coarse_distances_are_of_wider_means_at_every_second_place():
    random = np.random.default_rng(0)
    extractor = keras.Sequential(
        [keras.Input((48, 64, 3)), layers.AveragePooling2D(8), layers.Conv2D(5, 1)]
    )
    shape = extractor.output_shape[1:]
    model = keras.Sequential([keras.Input(shape), layers.Rescaling(0.0)])
    options = {"whitens": False, "coarse": True, "coreset_size": 30}
    found = FeatureScorer(extractor, model, "nearest_normal", **options)
    normal, others = (random.standard_normal((n, *shape)).astype(np.float32) for n in (40, 3))
    found.learn(lambda: [tf.constant(normal)], lambda: [tf.constant(normal)], 40, seed=0)

    def mean(values, size, stride):
        padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
        return windows[:, ::stride, ::stride].mean(axis=(-1, -2))

    smoothed = mean(mean(others, 3, 1), 4, 2)
    assert smoothed.shape == (3, 3, 4, 5)
    search = NearestNeighbors(n_neighbors=1).fit(found.coreset.numpy())
    distances = search.kneighbors(smoothed.reshape(-1, 5))[0].reshape(3, 3, 4, 1)
    expected = ops.image.resize(distances, shape[:2], "bilinear")
    _, maps = found.score_and_map_of_features(tf.constant(others))
    np.testing.assert_allclose(maps, ops.image.resize(expected, (48, 64))[..., 0], rtol=1e-2)
