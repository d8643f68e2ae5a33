import pytest

from awl_vae.losses import DISABLED, PATTERNS, TERMS, with_weights


def rows(likelihood):
    return [
        tuple(int(pattern[term] == 1.0) for term in TERMS[likelihood])
        for pattern in PATTERNS[likelihood]
    ]


def test_table_1():
    assert TERMS["bernoulli"] == ("bce", "kl")
    assert rows("bernoulli") == [(1, 1), (1, 0), (0, 1)]


def test_table_2():
    assert TERMS["gaussian"] == ("mahalanobis", "log_variance", "kl")
    assert rows("gaussian") == [
        (1, 1, 1),
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, 1, 0),
        (1, 0, 1),
        (0, 1, 1),
    ]


def test_a_disabled_term_keeps_a_tiny_weight():
    assert DISABLED == 1e-10
    weights = {w for patterns in PATTERNS.values() for p in patterns for w in p.values()}
    assert weights == {1.0, 1e-10}


def test_patterns_cannot_be_changed():
    with pytest.raises(TypeError):
        PATTERNS["bernoulli"][0]["bce"] = 2.0


def test_weights_are_those_that_are_named_and_1():
    weights = with_weights("gaussian", kl=0.1, log_variance=2.0)
    assert weights == {"mahalanobis": 1.0, "log_variance": 2.0, "kl": 0.1}
