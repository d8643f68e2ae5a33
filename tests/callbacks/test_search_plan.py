"""The search as functions of its rows: traces by hand, with terms that the test makes up."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from awl_vae.callbacks import (
    EpochRow,
    Motion,
    SearchPlan,
    falling_weight,
    first_nonfinite,
    is_rising,
    moving_branches,
    rising_weight,
)
from awl_vae.callbacks.search.rungs import STAGE_COST
from awl_vae.losses import BRANCHES, DISABLED, TERMS


def plan(
    likelihood="bernoulli",
    ends=(2, 4, 6),
    *,
    directions="down",
    motion=Motion(DISABLED),  # noqa: B008 (nobody changes it)
    **kwargs,
):
    branches = moving_branches(BRANCHES[likelihood], directions)
    return SearchPlan(branches, terms=TERMS[likelihood], ends=ends, motion=motion, **kwargs)


def row_of(step, terms, synthetic_auc=None):
    """The row of an epoch that gave these terms."""
    return EpochRow(
        step.stage,
        step.branch,
        step.epoch,
        loss=sum(step.weights[term] * value for term, value in terms.items()),
        loss_unweighted=sum(terms.values()),
        terms=terms,
        weights=step.weights,
        adapt_auc=None,
        synthetic_auc=synthetic_auc,
    )


def searched(plan, values):
    """The rows of a whole search; `values` gives the terms of (stage, branch, epoch)."""
    rows = []
    while (step := plan.next_step(rows)) is not None:
        is_new = not rows or (rows[-1].stage, rows[-1].branch) != (step.stage, step.branch)
        assert (step.start is not None) == (is_new and bool(rows))
        rows.append(row_of(step, values(step)))
    return rows


def falling_terms(**lower):
    """Terms that fall by 1 an epoch; those of the branches in `lower` are lower by so much."""

    def values(step):
        return {"bce": 100.0 - step.epoch - lower.get(step.branch, 0.0), "kl": 50.0 - step.epoch}

    return values


def trace(rows):
    """(stage, branch, first epoch, last epoch) of each stretch of rows."""
    stretches = []
    for row in rows:
        key = (row.stage, row.branch)
        if not stretches or stretches[-1][0] != key:
            stretches.append((key, []))
        stretches[-1][1].append(row.epoch)
    return [(*key, epochs[0], epochs[-1]) for key, epochs in stretches]


def weights(rows, stage, branch, term):
    return [row.weights[term] for row in rows if (row.stage, row.branch) == (stage, branch)]


def test_branches_in_the_order_that_decides_ties():
    assert list(BRANCHES["bernoulli"]) == ["none", "kl", "bce"]
    assert list(BRANCHES["gaussian"]) == [
        "none",
        "mahalanobis",
        "log_variance",
        "kl",
        "mahalanobis+log_variance",
        "mahalanobis+kl",
        "log_variance+kl",
    ]
    for name, terms in BRANCHES["gaussian"].items():
        assert "+".join(terms) == (name if name != "none" else "")


def test_a_falling_weight_by_hand():
    # k = 10: s(0) = 1 / (1 + e⁻⁵) = 0.9933071, s(1) = 1 / (1 + e⁵) = 0.0066929.
    # s(¼) = 1 / (1 + e^−2.5) = 0.9241418; (0.9241418 − 0.0066929) / 0.9866143 = 0.9298962.
    # s(½) = ½ lies half way between s(0) and s(1).
    assert falling_weight(0.25, 1.0, floor=0.0) == pytest.approx(0.9298962, abs=1e-7)
    assert falling_weight(0.5, 1.0, floor=0.0) == pytest.approx(0.5, abs=1e-15)
    assert falling_weight(0.5, 0.6, floor=0.2) == pytest.approx(0.4, abs=1e-15)


@pytest.mark.parametrize("start", [1.0, 0.73, DISABLED])
def test_a_falling_weight_begins_and_ends_exactly(start):
    assert falling_weight(0.0, start, floor=DISABLED) == start
    assert falling_weight(1.0, start, floor=DISABLED) == DISABLED
    path = [falling_weight(epoch / 50, start, floor=DISABLED) for epoch in range(51)]
    assert path == sorted(path, reverse=True)
    assert len(set(path)) == (1 if start == DISABLED else 51)


def test_a_rising_weight_by_hand():
    # In the logarithm half way at ½: √10. At ¼: 10^(1 − 0.9298962) = 10^0.0701038 = 1.1752.
    assert rising_weight(0.5, 1.0, rise=10.0) == pytest.approx(10**0.5)
    assert rising_weight(0.25, 1.0, rise=10.0) == pytest.approx(10**0.0701038)
    assert rising_weight(0.5, 0.3, rise=4.0) == pytest.approx(0.6)
    for start in (1.0, 0.73, DISABLED):
        path = [rising_weight(epoch / 50, start, rise=10.0) for epoch in range(51)]
        assert (path[0], path[-1]) == (start, start * 10.0)
        assert path == sorted(set(path))


def test_an_equal_term_does_not_rise():
    assert is_rising([1.0, 1.5])
    assert not is_rising([1.0, 1.0])
    assert not is_rising([1.0, 0.5])
    assert not is_rising([1.0, math.nan])
    assert not is_rising([1.0])


@pytest.mark.parametrize("seed", range(20))
def test_a_slope_is_that_of_the_line_of_least_squares(seed):
    random = np.random.RandomState(seed)
    values = random.normal(size=random.randint(2, 12)).tolist()
    slope, _ = np.polyfit(range(len(values)), values, 1)
    assert is_rising(values) == (slope > 0)
    # Of two values it is exact, also where both are nearly the same.
    assert is_rising([values[0], np.nextafter(values[0], np.inf)])
    assert not is_rising([values[0], np.nextafter(values[0], -np.inf)])


def falls(values, *, window=1, patience=1, lead=(9.0, 8.0, 7.0)):
    """Epochs after which the weight of a term of these values still falls, from epoch 4 on."""

    def terms(step):
        path = [*lead, *values, values[-1]]
        return {"bce": 100.0 - step.epoch, "kl": path[step.epoch - 1]}

    ends = (len(lead), len(lead) + len(values), len(lead) + len(values) + 1)
    search = plan(ends=ends, motion=Motion(DISABLED, window=window, patience=patience))
    moved = weights(searched(search, terms), 2, "kl", "kl")
    return len(dict.fromkeys(moved))


def test_one_rise_among_falls_stops_the_paper_s_rule_and_no_longer_window():
    values = [6.0, 6.1, 5.0, 4.0, 3.0]
    assert falls(values) == 2
    # Over two epochs and the one before: 7, 6, 6.1 falls, and so does all that comes later.
    assert falls(values, window=2) == 5
    assert falls(values, patience=2) == 5


def test_a_window_that_is_longer_than_the_stage_takes_epochs_before_it():
    # Σ (2 x − 3) y of 9, 8, 7, 7.5 is −5.5, of 8, 7, 7.5, 7.5 it is −1, of 7, 7.5, 7.5, 7.5 1.5.
    assert falls([7.5, 7.5, 7.5, 7.5], window=3) == 3
    # Where there are no three before it, those that there are count: 7, 7.5.
    assert falls([7.5, 7.5, 7.5, 7.5], window=3, lead=(7.0,)) == 1


def test_patience_counts_rises_in_a_row():
    values = [6.0, 6.5, 6.4, 6.5, 6.6, 1.0]
    assert falls(values, patience=1) == 2
    assert falls(values, patience=2) == 5
    assert falls(values, patience=3) == 6


def test_rising_branches_come_after_the_paper_s_and_have_names_of_their_own():
    table = BRANCHES["gaussian"]
    down, up, both = (moving_branches(table, name) for name in ("down", "up", "both"))
    assert list(down) == list(table)
    assert list(up)[:2] == ["none", "mahalanobis:up"]
    assert list(up)[-1] == "log_variance:up+kl:up"
    assert list(both) == [*down, *list(up)[1:]]


def test_a_weight_rises_until_the_sum_of_all_terms_does():
    def values(step):
        # Its own term falls; the other one rises more from epoch 13 on.
        kl = 50.0 - step.epoch * (step.branch == "kl:up")
        return {"bce": 100.0 - step.epoch + 5.0 * max(step.epoch - 12, 0), "kl": kl}

    rows = searched(plan(ends=(10, 14, 18), directions="up"), values)
    first, second, third = (rising_weight(u, 1.0, rise=10.0) for u in (0.25, 0.5, 0.75))
    assert weights(rows, 2, "kl:up", "kl") == [first, second, third, third]
    assert weights(rows, 2, "kl:up", "bce") == [1.0] * 4
    assert weights(rows, 2, "bce:up", "kl") == [1.0] * 4


def test_the_highest_auc_of_synthetic_defects_is_chosen():
    search = plan(selection_loss="synthetic_auc")
    aucs = {"none": 0.7, "kl": 0.9, "bce": 0.8}

    def rows_by(aucs):
        rows = []
        while (step := search.next_step(rows)) is not None:
            rows.append(row_of(step, {"bce": 1.0, "kl": 1.0}, aucs.get(step.branch, 0.5)))
        return rows

    assert search.chosen(rows_by(aucs), 2) == "kl"
    assert search.chosen(rows_by(aucs | {"kl": math.nan}), 2) == "bce"
    row = rows_by(aucs)[-1]
    assert EpochRow.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_where_none_wins_twice_the_conventional_vae_is_a_branch_of_both_stages():
    rows = searched(plan(), falling_terms(none=1.0))
    assert trace(rows) == [
        (1, "none", 1, 2),
        (2, "none", 3, 4),
        (2, "kl", 3, 4),
        (2, "bce", 3, 4),
        (3, "none", 5, 6),
        (3, "kl", 5, 6),
        (3, "bce", 5, 6),
    ]
    path = plan().path(rows, "conventional")
    assert path == plan().path(rows, "loss_adapted")
    assert [row.epoch for row in path] == [1, 2, 3, 4, 5, 6]


def test_where_another_wins_the_conventional_vae_goes_on_beside_the_search():
    rows = searched(plan(), falling_terms(bce=1.0))
    assert trace(rows)[-1] == (3, "conventional", 5, 6)
    assert len(rows) == plan().epochs_left() == 2 + 3 * 2 + 3 * 2 + 2
    branches = [row.branch for row in plan().path(rows, "conventional")]
    assert branches == ["none"] * 4 + ["conventional"] * 2
    for row in plan().path(rows, "conventional"):
        assert row.weights == {"bce": 1.0, "kl": 1.0}
    branches = [row.branch for row in plan().path(rows, "loss_adapted")]
    assert branches == ["none"] * 2 + ["bce"] * 4


def test_the_conventional_vae_beside_stage_3_is_no_candidate():
    def values(step):
        lower = {"kl": 1.0, "conventional": 9.0}.get(step.branch, 0.0)
        return {"bce": 10.0 - lower, "kl": 5.0}

    rows = searched(plan(), values)
    assert plan().chosen(rows, 3) == "kl"


def test_a_weight_falls_until_its_term_rises_and_keeps_the_value_of_that_epoch():
    def values(step):
        # In stage 2 the KL divergence rises in epoch 12 (1-based: the second of the stage).
        kl = {11: 4.0, 12: 4.5, 13: 3.0, 14: 2.0}.get(step.epoch, 5.0)
        return {"bce": 100.0 - step.epoch - (step.branch == "kl"), "kl": kl}

    search = plan(ends=(10, 14, 18))
    rows = searched(search, values)
    first, second = (falling_weight(u, 1.0, floor=DISABLED) for u in (0.25, 0.5))
    assert weights(rows, 2, "kl", "kl") == [first, second, second, second]
    assert weights(rows, 2, "kl", "bce") == [1.0] * 4
    # The binary cross-entropy never rises: its weight goes all the way.
    expected = [falling_weight(u, 1.0, floor=DISABLED) for u in (0.25, 0.5, 0.75, 1.0)]
    assert weights(rows, 2, "bce", "bce") == expected
    assert expected[-1] == DISABLED
    # Stage 3 starts from exactly those values. There the term rises at once: 2 in epoch 14, then 5.
    assert search.chosen(rows, 2) == "kl"
    assert weights(rows, 3, "none", "kl") == [second] * 4
    assert weights(rows, 3, "kl", "kl") == [falling_weight(0.25, second, floor=DISABLED)] * 4
    assert weights(rows, 3, "bce", "kl") == [second] * 4


def test_each_weight_of_a_pair_has_its_own_stop():
    def values(step):
        in_branch = step.branch == "mahalanobis+kl"
        rises = {"mahalanobis": 4, "kl": 6}
        terms = {"log_variance": 1000.0 - step.epoch - in_branch}
        for term, epoch in rises.items():
            terms[term] = 100.0 - step.epoch + (1.5 if step.epoch >= epoch else 0.0)
        return terms

    rows = searched(plan("gaussian", ends=(2, 7, 8)), values)
    path = [falling_weight(epoch / 5, 1.0, floor=DISABLED) for epoch in range(1, 6)]
    assert weights(rows, 2, "mahalanobis+kl", "mahalanobis") == path[:2] + [path[1]] * 3
    assert weights(rows, 2, "mahalanobis+kl", "kl") == [*path[:4], path[3]]
    assert weights(rows, 2, "mahalanobis+kl", "log_variance") == [1.0] * 5


def test_the_smallest_loss_of_the_last_epoch_is_chosen_and_of_equal_ones_the_first():
    assert plan().chosen(searched(plan(), falling_terms(kl=1.0, bce=2.0)), 2) == "bce"
    assert plan().chosen(searched(plan(), falling_terms(kl=2.0, bce=2.0)), 2) == "kl"
    assert plan().chosen(searched(plan(), falling_terms()), 2) == "none"

    def lower_before_the_last_epoch(step):
        lower = 50.0 if step.branch == "kl" and step.epoch == 3 else 0.0
        return {"bce": 100.0 - step.epoch - lower, "kl": 5.0}

    rows = searched(plan(), lower_before_the_last_epoch)
    assert plan().chosen(rows, 2) == "none"


def test_the_weighted_loss_counts_each_term_with_the_branch_s_own_weight():
    # Weights fall to 10⁻¹⁰: without the KL divergence of 46 the loss is 96, without bce it is 46.
    weighted = plan(selection_loss="weighted")
    assert weighted.chosen(searched(weighted, falling_terms()), 2) == "bce"


def test_a_loss_that_is_not_finite_puts_its_branch_out_at_once():
    def values(step):
        is_broken = (step.branch, step.epoch) == ("kl", 3)
        lower = 10.0 if step.branch == "kl" else 0.0
        return {"bce": math.nan if is_broken else 100.0 - lower, "kl": 5.0}

    rows = searched(plan(), values)
    assert trace(rows)[1:4] == [(2, "none", 3, 4), (2, "kl", 3, 3), (2, "bce", 3, 4)]
    assert plan().chosen(rows, 2) == "none"


def test_where_the_conventional_vae_is_out_the_search_goes_on_without_it():
    def values(step):
        is_broken = (step.stage, step.branch) == (2, "none")
        return {"bce": math.inf if is_broken else 100.0, "kl": 5.0}

    rows = searched(plan(), values)
    assert [branch for stage, branch, *_ in trace(rows) if stage == 3] == ["none", "kl", "bce"]
    assert plan().path(rows, "conventional")[-1].epoch == 3
    assert plan().path(rows, "loss_adapted")[-1].epoch == 6


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_where_all_are_out_the_search_ends(broken):
    def values(step):
        is_broken = step.stage == broken and step.branch != "conventional"
        lower = 1.0 if step.branch == "kl" else 0.0
        return {"bce": math.nan if is_broken else 100.0 - lower, "kl": 5.0}

    rows = searched(plan(), values)
    assert plan().chosen(rows, broken) is None
    assert math.isnan(plan().path(rows, "loss_adapted")[-1].loss_unweighted)
    conventional = plan().path(rows, "conventional")[-1]
    assert math.isnan(conventional.loss_unweighted) == (broken < 3)


def test_epochs_left_count_down_to_the_end_whatever_happens():
    for values in (falling_terms(none=1.0), falling_terms(bce=1.0)):
        rows = searched(plan(), values)
        assert plan().epochs_left(rows) == 0
        lefts = [plan().epochs_left(rows[:count]) for count in range(len(rows) + 1)]
        assert lefts[0] == 2 + 3 * 2 + 3 * 2 + 2
        assert all(after < before for before, after in itertools.pairwise(lefts))
        # From the end of stage 2 on it is exact.
        assert lefts[8:] == list(range(len(rows) - 8, -1, -1))


def test_what_is_to_blame_is_the_term_that_is_not_finite():
    row = row_of(plan().next_step(()), {"bce": 1.0, "kl": math.inf})
    assert first_nonfinite(row, ("bce", "kl")) == "kl"
    broken = dataclasses.replace(row, terms={"bce": 1.0, "kl": 1.0}, loss_unweighted=math.nan)
    assert first_nonfinite(broken, ("bce", "kl")) == "loss_unweighted"


ROW_OF_0_1_0 = (
    '{"stage": 2, "branch": "kl", "epoch": 3, "loss": 5.5, "loss_unweighted": 6.0, "bce": 4.0, '
    '"kl": 2.0, "weight_bce": 1.0, "weight_kl": 0.75, "adapt_auc": 0.875}'
)


def test_a_row_in_a_checkpoint_has_the_form_that_it_had_in_0_1_0():
    row = EpochRow.from_json(json.loads(ROW_OF_0_1_0))
    assert row == EpochRow(
        2,
        "kl",
        3,
        loss=5.5,
        loss_unweighted=6.0,
        terms={"bce": 4.0, "kl": 2.0},
        weights={"bce": 1.0, "kl": 0.75},
        adapt_auc=0.875,
    )
    assert json.dumps(row.to_json()) == ROW_OF_0_1_0


def halving(**more):
    return plan("gaussian", ends=(20, 30, 40), search="halving", **more)


def test_a_halving_search_drops_half_of_the_branches_at_each_rung():
    # The later in the order, the lower the loss: 7, 4, 2 and 1 branches go on.
    order = list(BRANCHES["gaussian"])

    def values(step):
        lower = order.index(step.branch) if step.branch in order else 0
        return {"mahalanobis": 100.0 - step.epoch - lower, "log_variance": 9.0, "kl": 50.0}

    rows = searched(halving(), values)
    expected = [(1, "none", 1, 20)]
    for stage, begin in ((2, 20), (3, 30)):
        expected += [(stage, branch, begin + 1, begin + 1) for branch in order]
        expected += [(stage, branch, begin + 2, begin + 2) for branch in order[3:]]
        expected += [(stage, order[5], begin + 3, begin + 3)]
        expected += [(stage, order[6], begin + 3, begin + 10)]
    # The conventional VAE goes on from where `none` was dropped.
    expected += [(3, "conventional", 22, 40)]
    assert trace(rows) == expected
    assert [halving().chosen(rows, stage) for stage in (2, 3)] == [order[6]] * 2
    assert [halving().num_epochs(stage) for stage in (1, 2, 3)] == [20, 20, 20]
    assert len(rows) == halving().epochs_left() == 60 + 19
    path = halving().path(rows, "conventional")
    assert [row.epoch for row in path] == list(range(1, 41))
    assert {weight for row in path for weight in row.weights.values()} == {1.0}
    path = halving().path(rows, "loss_adapted")
    assert [row.epoch for row in path] == list(range(1, 41))


def test_a_halving_search_of_two_terms_drops_one_branch_late_and_one_later():
    search = plan("bernoulli", ends=(20, 30, 40), search="halving")
    order = list(BRANCHES["bernoulli"])

    def values(step):
        lower = order.index(step.branch) if step.branch in order else 0
        return dict.fromkeys(TERMS["bernoulli"], 100.0 - lower)

    stage = [row for row in trace(searched(search, values)) if row[0] == 2]
    assert stage == [
        *((2, branch, 21, 24) for branch in order),
        (2, order[1], 25, 28),
        (2, order[2], 25, 30),
    ]
    trained = sum(end - begin + 1 for _, _, begin, end in stage)
    assert trained == 10 * STAGE_COST


def test_a_halving_search_compares_means_of_the_latest_three_epochs():
    # `none` is the lowest in the epoch that is compared and far the highest in the mean of three;
    # with the one before it would be second.
    losses = {"none": [0, 9, 9, 2], "kl": [5, 4, 4, 5], "bce": [6, 6, 6, 3]}

    def values(step):
        position = step.epoch - 21
        is_compared = step.branch in losses and 0 <= position < 4
        loss = losses[step.branch][position] if is_compared else 1
        return {"bce": float(loss), "kl": 0.0}

    search = plan("bernoulli", ends=(20, 30, 40), search="halving")
    stage = [row for row in trace(searched(search, values)) if row[0] == 2]
    assert [row[1] for row in stage if row[2] == 25] == ["kl", "bce"]
    alone = plan("bernoulli", ends=(20, 24, 28))
    assert alone.chosen(searched(alone, values), 2) == "none"


def test_a_halving_search_in_which_none_wins_once_and_is_dropped_then():
    def values(step):
        lower = step.branch == ("none" if step.stage == 2 else "kl")
        return {"mahalanobis": 100.0 - lower, "log_variance": 9.0, "kl": 50.0}

    rows = searched(halving(), values)
    assert [halving().chosen(rows, stage) for stage in (2, 3)] == ["none", "kl"]
    # Ties go to the first in the order, so `none` stays till only two are left.
    assert trace(rows)[-1] == (3, "conventional", 34, 40)
    path = halving().path(rows, "conventional")
    assert [row.epoch for row in path] == list(range(1, 41))
    lefts = [halving().epochs_left(rows[:count]) for count in range(len(rows) + 1)]
    assert lefts[-1] == 0
    assert all(after < before for before, after in itertools.pairwise(lefts))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("likelihood", TERMS)
def test_a_halving_search_of_any_length_keeps_what_it_needs(length, likelihood):
    search = plan(likelihood, ends=(3, 3 + length, 3 + 2 * length), search="halving")
    order = list(BRANCHES[likelihood])
    for winners in itertools.product(order, order):

        def values(step, winners=winners):
            lower = step.stage > 1 and step.branch == winners[step.stage - 2]
            return dict.fromkeys(TERMS[likelihood], 100.0 - step.epoch - lower)

        rows, kept = [], set()
        while (step := search.next_step(rows)) is not None:
            if step.start is not None:
                kept &= search.models_needed(rows, step)
                assert step.start in kept
            rows.append(row_of(step, values(step)))
            kept |= set(search.models_to_keep(rows))
        assert tuple(search.chosen(rows, stage) for stage in (2, 3)) == winners
        assert {"chosen-3", "conventional"} <= kept
        assert [row.epoch for row in search.path(rows, "conventional")] == list(
            range(1, 4 + 2 * length)
        )
