"""The rungs of a stage: epochs at which its branches are compared, and the worse ones dropped.

A full search has one, the end of the stage. A halving search trains the branches in turn to a few
common epochs, and at each of them drops the half with the higher losses (successive halving,
Jamieson and Talwalkar, 2016).
"""

import math
from collections.abc import Callable, Mapping, Sequence

from awl_vae.callbacks.search.rows import EpochRow, has_diverged, of_branch

RUNGS = (0.1, 0.2, 0.3)
"""Shares of a stage after which a halving search drops half of its branches.

Seven branches cost two whole ones: 7 · 0.1 + 4 · 0.1 + 2 · 0.1 + 1 · 0.7 = 2.
"""


Leg = tuple[str, int]
"""(branch, epoch): the branch is trained to this epoch before the next leg."""


def rung_epochs(begin: int, end: int) -> list[int]:
    """The epochs after which a halving search drops branches, in a stage from begin + 1 to end."""
    return [begin + max(1, round(share * (end - begin))) for share in RUNGS]


def halving_rungs(begin: int, end: int, num_branches: int) -> dict[int, int]:
    """By the rungs of a stage from begin + 1 to end, how many of its branches survive them."""
    rungs, count = {}, num_branches
    for epoch in rung_epochs(begin, end):
        count = math.ceil(count / 2)
        rungs[epoch] = count
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
    for end, count in rungs.items():
        legs += [(branch, end) for branch in alive]
        best = _ranked(rows, stage, alive, end, loss)[:count]
        alive = [branch for branch in alive if branch in best]
    return legs, alive


def _ranked(
    rows: Sequence[EpochRow],
    stage: int,
    branches: Sequence[str],
    epoch: int,
    loss: Callable[[EpochRow], float],
) -> list[str]:
    """Branches by their loss in an epoch; those that are not there yet last, none that is out."""
    losses = {}
    for branch in branches:
        done = of_branch(rows, stage=stage, branch=branch)
        if not has_diverged(done):
            losses[branch] = next((loss(row) for row in done if row.epoch == epoch), math.inf)
    return sorted(losses, key=losses.__getitem__)
