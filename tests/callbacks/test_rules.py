import json
import math

import numpy as np
import pytest

from awl_vae.callbacks import AnnealingRule, ClimbRule
from awl_vae.losses import DISABLED, PATTERN_SETS

LADDER = PATTERN_SETS["ladder"]["bernoulli"]


def follow(rule, aucs, empty=()):
    """The steps of the epochs, the state going through JSON each time, as in a checkpoint.

    After some of them, from 1, the model is empty.
    """
    state, step = rule.begin()
    steps = [step]
    for epoch, auc in enumerate(aucs, 1):
        after = rule.after_empty_epoch if epoch in empty else rule.after_epoch
        state, step = after(json.loads(json.dumps(state)), float(auc))
        steps.append(step)
    return steps


def rungs(aucs, window=2, empty=()):
    return [step.pattern for step in follow(ClimbRule(LADDER, window=window), aucs, empty)]


def marked(aucs, name, window=2):
    """The epochs, from 1, after which a step is marked."""
    steps = follow(ClimbRule(LADDER, window=window), aucs)
    return [epoch for epoch, step in enumerate(steps) if getattr(step, name)]


def test_the_ladder():
    assert [pattern["kl"] for pattern in LADDER] == [1.0, 0.3, 0.1, 0.03, 0.01, DISABLED]
    assert {pattern["bce"] for pattern in LADDER} == {1.0}
    assert PATTERN_SETS["ladder_0.3"]["bernoulli"] == LADDER[1:]
    assert PATTERN_SETS["ladder_0.1"]["bernoulli"] == LADDER[2:]
    assert set(PATTERN_SETS["ladder"]["gaussian"][2].items()) == {
        ("mahalanobis", 1.0),
        ("log_variance", 1.0),
        ("kl", 0.1),
    }


def test_better_goes_down_a_rung_a_window_and_stays_at_the_end():
    # Windows of 2: the first two are the warm-up; jumps of 0.01 give a margin of
    # 2·√(0.01²/2) = 0.014, and each window is 0.02 above the last.
    aucs = 0.5 + 0.01 * np.arange(16)
    assert rungs(aucs) == [0] * 4 + [1] * 2 + [2] * 2 + [3] * 2 + [4] * 2 + [5] * 5
    assert marked(aucs, "is_best") == [4, 6, 8, 10, 12, 14, 16]
    assert marked(aucs, "goes_back") == []


def test_no_clear_change_goes_on_and_keeps_the_best():
    aucs = [0.5, 0.6, 0.5, 0.6, 0.55, 0.6, 0.5, 0.56]
    assert rungs(aucs) == [0] * 4 + [1] * 2 + [2] * 2 + [3]
    assert marked(aucs, "is_best") == [4]


def test_worse_twice_goes_back_and_up_the_other_way():
    # Up to epoch 6 better: rung 2, from the best model of rung 1. Then clearly worse: one window
    # more at rung 2, then back to rung 1 and from there up, to rung 0.
    aucs = [0.5, 0.5, 0.5, 0.5, 0.8, 0.8, 0.6, 0.6, 0.6, 0.6, 0.9, 0.9]
    assert rungs(aucs) == [0] * 4 + [1] * 2 + [2] * 4 + [0] * 3
    assert marked(aucs, "goes_back") == [10]
    # At the end better again, by 0.1; but the AUC has jumped by 0.2 and 0.3: no clear change.
    assert marked(aucs, "is_best") == [4, 6]


def test_worse_in_both_directions_stays_and_then_takes_what_there_is():
    aucs = [0.5] * 4 + [0.9] * 2 + [0.5] * 14
    # Back after 10, up to rung 0; back after 14, at rung 1; after 18 it is the training's doing.
    assert rungs(aucs)[6:19] == [2] * 4 + [0] * 4 + [1] * 4 + [1]
    assert marked(aucs, "goes_back") == [10, 14]
    assert marked(aucs, "is_best") == [4, 6, 18]


def test_worse_than_the_first_rung_goes_back_to_it():
    # No rung is above it. After 16 it is the training's doing, and the climb begins again.
    aucs = [0.9] * 4 + [0.5] * 16
    assert rungs(aucs) == [0] * 4 + [1] * 4 + [0] * 10 + [1] * 2 + [2]
    assert marked(aucs, "goes_back") == [8, 12]
    assert marked(aucs, "is_best") == [4, 16]


def test_an_early_rise_widens_the_margin_and_the_climb_goes_on():
    # The jump of 0.3 counts as noise later, too: losses of 0.02 a rung are not seen.
    aucs = [0.5, 0.8, 0.8, 0.8, 0.78, 0.78, 0.76, 0.76, 0.74, 0.74, 0.72, 0.72]
    assert rungs(aucs)[-1] == 5
    assert marked(aucs, "goes_back") == []


def test_after_both_directions_were_worse_the_rung_is_held():
    aucs = [0.5] * 4 + [0.9] * 2 + [0.5] * 8 + [0.9] * 6
    assert rungs(aucs)[14:] == [1] * 7


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite AUC. Received: nan"):
        rungs([0.5, math.nan])


def test_one_bad_window_is_not_enough():
    aucs = [0.5] * 4 + [0.8] * 2 + [0.5] * 2 + [0.8] * 4
    assert marked(aucs, "goes_back") == []
    assert rungs(aucs) == [0] * 4 + [1] * 2 + [2] * 4 + [3] * 2 + [4]


