import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from awl_vae.evaluation import intervals
from awl_vae.evaluation.intervals import auroc_interval, difference_interval, seeds_interval

LABELS = np.repeat([0, 1], [60, 40])


def runs(shift, count=5, noise=0.5, seed=0):
    """Scores of runs that share what is easy and what is not, and differ by a little noise."""
    images = np.random.RandomState(99).normal(size=100)
    rng = np.random.RandomState(seed)
    return [images + shift * LABELS + rng.normal(0, noise, 100) for _ in range(count)]


def test_the_mean_is_that_of_the_aurocs():
    scores = [np.round(values, 1) for values in runs(1.0)]  # with ties
    interval = auroc_interval(LABELS, scores)
    expected = [roc_auc_score(LABELS, values) for values in scores]
    assert interval.per_seed == pytest.approx(expected)
    assert interval.mean == pytest.approx(np.mean(expected))
    assert interval.low < interval.mean < interval.high


def test_the_interval_holds_what_new_images_and_seeds_give():
    truth = np.mean([roc_auc_score(LABELS, _fresh(seed)) for seed in range(300)])
    held = 0
    for repeat in range(40):
        images = np.random.RandomState(repeat).normal(size=100) + LABELS
        rng = np.random.RandomState(1000 + repeat)
        interval = auroc_interval(LABELS, [images + rng.normal(0, 0.5, 100) for _ in range(5)])
        held += interval.low <= truth <= interval.high
    assert held >= 34  # of 40, where 38 are expected


def test_three_seeds_are_told_as_three():
    # The two methods do not differ on average, but each training does: it is mostly seeds.
    images = np.random.RandomState(3).normal(size=100)
    held = 0
    for repeat in range(100):
        rng = np.random.RandomState(repeat)
        pairs = rng.normal(1.0, 0.5, size=(2, 3))
        scores, others = ([images + shift * LABELS for shift in shifts] for shifts in pairs)
        interval = difference_interval(LABELS, scores, others)
        held += interval.low <= 0.0 <= interval.high
    assert held >= 90  # of 100, where 95 are expected; by resampled seeds it is 73


def _fresh(seed):
    rng = np.random.RandomState(10_000 + seed)
    return rng.normal(size=100) + LABELS + rng.normal(0, 0.5, 100)


def test_pairs_tell_more_than_the_two_apart():
    scores, others = runs(1.2, noise=0.1), runs(1.0, noise=0.1, seed=1)
    difference = difference_interval(LABELS, scores, others)
    apart = [auroc_interval(LABELS, values) for values in (scores, others)]
    assert difference.mean == pytest.approx(apart[0].mean - apart[1].mean)
    assert 0 < difference.low < difference.high
    assert difference.high - difference.low < 0.5 * (apart[0].high - apart[0].low)


def test_a_method_does_not_differ_from_itself():
    scores = runs(1.0)
    difference = difference_interval(LABELS, scores, scores)
    assert (difference.low, difference.mean, difference.high) == (0.0, 0.0, 0.0)


def test_the_same_files_give_the_same_interval():
    assert auroc_interval(LABELS, runs(1.0)) == auroc_interval(LABELS, runs(1.0))


def test_what_is_drawn_decides_little(monkeypatch):
    ends = []
    for seed in range(5):
        monkeypatch.setattr(intervals, "SEED", seed)
        intervals._resamples.cache_clear()
        interval = difference_interval(LABELS, runs(1.0, count=3), runs(0.8, count=3, seed=1))
        ends.append((interval.low, interval.high))
    intervals._resamples.cache_clear()
    width = np.mean(np.diff(ends))
    assert np.all(np.std(ends, axis=0) < 0.01 * width)


def test_normal_and_anomalous_images_are_drawn_apart():
    labels = np.repeat([0, 1], [50, 50])
    normal, anomalous = (intervals._resamples(label, 50) for label in (0, 1))
    assert abs(np.corrcoef(normal.ravel(), anomalous.ravel())[0, 1]) < 0.01
    assert auroc_interval(labels, [np.arange(100.0)]).mean == 1.0


def test_of_seeds_alone_the_interval_is_student_s():
    interval = seeds_interval([1.0, 2.0, 3.0])
    assert interval.mean == 2.0
    # 4.303 is the 97.5th percentile for two degrees of freedom.
    assert interval.high - 2.0 == pytest.approx(4.303 / np.sqrt(3), rel=0.02)
    assert 2.0 - interval.low == pytest.approx(interval.high - 2.0)
    assert seeds_interval([0.5]).low == seeds_interval([0.5]).high == 0.5
