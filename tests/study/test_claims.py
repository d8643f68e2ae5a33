import pytest

from awl_vae.evaluation.intervals import Interval
from awl_vae.study.grid import EPOCHS
from awl_vae.study.searches import correlation
from awl_vae.study.verdicts import sentence, verdict


@pytest.mark.parametrize(
    ("low", "high", "bound", "expected"),
    [
        (0.01, 0.03, 0.0, "holds"),
        (-0.01, 0.03, 0.0, "undecided"),
        (-0.03, -0.01, 0.0, "fails"),
        (0.0, 0.0, 0.0, "fails"),  # the same model beats nothing
        (-0.005, 0.03, -0.01, "holds"),
        (-0.03, -0.02, -0.01, "fails"),
    ],
)
def test_verdicts(low, high, bound, expected):
    assert verdict(Interval((low + high) / 2, low, high, (low, high)), bound) == expected


def test_one_seed_decides_nothing():
    assert verdict(Interval(0.2, 0.1, 0.3, (0.2,)), 0.0) == "undecided"


def test_a_sentence_names_what_holds_and_what_fails():
    # Two of seven are not all.
    assert sentence({"bellows": "holds", "comb": "holds"}) == "**Holds** on bellows, comb."
    assert sentence(dict.fromkeys(EPOCHS, "fails")) == "**Fails** on every dataset."
    text = "**Holds** on bellows, comb; **fails** on square."
    assert sentence({"bellows": "holds", "square": "fails", "comb": "holds"}) == text


def rows(*values):
    return [
        {
            "stage": stage,
            "branch": branch,
            "epoch": epoch,
            "loss_unweighted": str(loss),
            "adapt_auc": str(auc),
        }
        for stage, branch, epoch, loss, auc in values
    ]


ENDS = {"e2": 4, "e3": 6}


def test_a_correlation_is_over_the_ends_of_the_branches_of_a_stage():
    of_two = rows(
        ("1", "none", "2", 9, 0.1),
        ("2", "none", "3", 9, 0.9),  # not its end
        ("2", "none", "4", 3, 0.5),
        ("2", "kl", "4", 2, 0.6),
        ("2", "bce", "4", 1, 0.9),
    )
    assert correlation(of_two, ENDS) == pytest.approx(1.0)
    # Stage 3 has lower losses and lower AUROCs, but within it the lower loss has the higher one.
    later = rows(("3", "none", "6", 0.5, 0.2), ("3", "kl", "6", 0.3, 0.21))
    assert correlation(of_two + later, ENDS) == pytest.approx(1.0)


def test_one_bad_branch_is_one_rank():
    far = rows(("2", "none", "4", 900, 0.6), ("2", "kl", "4", 2, 0.5), ("2", "bce", "4", 1, 0.4))
    near = rows(("3", "none", "6", 3, 0.5), ("3", "kl", "6", 2, 0.6), ("3", "bce", "6", 1, 0.7))
    # Stage 2 says the one thing, stage 3 the other.
    assert correlation(far + near, ENDS) == pytest.approx(0.0)


def test_branches_that_are_out_are_no_part_of_a_correlation():
    of_two = rows(("2", "none", "4", 3, 0.5), ("2", "kl", "4", 2, 0.6), ("2", "bce", "4", 1, 0.9))
    out = rows(("3", "none", "6", "nan", 0.5), ("3", "kl", "5", 1, 0.1))
    assert correlation(of_two + out, ENDS) == pytest.approx(1.0)
    assert correlation(rows(("2", "none", "4", 3, 0.5)), ENDS) is None
