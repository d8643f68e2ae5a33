"""Whether the scores of good parts have moved, and how often that is said for nothing."""

import numpy as np
import pytest
from conftest import black_detector

from awl_vae.detection.drift import RATE, Drift, rank_test


def detector_with(scores):
    """A detector of threshold 0.25 with calibration scores."""
    detector = black_detector()
    detector.calibration = [
        {"image": str(i), "split": "calibration", "label": "0", "score": repr(float(score))}
        for i, score in enumerate(scores)
    ]
    detector.calibration.append({"image": "a", "split": "adapt", "label": "0", "score": "0.2"})
    return detector


def said(scores, calibration):
    drift = Drift(detector_with(calibration))
    assert drift.warning == ""
    lines = [line for score in scores if (line := drift.add(float(score)))]
    assert drift.lines == lines
    return lines


def uniform(seed, size, low=0.05, high=0.15):
    return np.random.default_rng(seed).uniform(low, high, size)


@pytest.mark.parametrize("quantile", [0.5, 0.99])
@pytest.mark.parametrize("number", [8, 40, 300])
def test_the_rate_of_false_alarms_holds(number, quantile):
    """Of scores of one distribution, cut at a threshold that the calibration gives."""
    rng = np.random.default_rng(number)
    tests = 0
    alarms = 0
    for _ in range(100):
        calibration = rng.lognormal(size=(100, number))
        threshold = np.quantile(calibration, quantile, axis=-1, keepdims=True)
        # So many of each as are below the threshold in all.
        below = np.sort(calibration)[:, : np.count_nonzero(calibration < threshold, -1).min()]
        new = rng.lognormal(size=(100, 1000))
        chosen = np.argsort(new >= threshold, axis=-1, kind="stable")[:, :100]
        new = np.take_along_axis(new, chosen, -1)
        is_whole = np.all(new < threshold, -1)
        p = rank_test(new[is_whole], below[is_whole])[1]
        alarms += np.count_nonzero(p < RATE)
        tests += len(p)
    assert tests > 9_000
    # 10 are expected; 24 or more have a chance of one in ten thousand.
    assert alarms < 24


def test_scores_that_have_moved_are_found_and_said_which_way():
    calibration = uniform(0, 50)
    up, down = uniform(1, 100, 0.08, 0.18), uniform(2, 100, 0.02, 0.12)
    still = uniform(3, 100)
    first, second = said([*still, *up, *still, *down, *up[:99]], calibration)
    assert f"moved up: median {np.median(up):.6g} of the normal images 101 to 200" in first
    assert f"{np.median(calibration):.6g} of the calibration (rank test, p = " in first
    assert "where nothing moves, 1 hundred in 1000 seems to" in first
    assert "moved down: " in second
    assert "images 301 to 400" in second


def test_a_report_has_the_last_moves_and_their_number():
    drift = Drift(detector_with(uniform(0, 50)))
    moved = uniform(1, 100, 0.08, 0.18)
    for count in range(1, 13):
        for score in [*uniform(3, 100), *moved]:
            drift.add(float(score))
        assert len(drift.lines) == count
        if count == 10:
            assert drift.remarks == drift.lines
    assert drift.remarks[1:] == drift.lines[-10:]
    assert drift.remarks[0] == "Scores of good parts have moved in 12 of 24 hundreds; the last 10:"


def test_scores_above_the_threshold_and_labelled_images_are_left_out():
    calibration = uniform(0, 50)
    moved = uniform(1, 100, 0.08, 0.18)
    assert said(moved, [*calibration, *[0.9] * 50]) == said(moved, calibration) != []


def test_scores_that_are_all_the_same_have_not_moved():
    assert said([0.1] * 200, [0.1] * 20) == []


def test_few_calibration_images_are_said_to_tell_nothing():
    drift = Drift(detector_with([0.1] * 4 + [0.9] * 20))
    assert "too few calibration images below the threshold, 4, to tell" in drift.warning
    assert not any(drift.add(0.2) for _ in range(200))
