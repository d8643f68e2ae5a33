"""What a model says of the images of a run."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from awl_vae.features import FeatureInputs
from awl_vae.training.judges import ALL_SPLITS, FeatureJudge, new_scorer

SHAPE = (4, 5, 6)
COUNTS = {"train": 4, "calibration": 30, "adapt": 20, "test": 20, "synthetic": 30}


class Rows:
    """Features in memory."""

    shape = SHAPE

    def __init__(self, values):
        self.values = values

    def read(self, positions):
        return self.values[positions].astype(np.float16)


def features():
    """Of all splits; half of the adapt and test images, and all copies, have a defect."""
    random = np.random.RandomState(0)
    values = 3 + random.normal(size=(sum(COUNTS.values()), *SHAPE))
    values[COUNTS["train"] + 30 :, 1, 2] += np.array([4, -4, 4, -4, 4, -4])
    for start in (34, 54):  # good adapt and test images
        values[start : start + 10, 1, 2] -= np.array([4, -4, 4, -4, 4, -4])
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def data():
    ends = np.cumsum([*COUNTS.values()])
    positions = {
        split: np.arange(end - COUNTS[split], end) for split, end in zip(COUNTS, ends, strict=True)
    }
    pixels = keras.Input((32, 40, 3))
    network = keras.Model(pixels, layers.Conv2D(6, 1)(layers.AveragePooling2D(8)(pixels)))
    raw = FeatureInputs(Rows(features()), network)
    standardized = raw.standardized(layers.Rescaling(1.0, -3.0))
    originals = positions["calibration"]
    return SimpleNamespace(positions=positions, inputs=standardized, originals=originals)


def judge(data, score="mahalanobis"):
    nothing = keras.Sequential([keras.Input(SHAPE), layers.Rescaling(0.0)])
    scorer = new_scorer(data.inputs.extractor, nothing, score, data)
    return FeatureJudge(scorer, data.inputs, data)


def test_features_are_standardized_and_the_extractor_s_are_the_same(data):
    positions = np.array([7, 0])
    raw, x = data.inputs.raw.read(positions), data.inputs.read(positions)
    np.testing.assert_allclose(x, raw - 3.0, atol=1e-5)
    images = np.random.RandomState(0).uniform(size=(2, 32, 40, 3)).astype(np.float32)
    before, after = (each.extractor(images).numpy() for each in (data.inputs.raw, data.inputs))
    np.testing.assert_allclose(after, before - 3.0, atol=1e-5)


@pytest.mark.parametrize("score", ["mahalanobis", "nearest_normal"])
def test_all_splits_are_judged_by_all_scores(data, score):
    judged = judge(data, score).judge()
    assert [*judged.scores] == [*ALL_SPLITS]
    for split, of_split in judged.scores.items():
        assert {*of_split} == {"mahalanobis", "nearest_normal"}
        assert all(len(values) == COUNTS[split] for values in of_split.values())
    of_adapt = judged.scores["adapt"][score]
    assert (of_adapt[:10, None] < of_adapt[10:]).mean() > 0.95  # AUROC
    assert len(judged.peaks[score]) == COUNTS["calibration"]


@pytest.mark.parametrize("score", ["mahalanobis", "nearest_normal"])
def test_what_judges_a_calibration_image_does_not_know_it(data, score):
    one = judge(data, score)
    judged = one.judge()
    left_out = judged.scores["calibration"][score]
    known = one._run(one.scorer, data.positions["calibration"])[0]
    assert np.median(left_out) > 1.05 * np.median(known)
    # Good images that nothing has learnt of score like those that were left out.
    new = np.median(judged.scores["test"][score][:10])
    assert abs(new - np.median(left_out)) < abs(new - np.median(known))


def test_a_copy_is_judged_by_what_does_not_know_its_original(data):
    one = judge(data)
    calibration = data.positions["calibration"]
    of_split = one.watch(["calibration", "synthetic"])
    same = SimpleNamespace(**vars(data))
    same.positions = data.positions | {"synthetic": calibration}
    copies = FeatureJudge(one.scorer, data.inputs, same).watch(["calibration", "synthetic"])
    np.testing.assert_array_equal(copies["synthetic"], of_split["calibration"])


def test_copies_are_left_out_together(data):
    values = data.inputs.raw._rows.values.copy()
    first, *_, last = data.positions["calibration"]
    values[last] = values[first]
    raw = FeatureInputs(Rows(values), data.inputs.raw.extractor)
    groups = raw.groups(data.positions["calibration"])
    assert groups[0] == groups[-1]
    assert len(np.unique(groups)) == COUNTS["calibration"] - 1
    nothing = keras.Sequential([keras.Input(SHAPE), layers.Rescaling(0.0)])
    scorer = new_scorer(raw.extractor, nothing, "mahalanobis", data)
    judged = FeatureJudge(scorer, raw, data)
    assert any({first, last} <= {*part} for part in judged._parts)


def test_one_calibration_image_judges_itself(data):
    few = SimpleNamespace(**vars(data))
    few.positions = data.positions | {
        "calibration": data.positions["calibration"][:1],
        "synthetic": data.positions["synthetic"][:1],
    }
    few.originals = data.originals[:1]
    judged = judge(few).judge()
    assert np.isfinite(judged.scores["calibration"]["mahalanobis"]).all()


def test_what_is_watched_is_what_is_judged(data):
    one = judge(data)
    watched = one.watch(["adapt", "synthetic"])
    judged = one.judge()
    for split, values in watched.items():
        np.testing.assert_array_equal(values, judged.scores[split]["mahalanobis"])


def test_a_view_has_the_length_of_the_residual_in_the_place_of_a_reconstruction(data):
    one = judge(data)
    one.judge()
    whole = SimpleNamespace(**vars(data))
    whole.images = lambda split, indices: np.zeros((len(indices), 32, 40, 3), np.float32)
    view = FeatureJudge(one.scorer, data.inputs, whole).view("test", np.array([1, 12]))
    assert view.x.shape == (2, 32, 40, 3)
    assert view.x_hat is None
    assert view.residual.shape == (2, 32, 40)
    assert view.residual[1].argmax() // 40 in range(8, 16)  # the defect's row of maps
