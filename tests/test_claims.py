import pytest

from experiments.reporting.claims import Finding, _correlation, _sentence


@pytest.mark.parametrize(
    ("low", "high", "bound", "verdict"),
    [
        (0.01, 0.03, 0.0, "holds"),
        (-0.01, 0.03, 0.0, "undecided"),
        (-0.03, -0.01, 0.0, "fails"),
        (0.0, 0.0, 0.0, "fails"),  # the same model beats nothing
        (-0.005, 0.03, -0.01, "holds"),
        (-0.03, -0.02, -0.01, "fails"),
    ],
)
def test_verdicts(low, high, bound, verdict):
    assert Finding(low, (low + high) / 2, high, bound).verdict == verdict


def test_a_sentence_names_what_holds_and_what_fails():
    holds, fails = Finding(1, 2, 3), Finding(-3, -2, -1)
    assert _sentence({"bellows": holds, "comb": holds}) == "**Holds** on every dataset."
    text = "**Holds** on bellows, comb; **fails** on square."
    assert _sentence({"bellows": holds, "square": fails, "comb": holds}) == text


def test_a_correlation_is_over_the_ends_of_the_branches():
    rows = [
        {"stage": stage, "branch": branch, "loss_unweighted": loss, "adapt_auc": auc}
        for stage, branch, loss, auc in (
            ("1", "none", "9", "0.1"),
            ("2", "none", "9", "0.1"),
            ("2", "none", "3", "0.5"),
            ("2", "kl", "2", "0.6"),
            ("2", "bce", "1", "0.9"),
        )
    ]
    assert _correlation(rows) == pytest.approx(-1.0)
