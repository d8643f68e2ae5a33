"""Fitting what is normal to features: components, and residuals of images that were left out."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from awl_vae.training.fitting.recipes import RECIPES, fit, folds

SHAPE = (4, 5, 6)
LOW_RANK = RECIPES["low_rank"]


@pytest.fixture(scope="module")
def extractor():
    pixels = keras.Input((32, 40, 3))
    return keras.Model(pixels, layers.Conv2D(SHAPE[2], 1)(layers.AveragePooling2D(8)(pixels)))


def features(count, seed=0):
    """Maps with light that varies over all of them, and noise that differs by position."""
    random = np.random.default_rng(seed)
    light = random.standard_normal((count, 1, 1, 1)) * np.arange(1, 7)
    noise = random.standard_normal((count, *SHAPE)) * (0.1 + np.arange(5)[:, None] / 10)
    return (3 + light + noise).astype(np.float32)


def scored(scorer, maps):
    return scorer.score_and_map_of_features(maps)[0].numpy()


@pytest.mark.parametrize("score", ["mahalanobis", "nearest_normal"])
def test_light_is_explained_and_a_small_defect_is_found(extractor, score):
    recipe = replace(LOW_RANK, score=score, has_plain=False)  # what the components leave, alone
    normal, others = features(80), features(40, seed=1)
    found = fit(
        lambda indices: normal[indices], np.arange(80), np.arange(80), extractor, recipe, seed=0
    )
    defects = others.copy()
    defects[:, 1, 0] += 2.0 * np.array([1, -1, 1, -1, 1, -1])  # where there is little noise
    assert scored(found, defects).min() > np.quantile(scored(found, others), 0.9)
    brighter = others + 2 * np.arange(1, 7, dtype=np.float32)
    assert np.median(scored(found, brighter)) < np.quantile(scored(found, others), 0.9)


def test_the_whole_recipe_finds_a_small_defect(extractor):
    normal, others = features(80), features(40, seed=1)
    found = fit(
        lambda indices: normal[indices], np.arange(80), np.arange(80), extractor, LOW_RANK, seed=0
    )
    defects = others.copy()
    defects[:, 1, 0] += 2.0 * np.array([1, -1, 1, -1, 1, -1])
    assert scored(found, defects).min() > np.quantile(scored(found, others), 0.9)


def test_what_is_normal_is_learnt_from_images_that_were_left_out(extractor):
    recipe = replace(LOW_RANK, score="mahalanobis")
    normal = features(24)
    found = fit(
        lambda indices: normal[indices], np.arange(24), np.arange(24), extractor, recipe, seed=0
    )
    # Squared distances of new images are about the number of channels, and not much more.
    new = np.median(scored(found, features(200, seed=1)) ** 2)
    assert new < 4 * SHAPE[2]


def test_the_same_seed_gives_the_same_bits(extractor):
    normal = features(20)
    one, other = (
        fit(
            lambda indices: normal[indices],
            np.arange(20),
            np.arange(20),
            extractor,
            LOW_RANK,
            seed=3,
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(scored(one, normal), scored(other, normal))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_images(extractor, count):
    normal = features(count)
    found = fit(
        lambda i: normal[i], np.arange(count), np.arange(count), extractor, LOW_RANK, seed=0
    )
    assert np.isfinite(scored(found, features(3, seed=1))).all()


def test_folds_are_parts():
    indices = np.arange(10, 20)
    parts = folds(indices, indices, 3, seed=0)
    assert sorted(np.concatenate(parts)) == list(range(10, 20))
    assert [len(part) for part in parts] == [4, 3, 3]
    assert [len(part) for part in folds(np.arange(2), np.arange(2), 3, seed=0)] == [1, 1]


def test_those_of_a_group_are_in_one_part():
    groups = np.array([5, 7, 5, 9, 7, 9, 5, 1])
    parts = folds(np.arange(8), groups, 2, seed=0)
    assert sorted(np.concatenate(parts)) == list(range(8))
    assert not {*groups[parts[0]]} & {*groups[parts[1]]}


def test_images_that_do_not_differ_have_scores(extractor):
    normal = np.repeat(features(1), 5, axis=0)
    for recipe in RECIPES.values():
        found = fit(lambda i: normal[i], np.arange(5), np.arange(5), extractor, recipe, seed=0)
        assert np.isfinite(scored(found, normal)).all()
        assert scored(found, features(3, seed=1)).min() > scored(found, normal).max()
