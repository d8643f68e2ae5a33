"""How the weight of a term falls in a branch of the search, and where it stops."""

import math
from collections.abc import Sequence
from itertools import pairwise

from awl_vae.callbacks.search.rows import EpochRow

STEEPNESS = 10.0
"""k of the sigmoid. Paper: not given. Here: 10, so that it is near its ends at both ends."""


def falling_weight(u: float, start: float, *, floor: float) -> float:
    """The weight of a falling term, a sigmoid of the way through the stage (Eq. 14).

    Paper: "the sigmoid was used". Here: w(u) = floor + (start − floor) · (s(u) − s(1)) / (s(0) −
    s(1)) with s(u) = 1 / (1 + exp(k (u − ½))), so that w(0) = start and w(1) = floor exactly.

    Args:
        u: share of the stage's epochs that are begun, in [0, 1].
        start: the weight before the stage.
        floor: the weight of a disabled term.

    Returns:
        The weight, between `floor` and `start`.
    """

    def sigmoid(u: float) -> float:
        return 1.0 / (1.0 + math.exp(STEEPNESS * (u - 0.5)))

    whole = sigmoid(0.0) - sigmoid(1.0)
    return floor + (start - floor) * (sigmoid(u) - sigmoid(1.0)) / whole


def is_rising(before: float, after: float) -> bool:
    """Whether the slope of a term is positive: its epoch mean is above that of the epoch before."""
    return after > before


def first_rise(path: Sequence[EpochRow], term: str) -> EpochRow | None:
    """The first row whose term is above that of the row before it; None where none is."""
    rises = (now for then, now in pairwise(path) if is_rising(then.terms[term], now.terms[term]))
    return next(rises, None)


def falling_weights(
    path: Sequence[EpochRow], terms: Sequence[str], u: float, *, floor: float
) -> dict[str, float]:
    """The weights of all terms in an epoch of a branch.

    Args:
        path: the row that the branch starts from, and its own rows so far.
        terms: the terms whose weights fall in it, each until the term rises.
        u: share of the stage's epochs that are begun, in [0, 1].
        floor: the weight of a disabled term.
    """
    weights = dict(path[0].weights)
    for term in terms:
        rise = first_rise(path, term)
        weights[term] = (
            rise.weights[term] if rise else falling_weight(u, weights[term], floor=floor)
        )
    return weights
