"""The loss-adapted search as functions of what it has trained so far (Sect. 3.3.2, Figs. 7 to 9).

A search has three stages, which end with the epochs E1, E2 and E3. Stage 1 trains the conventional
VAE. Stages 2 and 3 train one branch after the other, each from the model that the stage before has
chosen: in a branch the weights of some terms move, each until it stops; see `moving_weight`. The
branch with the lowest loss in the last epoch of its stage is chosen.

A halving search drops branches on the way; see `rungs`.

The conventional VAE is carried along as the branch "none" as long as that is trained and no weight
has moved before. From there on it is trained at the end, as `CONVENTIONAL`, which is no candidate.

Nothing here has a state: rows in, decision out.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from awl_vae.callbacks.arithmetic import plain_sum
from awl_vae.callbacks.search.moving_weight import NONE, Motion, Move, moving_weights
from awl_vae.callbacks.search.rows import EpochRow, has_diverged, is_over, of_branch
from awl_vae.callbacks.search.rungs import Leg, compare, halving_rungs

CONVENTIONAL = "conventional"

OfStage = tuple[int, str, int]
"""(stage, branch, last epoch): a leg of a branch, and the stage that it is of."""


@dataclass(frozen=True)
class SearchStep:
    """An epoch to train.

    Attributes:
        stage: 1, 2 or 3.
        branch: the name of the branch.
        epoch: the logical epoch, from 1.
        start: the kept model to start from, or None where the last epoch's goes on.
        weights: by term, its weight in this epoch.
    """

    stage: int
    branch: str
    epoch: int
    start: str | None
    weights: Mapping[str, float]


@dataclass(frozen=True)
class SearchPlan:
    """What a search trains next, and what it has chosen.

    Attributes:
        branches: by name, the terms whose weights move; `NONE`, with no term, comes first.
        terms: the names of the loss terms.
        ends: (E1, E2, E3), the last epoch of each stage.
        motion: how weights move.
        selection_loss: "unweighted", all terms at weight 1; "weighted", where those of different
            branches are sums of different things: it is the paper's other reading; or
            "synthetic_auc", the highest AUC of synthetic defects.
        search: "full", or "halving".
        only: the leg that alone is trained, from the model of the moment; None for all.
    """

    branches: Mapping[str, Sequence[Move]]
    terms: Sequence[str]
    ends: tuple[int, int, int]
    motion: Motion
    selection_loss: str = "unweighted"
    search: str = "full"
    only: OfStage | None = None

    def next_step(self, rows: Sequence[EpochRow]) -> SearchStep | None:
        """The epoch to train after those of `rows`, or None at the end of the search."""
        for stage, branch, _ in self._open_legs(rows):
            done = of_branch(rows, stage=stage, branch=branch)
            epoch = done[-1].epoch + 1 if done else self._first_epoch(rows, stage, branch)
            return SearchStep(
                stage,
                branch,
                epoch,
                self.start(rows, stage, branch),
                self._weights(rows, stage, branch, epoch),
            )
        return None

    def side_by_side(self, rows: Sequence[EpochRow]) -> list[OfStage]:
        """The legs that can be trained after `rows`, none of which needs another of them.

        They are those up to the next comparison of branches. The conventional VAE is one of them in
        the last stage, unless it goes on from a branch of that.
        """
        legs = list(self._open_legs(rows))
        if not legs:
            return []
        stage, _, end = legs[0]
        is_carried = self.chosen(rows, 2) == NONE and any(leg[:2] == (3, NONE) for leg in legs)
        return [
            leg
            for leg in legs
            if leg[0] == stage and (not is_carried if leg[1] == CONVENTIONAL else leg[2] == end)
        ]

    def of_leg(self, leg: OfStage) -> Self:
        """The same plan, of which one leg is trained."""
        return dataclasses.replace(self, only=leg)

    def models_to_keep(self, rows: Sequence[EpochRow]) -> list[str]:
        """The names, often none, to keep the model under as it is after the last of `rows`."""
        last = rows[-1]
        stage, branch, epoch = last.stage, last.branch, last.epoch
        if self.only or has_diverged(rows) or epoch not in self._rungs(stage):
            return []
        names = []
        if epoch < self.ends[stage - 1]:
            names.append(f"paused-{branch}")
        elif branch == self.best(rows, stage):
            names.append(f"chosen-{stage}")
        if stage > 1 and last in self._conventional(rows):
            names.append("conventional" if epoch == self.ends[-1] else "carried")
        # Until its end "conventional" may have to begin from "carried" again.
        return names if branch != CONVENTIONAL else [name for name in names if name == branch]

    def models_needed(self, rows: Sequence[EpochRow], step: SearchStep) -> set[str]:
        """The names of the kept models that `step`, after `rows`, or a later one may need."""
        stage = step.stage
        paused = {
            f"paused-{branch}"
            for branch, end in self._stage(rows, stage)[0]
            if not is_over(of_branch(rows, stage=stage, branch=branch), end)
        }
        is_begun = all(of_branch(rows, stage=stage, branch=branch) for branch in self.branches)
        needed = {f"chosen-{stage}", "conventional"} | paused
        if step.start is not None:
            needed.add(step.start)
        if not is_begun:
            needed.add(f"chosen-{stage - 1}")
        # Where stage 3 goes on with the conventional VAE, that begins from "chosen-2".
        if stage < 3 or self.chosen(rows, 2) != NONE or of_branch(rows, stage=3, branch=NONE):
            needed.add("carried")
        return needed

    def lead(self, rows: Sequence[EpochRow], stage: int) -> list[EpochRow]:
        """The rows, one an epoch, of the model that a stage after the first starts from."""
        path = of_branch(rows, stage=1, branch=NONE)
        for earlier in range(2, stage):
            path += of_branch(rows, stage=earlier, branch=self.chosen(rows, earlier))
        return path

    def stop(
        self, rows: Sequence[EpochRow], stage: int, branch: str, move: Move
    ) -> EpochRow | None:
        """The row of a branch in which a weight has stopped; None where it moves on."""
        lead = self.lead(rows, stage)
        done = of_branch(rows, stage=stage, branch=branch)
        return self.motion.stop(move, [*lead, *done], len(lead))

    def loss(self, row: EpochRow) -> float:
        """What of a row branches are compared by: the lowest is chosen."""
        if self.selection_loss == "unweighted":
            return row.loss_unweighted
        if self.selection_loss == "synthetic_auc":
            auc = row.synthetic_auc
            return math.inf if auc is None or math.isnan(auc) else -auc
        return plain_sum(row.weights[term] * row.terms[term] for term in self.terms)

    def best(self, rows: Sequence[EpochRow], stage: int) -> str | None:
        """The best of the stage's branches that are at its end, the first of equal ones."""
        first = next(iter(self._stage(rows, stage)[1]), None)
        done = of_branch(rows, stage=stage, branch=first)
        return first if done and done[-1].epoch == self.ends[stage - 1] else None

    def chosen(self, rows: Sequence[EpochRow], stage: int) -> str | None:
        """The branch that the stage has chosen; None before its end and where all are out."""
        legs, _ = self._stage(rows, stage)
        is_whole = all(
            is_over(of_branch(rows, stage=stage, branch=branch), end) for branch, end in legs
        )
        return self.best(rows, stage) if is_whole else None

    def path(self, rows: Sequence[EpochRow], method: str) -> list[EpochRow]:
        """The rows that lead to a method's model, one an epoch.

        Args:
            rows: all rows of a search that is at its end.
            method: "conventional" or "loss_adapted".

        Returns:
            Rows of the epochs 1 to E3, or to the first loss that is not finite.
        """
        if method == CONVENTIONAL:
            return self._conventional(rows)
        path = of_branch(rows, stage=1, branch=NONE)
        for stage in (2, 3):
            if not has_diverged(path):
                path += of_branch(rows, stage=stage, branch=self.chosen(rows, stage) or NONE)
        return path

    def epochs_left(self, rows: Sequence[EpochRow] = ()) -> int:
        """How many epochs there are to train at most, the conventional VAE's included."""
        reached = {}
        for stage, branch, end in self._legs(rows):
            done = of_branch(rows, stage=stage, branch=branch)
            first = done[0].epoch if done else self._first_epoch(rows, stage, branch)
            reached[stage, branch] = 0 if is_over(done, end) else end - first + 1 - len(done)
        return sum(reached.values())

    def num_epochs(self, stage: int) -> int:
        """How many epochs a stage trains, all branches together."""
        begin = (0, *self.ends)[stage - 1]
        last = dict(self._stage((), stage)[0])  # The last leg of each branch counts.
        return sum(end - begin for end in last.values())

    def _open_legs(self, rows: Sequence[EpochRow]) -> Iterator[OfStage]:
        """Those that are not at their ends, in the order of training."""
        for stage, branch, end in self._legs(rows):
            is_wanted = self.only in (None, (stage, branch, end))
            if is_wanted and not is_over(of_branch(rows, stage=stage, branch=branch), end):
                yield stage, branch, end

    def _legs(self, rows: Sequence[EpochRow]) -> Iterator[OfStage]:
        """In the order of training, all that `rows` leave open."""
        for stage in (1, 2, 3):
            legs, survivors = self._stage(rows, stage)
            yield from ((stage, branch, end) for branch, end in legs)
            if not survivors:
                break
        carried = self._conventional(rows)
        first = self._first_epoch(rows, 3, CONVENTIONAL)
        if first <= self.ends[-1] and not has_diverged(carried):
            yield 3, CONVENTIONAL, self.ends[-1]

    def _stage(self, rows: Sequence[EpochRow], stage: int) -> tuple[list[Leg], list[str]]:
        """The legs of a stage in the order of training, and the branches that survive it."""
        branches = [NONE] if stage == 1 else list(self.branches)
        return compare(rows, stage, branches, rungs=self._rungs(stage), loss=self.loss)

    def _rungs(self, stage: int) -> dict[int, int]:
        """By the epochs at which the branches of a stage are compared, how many survive."""
        begin, end = (0, *self.ends)[stage - 1 : stage + 1]
        if self.search == "halving" and stage > 1:
            return halving_rungs(begin, end, len(self.branches))
        return {end: 1}

    def _conventional(self, rows: Sequence[EpochRow]) -> list[EpochRow]:
        """The rows of the conventional VAE, as far as it is trained."""
        path = of_branch(rows, stage=1, branch=NONE)
        stages = ((2, NONE), (3, NONE), (3, CONVENTIONAL))
        for stage, branch in stages:
            is_same = (stage, branch) != (3, NONE) or self.chosen(rows, 2) == NONE
            if is_same and not has_diverged(path):
                path += of_branch(rows, stage=stage, branch=branch)
        return path

    def _first_epoch(self, rows: Sequence[EpochRow], stage: int, branch: str) -> int:
        """The epoch that a branch which is not begun begins with, at the earliest."""
        if branch != CONVENTIONAL:
            return 1 + (0, *self.ends)[stage - 1]
        trained = [row.epoch for row in self._conventional(rows) if row.branch == NONE]
        stage = 3 if self.chosen(rows, 2) == NONE else 2
        return 1 + max([*trained, next(iter(self._rungs(stage)))])

    def start(self, rows: Sequence[EpochRow], stage: int, branch: str) -> str | None:
        """The kept model that the next epoch of a branch starts from; None for the last epoch's."""
        if self.only or not rows or (rows[-1].stage, rows[-1].branch) == (stage, branch):
            return None
        if branch == CONVENTIONAL:
            return "carried"
        is_begun = of_branch(rows, stage=stage, branch=branch)
        return f"paused-{branch}" if is_begun else f"chosen-{stage - 1}"

    def _weights(
        self, rows: Sequence[EpochRow], stage: int, branch: str, epoch: int
    ) -> dict[str, float]:
        """By term, its weight in an epoch of a branch."""
        if stage == 1 or branch == CONVENTIONAL:
            return dict.fromkeys(self.terms, 1.0)
        lead = self.lead(rows, stage)
        path = [*lead, *of_branch(rows, stage=stage, branch=branch)]
        begin, end = self.ends[stage - 2 : stage]
        u = (epoch - begin) / (end - begin)
        return moving_weights(path, len(lead), self.branches[branch], u, self.motion)