@pytest.mark.parametrize(("window", "patterns"), [(1, LADDER), (2, ())])
def test_what_a_climb_cannot_do_is_refused(window, patterns):
    with pytest.raises(ValueError, match="Received: (window|patterns)="):
        ClimbRule(patterns, window=window)


@pytest.mark.parametrize(
    ("cycles", "weights"),
    [(1, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]), (4, [0.0, 1.0] * 4)],
)
def test_annealing(cycles, weights):
    rule = AnnealingRule(LADDER[0], epochs=8, cycles=cycles, floor=DISABLED)
    steps = follow(rule, np.random.RandomState(0).uniform(size=7))
    assert [step.weights["kl"] for step in steps] == pytest.approx(weights, abs=1e-9)
    assert all(step.weights["bce"] == 1.0 and step.pattern is None for step in steps)
    assert steps[0].weights["kl"] == DISABLED


def test_an_empty_model_is_clearly_worse_whatever_its_auc():
    # The third window is empty, though its AUC is the highest: once may be chance, twice is not.
    aucs = [0.5, 0.5, 0.52, 0.52, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5]
    assert rungs(aucs)[4:] == [1, 1, 2, 2, 3, 3, 3]
    assert rungs(aucs, empty=(5, 6, 7, 8))[4:] == [1, 1, 1, 1, 0, 0, 0]
    steps = follow(ClimbRule(LADDER, window=2), aucs, empty=(5, 6, 7, 8))
    assert [epoch for epoch, step in enumerate(steps) if step.goes_back] == [8]


def test_among_empty_models_it_goes_on_until_one_is_not():
    # The AUC of an empty model says nothing of its weights: it falls, and the rungs go on.
    aucs = [0.9, 0.9, 0.9, 0.9, 0.7, 0.7, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4]
    assert rungs(aucs, empty=range(1, 9))[4:] == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    steps = follow(ClimbRule(LADDER, window=2), aucs, empty=range(1, 9))
    assert [epoch for epoch, step in enumerate(steps) if step.is_best] == [4, 10]


def test_only_the_last_epoch_of_a_window_says_that_it_is_empty():
    aucs = [0.5, 0.5, 0.52, 0.52, 0.52, 0.52, 0.52, 0.52]
    assert rungs(aucs, empty=(5, 7)) == rungs(aucs)
    assert rungs(aucs, empty=(6, 8)) != rungs(aucs)


def averages(aucs, kept=0.8, first=None):
    """An exponential average after each epoch."""
    found = [] if first is None else [first]
    for auc in aucs:
        found.append(kept * found[-1] + (1 - kept) * auc if found else auc)
    return found if first is None else found[1:]


def test_a_climb_by_an_average_compares_what_it_is_at_the_ends_of_windows():
    aucs = [0.5, 0.6, 0.4, 0.5, 0.9, 0.9]
    steps = follow(ClimbRule(LADDER, window=2, kept=0.8), aucs)
    level = averages(aucs)
    # The average has risen by 0.15 since the end of the second window. By the jumps of the AUC
    # itself an epoch has the variance jumps / 2, and two ends of windows differ by chance by
    # √(jumps · (1 − 0.8) / (1 + 0.8) · (1 − 0.8²)).
    jumps = np.mean(np.diff(aucs) ** 2)
    margin = 2 * math.sqrt(jumps * 0.2 / 1.8 * (1 - 0.8**2))
    assert 0 < margin < level[5] - level[3]
    assert steps[6].is_best
    calm = [0.5, 0.7, 0.3, 0.5, 0.6, 0.6]
    assert not follow(ClimbRule(LADDER, window=2, kept=0.8), calm)[6].is_best


def test_an_average_goes_back_with_the_model():
    """What the other direction gave counts no more once its model is gone."""
    rule = ClimbRule(LADDER, window=2, kept=0.8)
    aucs = [0.8, 0.81, 0.8, 0.81, *[0.3] * 4]
    state, _ = rule.begin()
    for auc in aucs:
        state, step = rule.after_epoch(json.loads(json.dumps(state)), auc)
    assert step.goes_back
    best = averages(aucs[:4])[-1]
    assert state["best"]["auc"] == pytest.approx(best)
    for auc in (0.8, 0.81):
        state, step = rule.after_epoch(json.loads(json.dumps(state)), auc)
    assert not step.goes_back
    assert state["worse"] == 0
    assert rule._level(state) == pytest.approx(averages([0.8, 0.81], first=best)[-1])
    # The averages are two epochs apart, and not the six since the best window.
    jumps = np.mean(np.diff([*aucs, 0.8, 0.81]) ** 2)
    assert rule._margin(state) == pytest.approx(2 * math.sqrt(jumps * 0.2 / 1.8 * (1 - 0.8**2)))


def test_an_empty_model_never_takes_the_place_of_one_that_is_not():
    # Worse in both directions and then again: it is the training's doing, unless all is empty.
    aucs = [0.9] * 4 + [0.5] * 16
    steps = follow(ClimbRule(LADDER, window=2), aucs)
    assert [epoch for epoch, step in enumerate(steps) if step.is_best][:2] == [4, 16]
    steps = follow(ClimbRule(LADDER, window=2), aucs, empty=range(5, 21))
    assert [epoch for epoch, step in enumerate(steps) if step.is_best] == [4]
    assert [epoch for epoch, step in enumerate(steps) if step.goes_back] == [8, 12, 16, 20]
