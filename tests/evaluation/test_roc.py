import numpy as np
import pytest

from awl_vae.evaluation import auroc, rates, youden_threshold


def test_auroc_counts_pairs_and_halves_ties():
    # Anomalous 2, 3 against normal 1, 2: (2>1) + ½(2=2) + (3>1) + (3>2) = 3.5 of 4.
    assert auroc(np.array([0, 0, 1, 1]), np.array([1, 2, 2, 3])) == 0.875


def test_youden_by_hand():
    labels = np.array([0, 0, 0, 1, 1, 1])
    scores = np.array([1, 2, 4, 3, 5, 6.0])
    # From 3: sensitivity 3/3, specificity 2/3: J = 2/3. From 5: 2/3 and 3/3: J = 2/3. From 4: 1/3.
    # Equal J: the higher threshold, with the fewer false alarms.
    assert youden_threshold(labels, scores) == 5
    assert rates(labels, scores, 5) == (pytest.approx(2 / 3), 1.0)
    assert rates(labels, scores, 3) == (1.0, pytest.approx(2 / 3))


def test_a_score_at_the_threshold_is_anomalous():
    assert rates(np.array([0, 1]), np.array([1.0, 1.0]), 1.0) == (1.0, 0.0)


def test_a_useless_score_still_has_a_finite_threshold():
    labels, scores = np.array([0, 1]), np.array([2.0, 1.0])
    assert youden_threshold(labels, scores) == 1.0  # J = 0: everything is called anomalous
    assert youden_threshold(labels, np.array([1.0, 1.0])) == 1.0


def test_equal_j_is_found_equal_whatever_the_rounding():
    # 1/3 + 2/3 − 1 is not 0 in floating point; both thresholds of 10 reach J = 1/10 · k exactly.
    labels = np.array([0] * 10 + [1] * 3)
    scores = np.array([*range(10), 9.5, 9.5, -1.0])
    assert youden_threshold(labels, scores) == 9.5
