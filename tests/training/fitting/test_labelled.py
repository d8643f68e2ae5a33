"""What is said of good test images that score otherwise than those that were held out."""

import numpy as np
import pytest

from awl_vae.training.fitting.labelled import CHANCE, CHANGED, changed
from awl_vae.training.fitting.report import held_out_in_words

HELD_OUT = np.random.RandomState(1).normal(size=200)


def goods(count, shift):
    return np.random.RandomState(2).normal(size=count) + shift


def test_images_that_are_alike_have_not_changed():
    assert changed(goods(200, 0.0), HELD_OUT) is None
    assert changed(goods(200, -3.0), HELD_OUT) is None  # fewer false alarms


def test_many_images_that_score_higher_have_changed():
    found = changed(goods(100, 1.0), HELD_OUT)
    assert found.auroc > CHANGED
    assert found.chance < CHANCE
    assert str(found).startswith("good images have changed: ")


def test_a_few_that_score_higher_may_have():
    found = changed(HELD_OUT[:5] + 0.8, HELD_OUT)
    assert found.auroc >= CHANGED
    assert found.chance >= CHANCE
    assert str(found).startswith("good images may have changed: ")
    assert "which may be chance" in str(found)


@pytest.mark.parametrize(
    ("count", "different", "words"),
    [
        (24, 24, "Each of the 24 good images was held out once"),
        (45, 35, "Each of the 45 good images, 35 of which differ, was held out once"),
        (209, 209, "in 6 parts"),
        (1005, 980, "in 6 parts"),
        (1005, 1005, "in 3 parts"),
    ],
)
def test_how_images_were_held_out(count, different, words):
    assert words in held_out_in_words(count, different)
