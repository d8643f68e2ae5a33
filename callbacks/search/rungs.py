"""The rungs of a stage: epochs at which its branches are compared, and the worse ones dropped.

A full search has one, the end of the stage. A halving search trains the branches in turn to a few
common epochs, and at each of them drops the half with the higher losses (successive halving,
Jamieson and Talwalkar, 2016). The losses of single epochs jump, so that it compares means.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from awl_vae.callbacks.search.rows import EpochRow, has_diverged, of_branch

STAGE_COST = Fraction(22, 10)
"""How many whole branches a stage of a halving search may cost, which says how late its rungs are.

Where half of the epochs are the first stage's and a quarter each of the others', the search costs
0.5 + 2 · 0.25 · 2.2 = 1.6 conventional trainings.
"""

AVERAGED_EPOCHS = 3
"""Over how many of the latest epochs of a branch the mean is taken."""

Leg = tuple[str, int]
"""(branch, epoch): the branch is trained to this epoch before the next leg."""


def halving_rungs(begin: int, end: int, num_branches: int) -> dict[int, int]:
    """By the rungs of a stage from begin + 1 to end, how many of its branches survive them.

    They are as far from one another as the stage's cost allows: seven branches are halved after
    0.12, 0.24 and 0.36 of it, 7 · 0.12 + 4 · 0.12 + 2 · 0.12 + 1 · 0.64 = 2.2, three after 0.4 and
    0.8. Of a short stage, the first epochs.
    """
    counts = [num_branches]
    while counts[-1] > 1:
        counts.append(math.ceil(counts[-1] / 2))
    distance = (STAGE_COST - 1) / max(1, sum(count - 1 for count in counts))
    rungs = {}
    for number, count in enumerate(counts[1:], start=1):
        rungs[begin + max(1, int(number * distance * (end - begin)))] = count
    return rungs | {end: 1}


def compare(
    rows: Sequence[EpochRow],
    stage: int,
    branches: Sequence[str],
    *,
    rungs: Mapping[int, int],
    loss: Callable[[EpochRow], float],
) -> tuple[list[Leg], list[str]]:
    """The legs of a stage in the order of training, and the branches that survive it.

    Args:
        rows: the rows of the search so far. At a rung that is not reached by enough branches yet,
            who survives is a guess; how many is not.
        stage: the stage.
        branches: its branches, in their order.
        rungs: by epoch, how many branches survive it.
        loss: the loss of a row by which branches are compared.
    """
    alive, legs = list(branches), []
    num_averaged = AVERAGED_EPOCHS if len(rungs) > 1 else 1
    for end, count in rungs.items():
        legs += [(branch, end) for branch in alive]
        best = _ranked(rows, stage, alive, range(end, end - num_averaged, -1), loss)[:count]
        alive = [branch for branch in alive if branch in best]
    return legs, alive


def _ranked(
    rows: Sequence[EpochRow],
    stage: int,
    branches: Sequence[str],
    epochs: range,
    loss: Callable[[EpochRow], float],
) -> list[str]:
    """Branches by their mean loss in epochs, of which the first is the latest.

    Those that are not there yet are last, and none is there that has diverged.
    """
    losses = {}
    for branch in branches:
        done = of_branch(rows, stage=stage, branch=branch)
        if not has_diverged(done):
            found = [loss(row) for row in done if row.epoch in epochs]
            is_there = any(row.epoch == epochs[0] for row in done)
            losses[branch] = statistics.fmean(found) if is_there else math.inf
    return sorted(losses, key=losses.__getitem__)
