import keras
import numpy as np
import pytest

from awl_vae.evaluation import SCORES, Scorer, pixel_metrics
from awl_vae.evaluation.scores import GRAY_LEVEL

X = np.array([[[0.0], [0.5]], [[1.0], [0.25]]], np.float32)[None]
X_HAT = np.array([[[0.5], [0.5]], [[0.0], [0.5]]], np.float32)[None]


def by(name, x, x_hat, scale=1.0):
    maps = SCORES[name].map(x, x_hat, scale)
    return np.asarray(SCORES[name].reduce(maps)), np.asarray(maps)


def test_mse_and_max1p_by_hand():
    # Squared: 0.25, 0, 1, 0.0625: mean 0.328125. Absolute: 0.5, 0, 1, 0.25: largest 1.
    np.testing.assert_allclose(by("mse", X, X_HAT)[0], [0.328125])
    np.testing.assert_allclose(by("max1p", X, X_HAT)[0], [1.0])
    assert by("mse", X, X_HAT)[1].shape == (1, 2, 2)


def test_top_fraction_by_hand():
    # 200 pixels: the top 1 % are 2. Squared errors 0.81 and 0.25 are the largest: mean 0.53.
    x = np.zeros((1, 10, 20, 1), np.float32)
    x[0, 3, 4], x[0, 7, 8], x[0, 1, 1] = 0.9, 0.5, 0.1
    np.testing.assert_allclose(by("top_fraction", x, 0 * x)[0], [0.53], rtol=1e-6)


def test_standardized_divides_by_the_scale_and_smooths():
    x = np.zeros((1, 64, 64, 1), np.float32)
    x[0, 20, 20], x[0, 40, 40] = 0.4, 0.4
    scale = np.ones((64, 64), np.float32)
    scale[38:43, 38:43] = 4.0
    score, maps = by("standardized", x, 0 * x, scale)
    # σ = 1 pixel: a point becomes 1 / Σ e^(−i²/2) a line at its peak, 0.39905 with i up to 3.
    assert maps[0, 20, 20] == pytest.approx(0.4 * 0.39905**2, rel=1e-4)
    assert maps[0, 40, 40] == pytest.approx(maps[0, 20, 20] / 4, rel=1e-5)
    assert score[0] == maps[0, 20, 20]
    assert maps.sum() == pytest.approx(0.4 + 0.1, rel=1e-5)


def test_standardized_is_flat_where_the_error_is_up_to_the_border():
    x = np.full((1, 32, 64, 1), 0.3, np.float32)
    np.testing.assert_allclose(by("standardized", x, 0 * x, 0.1)[1], 3.0, rtol=1e-5)


def black(size):
    """A model that reconstructs everything as black."""
    inputs = keras.Input((*size, 1))
    return keras.Model(inputs, keras.layers.Rescaling(0.0)(inputs))


def test_scorer_keeps_the_order_and_takes_the_last_short_batch():
    images = np.linspace(0, 1, 5, dtype=np.float32).reshape(5, 1, 1, 1) * np.ones((5, 2, 2, 1))
    images = images.astype(np.float32)
    scorer = Scorer(black((2, 2)), "mse", (2, 2))
    expected = np.linspace(0, 1, 5) ** 2
    np.testing.assert_allclose(scorer.scores([images[:2], images[2:]]), expected, rtol=1e-6)
    np.testing.assert_allclose([m[0, 0] for m in scorer.maps([images])], expected, rtol=1e-6)
    assert scorer.scores([]).shape == (0,)


