"""Large images in tiles."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from awl_vae.evaluation import FeatureScorer, TiledScorer
from awl_vae.evaluation.tiles import OVERLAP, whole_size
from awl_vae.models.projection import low_rank

TILE, GRID = (64, 48), (2, 3)


def tile_scorer():
    """A scorer whose map is the brightness of 8 × 8 pixels."""
    pixels = keras.Input((*TILE, 3))
    extractor = keras.Model(pixels, layers.AveragePooling2D(8)(pixels))
    shape = extractor.output_shape[1:]
    nothing = low_rank(shape, np.zeros(np.prod(shape)), np.zeros((0, np.prod(shape))))
    return FeatureScorer(extractor, nothing, "mahalanobis", whitens=False)


def test_the_map_is_whole_and_the_score_that_of_the_strangest_tile(tmp_path):
    height, width = whole_size(TILE, GRID)
    assert (height, width) == (2 * 64 - OVERLAP, 3 * 48 - 2 * OVERLAP)
    scorer = TiledScorer(tile_scorer(), GRID)
    images = np.zeros((2, height, width, 3), np.float32)
    images[1, 80:88, 64:72] = 1.0  # in the last row and column alone
    scores, maps = scorer.score_and_map(tf.constant(images))
    assert maps.shape == (2, height, width)
    assert not maps[0].numpy().any()
    top, left = np.unravel_index(np.argmax(maps[1]), maps.shape[1:])
    assert 80 <= top < 88
    assert 64 <= left < 72
    tile = images[1, height - 64 :, width - 48 :]
    of_tile, _ = scorer.scorer.score_and_map(tf.constant(tile[None]))
    np.testing.assert_allclose(scores, [0.0, of_tile[0]])

    scorer.save(tmp_path / "scorer.keras")
    loaded = keras.saving.load_model(tmp_path / "scorer.keras")
    np.testing.assert_array_equal(loaded.score_and_map(tf.constant(images))[1], maps)


def test_many_tiles_are_scored_a_few_at_a_time(monkeypatch):
    scorer = TiledScorer(tile_scorer(), (6, 7))
    image = np.random.RandomState(0).uniform(size=(1, *scorer.image_size, 3)).astype(np.float32)
    at_once = scorer.call(tf.constant(image))
    monkeypatch.setattr(scorer.scorer, "batch_size", 5)
    score, sizes = scorer.scorer.score_and_map, []

    def counted(tiles):
        sizes.append(len(tiles))
        return score(tiles)

    scorer.scorer.score_and_map = counted
    for one, other in zip(scorer.score_and_map(tf.constant(image)), at_once, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert sizes == [5] * 8 + [2]


def test_features_of_tiles_are_scored_as_their_images():
    scorer = TiledScorer(tile_scorer(), GRID)
    images = np.random.RandomState(0).uniform(size=(3, *scorer.image_size, 3)).astype(np.float32)
    tiles = np.stack(
        [images[:, y : y + TILE[0], x : x + TILE[1]] for y, x in scorer.corners], axis=1
    )
    features = scorer.scorer.extractor(tiles.reshape(-1, *TILE, 3)).numpy()
    features = features.reshape(3, 6, *features.shape[1:])
    for one, other in zip(
        scorer.score_and_map(tf.constant(images)),
        scorer.score_and_map_of_features(tf.constant(features)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5)
