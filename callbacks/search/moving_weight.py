"""How the weight of a term moves in a branch of the search, and where it stops."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from awl_vae.callbacks.arithmetic import plain_sum
from awl_vae.callbacks.search.rows import EpochRow

STEEPNESS = 10.0
"""k of the sigmoid. Paper: not given. Here: 10, so that it is near its ends at both ends."""

NONE = "none"
"""The branch in which no weight moves."""

DIRECTIONS = {"down": (False,), "up": (True,), "both": (False, True)}
"""Whether the weights of branches rise, in the order of the branches. Paper: they fall."""


@dataclass(frozen=True)
class Move:
    """A term whose weight moves in a branch.

    Attributes:
        term: its name.
        rises: whether the weight rises; else it falls.
    """

    term: str
    rises: bool = False

    @property
    def name(self) -> str:
        """What moves: "kl" where its weight falls, "kl:up" where it rises."""
        return f"{self.term}:up" if self.rises else self.term


@dataclass(frozen=True)
class Motion:
    """How far weights move, and what stops them.

    Attributes:
        floor: the weight that a falling weight ends at.
        rise: by how much a rising weight is multiplied at the end of a stage.
        window: N, a slope is that of the last N + 1 epochs. Paper: 1.
        patience: a weight stops where the slope is positive so many epochs in a row. Paper: 1.
    """

    floor: float
    rise: float = 10.0
    window: int = 1
    patience: int = 1

    def weight(self, move: Move, u: float, start: float) -> float:
        """The weight of a term that moves, when a share u of the stage's epochs is begun."""
        if move.rises:
            return rising_weight(u, start, rise=self.rise)
        return falling_weight(u, start, floor=self.floor)

    def stop(self, move: Move, path: Sequence[EpochRow], begin: int) -> EpochRow | None:
        """The row in which a weight has stopped; None where it moves on.

        A falling weight stops where its term rises, a rising one where the sum of all terms does:
        its own should fall.

        Args:
            move: the term.
            path: the rows that lead to the branch, and its own.
            begin: where its own begin.
        """
        values = [row.loss_unweighted if move.rises else row.terms[move.term] for row in path]
        in_a_row = 0
        for place in range(begin, len(path)):
            rises = is_rising(values[max(place - self.window, 0) : place + 1])
            in_a_row = in_a_row + 1 if rises else 0
            if in_a_row == self.patience:
                return path[place]
        return None


def moving_branches(
    branches: Mapping[str, Sequence[str]], directions: str
) -> dict[str, tuple[Move, ...]]:
    """The branches of a search, by what moves in them; `NONE` comes first.

    Args:
        branches: by name, the terms whose weights fall; see `awl_vae.losses.BRANCHES`.
        directions: a key of `DIRECTIONS`.
    """

    def moves() -> Iterator[tuple[Move, ...]]:
        for rises in DIRECTIONS[directions]:
            yield from (
                tuple(Move(term, rises) for term in terms) for terms in branches.values() if terms
            )

    return {NONE: ()} | {"+".join(move.name for move in some): some for some in moves()}


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
    return floor + (start - floor) * (_sigmoid(u) - _sigmoid(1.0)) / (_sigmoid(0.0) - _sigmoid(1.0))


def rising_weight(u: float, start: float, *, rise: float) -> float:
    """The weight of a rising term, the same sigmoid mirrored, in the logarithm. Not in the paper.

    w(u) = start · rise^r(u) with r(u) = (s(0) − s(u)) / (s(0) − s(1)), see `falling_weight`.

    Args:
        u: share of the stage's epochs that are begun, in [0, 1].
        start: the weight before the stage.
        rise: what it is multiplied by at the end.

    Returns:
        The weight, from `start` to `start` · `rise`.
    """
    return start * rise ** ((_sigmoid(0.0) - _sigmoid(u)) / (_sigmoid(0.0) - _sigmoid(1.0)))


def _sigmoid(u: float) -> float:
    return 1.0 / (1.0 + math.exp(STEEPNESS * (u - 0.5)))


def is_rising(values: Sequence[float]) -> bool:
    """Whether the least-squares slope of some values is positive.

    That of two is positive where the second is above the first; that of one, or where one is NaN,
    is not.
    """
    last = len(values) - 1
    # The sign of Σ (x − x̄) y; times two, so that the factors are whole numbers.
    rises = (value - values[0] for value in values)
    return plain_sum((2 * place - last) * rise for place, rise in enumerate(rises)) > 0.0


def moving_weights(
    path: Sequence[EpochRow], begin: int, moves: Sequence[Move], u: float, motion: Motion
) -> dict[str, float]:
    """The weights of all terms in an epoch of a branch.

    Args:
        path: the rows that lead to the branch, and its own so far.
        begin: where its own begin.
        moves: the terms whose weights move in it, each until it stops.
        u: share of the stage's epochs that are begun.
        motion: how they move.
    """
    weights = dict(path[begin - 1].weights)
    for move in moves:
        stop = motion.stop(move, path, begin)
        start = weights[move.term]
        weights[move.term] = stop.weights[move.term] if stop else motion.weight(move, u, start)
    return weights