def test_scale_and_held_out_scores_by_hand():
    # One pixel, reconstructed as 0, in three images: residuals 0.1, 0.2, 0.3.
    images = np.array([0.1, 0.2, 0.3], np.float32).reshape(3, 1, 1, 1)
    scorer = Scorer(black((1, 1)), "standardized", (1, 1))
    residuals = scorer.learn_scale([images[:2], images[2:]])
    # (0.01 + 0.04 + 0.09) / 3
    scale = np.sqrt(0.14 / 3 + GRAY_LEVEL**2)
    np.testing.assert_allclose(scorer.scale, [[scale]], rtol=1e-5)
    np.testing.assert_allclose(
        scorer.scores([images]), np.array([0.1, 0.2, 0.3]) / scale, rtol=1e-5
    )
    # Each without its own: (0.04 + 0.09) / 2, (0.01 + 0.09) / 2, (0.01 + 0.04) / 2.
    batches = [images[:2], images[2:]]
    leave_one_out, peaks = scorer.leave_one_out(batches, batches, residuals)
    scales = np.sqrt(np.array([0.065, 0.05, 0.025]) + GRAY_LEVEL**2)
    np.testing.assert_allclose(leave_one_out, np.array([0.1, 0.2, 0.3]) / scales, rtol=1e-5)
    np.testing.assert_array_equal(peaks, leave_one_out)
    # Copies with a residual of 1 by the scales of the originals 0.3 and 0.1.
    ones = np.ones((2, 1, 1, 1), np.float32)
    copies, _ = scorer.leave_one_out([ones], [images[[2, 0]]], residuals)
    np.testing.assert_allclose(copies, 1.0 / scales[[2, 0]], rtol=1e-5)
    by_name = scorer.scores_by_name([ones], residuals, [images[[2, 0]]])
    np.testing.assert_array_equal(by_name["standardized"], copies)
    np.testing.assert_allclose(
        scorer.scores_by_name([ones], residuals)["standardized"], 1.0 / scale, rtol=1e-5
    )


def test_scores_without_a_scale_learn_nothing():
    scorer = Scorer(black((1, 1)), "mse", (1, 1))
    images = np.full((3, 1, 1, 1), 0.5, np.float32)
    assert scorer.learn_scale([images]) is None
    np.testing.assert_array_equal(scorer.scale, [[1.0]])
    leave_one_out, _ = scorer.leave_one_out([images], [images], None)
    np.testing.assert_array_equal(leave_one_out, scorer.scores([images]))


def test_saved_and_loaded_a_scorer_scores_the_same(tmp_path):
    images = np.random.RandomState(0).uniform(size=(4, 16, 16, 1)).astype(np.float32)
    scorer = Scorer(black((16, 16)), "standardized", (16, 16))
    scorer.learn_scale([images])
    scorer.save(tmp_path / "scorer.keras")
    loaded = keras.saving.load_model(tmp_path / "scorer.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.scores([images]), scorer.scores([images]))


def with_regions(size=(16, 20)):
    """Images with a region each, and the regions."""
    x = np.random.RandomState(0).uniform(size=(3, *size, 2)).astype(np.float32)
    x[..., 1] = 0.0
    x[:2, 2:9, 3:18, 1] = x[2, 4:12, 5:9, 1] = 1.0
    return x, x[..., 1] > 0


@pytest.mark.parametrize("name", SCORES)
def test_what_is_outside_of_a_region_has_no_part_in_a_score(name):
    x, roi = with_regions()
    scorer = Scorer(black(roi.shape[1:]), name, roi.shape[1:], has_roi=True)
    scorer.learn_scale([x])
    outside, inside = x.copy(), x.copy()
    outside[..., 0][~roi] = 1.0
    inside[..., 0][roi] *= 0.5
    scores, maps = scorer.score_and_map(x)
    for values, expected in zip(scorer.score_and_map(outside), (scores, maps), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert np.all(scorer.scores([inside]) < scores)
    assert not np.any(maps.numpy()[~roi])
    residuals = scorer.residuals([x])
    by_name = scorer.scores_by_name([x], residuals)[name]
    np.testing.assert_allclose(by_name, scores, rtol=1e-6)


def test_scores_in_a_region_by_hand():
    x, roi = with_regions()
    squares = [np.sort(image[roi[i], 0] ** 2)[::-1] for i, image in enumerate(x)]
    expected = {
        "mse": [values.mean() for values in squares],
        "max1p": [np.sqrt(values[0]) for values in squares],
        # 7 · 15 = 105 and 8 · 4 = 32 pixels: the top 1 % are 2 and 1; of all 320 they are 4.
        "top_fraction": [squares[i][:count].mean() for i, count in enumerate((2, 2, 1))],
    }
    for name, scores in expected.items():
        scorer = Scorer(black(roi.shape[1:]), name, roi.shape[1:], has_roi=True)
        np.testing.assert_allclose(scorer.scores([x]), scores, rtol=1e-6)


def test_the_scale_is_of_the_images_in_whose_region_a_pixel_is():
    # One pixel, reconstructed as 0, in three images; of the last it is outside.
    x = np.array([[0.1, 1.0], [0.2, 1.0], [0.9, 0.0]], np.float32).reshape(3, 1, 1, 2)
    scorer = Scorer(black((1, 1)), "standardized", (1, 1), has_roi=True)
    residuals = scorer.learn_scale([x])
    # (0.01 + 0.04) / 2
    scale = np.sqrt(0.05 / 2 + GRAY_LEVEL**2)
    np.testing.assert_allclose(scorer.scores([x]), np.array([0.1, 0.2, 0.0]) / scale, rtol=1e-5)
    others = np.sqrt(np.array([0.04, 0.01]) + GRAY_LEVEL**2)
    scores, _ = scorer.leave_one_out([x[:2]], [x[:2]], residuals)
    np.testing.assert_allclose(scores, np.array([0.1, 0.2]) / others, rtol=1e-5)


def test_a_scorer_is_saved_with_its_region(tmp_path):
    x, roi = with_regions((16, 16))
    scorer = Scorer(black((16, 16)), "mse", (16, 16), has_roi=True)
    scorer.roi.assign(roi[0])
    scorer.save(tmp_path / "scorer.keras")
    loaded = keras.saving.load_model(tmp_path / "scorer.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.roi, roi[0])
    np.testing.assert_array_equal(loaded.scores([x]), scorer.scores([x]))


def metrics(maps, masks, rois=None):
    maps = [np.array(m, np.float32) for m in maps]
    masks = [np.array(m, bool) for m in masks]
    return pixel_metrics(
        lambda: maps, lambda: masks, rois and (lambda: [np.array(m, bool) for m in rois])
    )


def test_pixel_metrics_count_pixels_inside():
    # As below; what is added to the right is outside.
    maps = [[[8, 6, 2, 0, 9]], [[5, 1, 0, 0, 7]]]
    masks = [[[1, 0, 0, 0, 0]], [[1, 1, 0, 0, 0]]]
    rois = [[[1, 1, 1, 1, 0]], [[1, 1, 1, 1, 0]]]
    assert metrics(maps, masks, rois) == pytest.approx((12 / 15, 0.175 / 0.3))
    assert metrics(maps, masks)[0] < 12 / 15


def test_pixel_metrics_by_hand():
    # Two regions: one of 1 pixel (score 8), one of 2 (5 and 1). Normal pixels: 6, 2, 0, 0, 0.
    maps = [[[8, 6, 2, 0]], [[5, 1, 0, 0]]]
    masks = [[[1, 0, 0, 0]], [[1, 1, 0, 0]]]
    auroc, aupro = metrics(maps, masks)
    # Pairs in the right order: 8 is above 5 normal pixels, 5 above 4, 1 above 3: 12 of 15.
    assert auroc == pytest.approx(12 / 15)
    # By falling threshold (FPR, PRO): (0, 0) 8: (0, ½) 6: (⅕, ½) 5: (⅕, ¾) 2: (⅖, ¾) …
    # From 0 to 0.3: 0.2 · 0.5 + 0.1 · 0.75 = 0.175; divided by 0.3.
    assert aupro == pytest.approx(0.175 / 0.3)


def test_a_perfect_map_and_a_flat_one():
    mask = np.zeros((1, 8, 8))
    mask[0, 2:4, 2:4] = 1
    assert metrics(mask, mask) == pytest.approx((1.0, 1.0))
    # All pixels alike: both curves are the diagonal, the area up to 0.3 is 0.045.
    assert metrics(0 * mask, mask) == pytest.approx((0.5, 0.15))


def test_touching_corners_make_one_region():
    maps = [[[1, 0], [0, 0]]]
    _, aupro = metrics(maps, [[[1, 0], [0, 1]]])
    # One region, half of it found at no false alarm; the rest together with every normal pixel.
    assert aupro == pytest.approx(0.5 + 0.5 * 0.3 / 2 / 1.0)


def test_many_levels_stay_close_to_exact(monkeypatch):
    rng = np.random.RandomState(0)
    masks = rng.uniform(size=(6, 40, 40)) < 0.1
    maps = rng.normal(size=(6, 40, 40)) + masks
    exact = metrics(maps, masks)
    monkeypatch.setattr("awl_vae.evaluation.pixels.MAX_LEVELS", 500)
    monkeypatch.setattr("awl_vae.evaluation.pixels.MAX_SAMPLE", 2000)
    assert metrics(maps, masks) == pytest.approx(exact, abs=2e-3)
