"""The loss-adapted search as functions of what it has trained so far (Sect. 3.3.2, Figs. 7 to 9).

A search has three stages, which end with the epochs E1, E2 and E3. Stage 1 trains the conventional
VAE. Stages 2 and 3 train one branch after the other, each from the model that the stage before has
chosen: in a branch the weights of some terms fall, each until its term rises. The branch with the
lowest loss in the last epoch of its stage is chosen.

The conventional VAE is carried along as the branch "none" of stage 2. Where another branch is
chosen there, it goes on beside stage 3, as `CONVENTIONAL`, which is no candidate.

Nothing here has a state: rows in, decision out. A row is what one epoch of a branch gave, a dict
with the keys `stage`, `branch`, `epoch` (the logical one: every branch of a stage counts the same
epochs), `loss_unweighted`, each term and `weight_<term>`; whatever else a row has is passed on.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from callbacks.arithmetic import plain_sum
from callbacks.falling_weight import falling_weight, first_rise

NONE = "none"
CONVENTIONAL = "conventional"
Row = Mapping[str, object]


@dataclass(frozen=True)
class Step:
    """An epoch to train.

    Attributes:
        stage: 1, 2 or 3.
        branch: the name of the branch.
        epoch: the logical epoch, from 1.
        is_first: whether it is the branch's first epoch in this stage.
        weights: by term, its weight in this epoch.
    """

    stage: int
    branch: str
    epoch: int
    is_first: bool
    weights: Mapping[str, float]


@dataclass(frozen=True)
class SearchPlan:
    """What a search trains next, and what it has chosen.

    Attributes:
        branches: by name, the terms whose weights fall; `NONE`, with no term, comes first.
        terms: the names of the loss terms.
        ends: (E1, E2, E3), the last epoch of each stage.
        floor: the weight that a falling weight ends at.
        selection_loss: "unweighted", all terms at weight 1, or "weighted". Weighted losses of
            different branches are sums of different things; it is the paper's other reading.
    """

    branches: Mapping[str, Sequence[str]]
    terms: Sequence[str]
    ends: tuple[int, int, int]
    floor: float
    selection_loss: str = "unweighted"

    def next_step(self, rows: Sequence[Row]) -> Step | None:
        """The epoch to train after those of `rows`, or None at the end of the search."""
        for stage, branch in self._branches(rows):
            done = of_branch(rows, stage=stage, branch=branch)
            if not self.is_over(stage, done):
                epoch = self._first_epoch(stage) + len(done)
                weights = self._weights(rows, stage, branch, epoch)
                return Step(stage, branch, epoch, not done, weights)
        return None

    def is_over(self, stage: int, done: Sequence[Row]) -> bool:
        """Whether a branch with the rows `done` in this stage is at its end, or is out."""
        return bool(done) and (done[-1]["epoch"] == self.ends[stage - 1] or is_out(done))

    def start(self, rows: Sequence[Row], stage: int) -> Row:
        """The last row of the model that a stage after the first starts from."""
        return of_branch(rows, stage=stage - 1, branch=self.chosen(rows, stage - 1))[-1]

    def loss(self, row: Row) -> float:
        """The loss of a row by which branches are compared."""
        if self.selection_loss == "unweighted":
            return row["loss_unweighted"]
        return plain_sum(row[f"weight_{term}"] * row[term] for term in self.terms)

    def best(self, rows: Sequence[Row], stage: int) -> str | None:
        """The best of the stage's branches that are at their end, the first of equal ones."""
        candidates = {}
        for branch in self._candidates(stage):
            done = of_branch(rows, stage=stage, branch=branch)
            if self.is_over(stage, done) and not is_out(done):
                candidates[branch] = self.loss(done[-1])
        return min(candidates, key=candidates.get, default=None)

    def chosen(self, rows: Sequence[Row], stage: int) -> str | None:
        """The branch that the stage has chosen; None before its end and where all are out."""
        return self.best(rows, stage) if self.is_whole(rows, stage) else None

    def is_whole(self, rows: Sequence[Row], stage: int) -> bool:
        """Whether all branches of the stage are at their end, or out."""
        return all(
            self.is_over(stage, of_branch(rows, stage=stage, branch=branch))
            for branch in self._candidates(stage)
        )

    def path(self, rows: Sequence[Row], method: str) -> list[Row]:
        """The rows that lead to a method's model, one an epoch.

        Args:
            rows: all rows of a search that is at its end.
            method: "conventional" or "loss_adapted".

        Returns:
            Rows of the epochs 1 to E3, or to the first loss that is not finite.
        """
        branches = [NONE] + [self.chosen(rows, stage) or NONE for stage in (2, 3)]
        if method == CONVENTIONAL:
            branches = [NONE, NONE, NONE if branches[1] == NONE else CONVENTIONAL]
        path = []
        for stage, branch in enumerate(branches, 1):
            path += of_branch(rows, stage=stage, branch=branch)
            if is_out(path):
                break
        return path

    def epochs_left(self, rows: Sequence[Row] = ()) -> int:
        """How many epochs there are to train at most, the conventional VAE's included."""
        left = 0
        for stage, branch in self._branches(rows):
            done = of_branch(rows, stage=stage, branch=branch)
            if not self.is_over(stage, done):
                left += self.ends[stage - 1] - self._first_epoch(stage) + 1 - len(done)
        return left

    def is_conventional(self, rows: Sequence[Row], step: Step) -> bool:
        """Whether a step trains the conventional VAE."""
        return step.branch == CONVENTIONAL or (
            step.branch == NONE and (step.stage < 3 or self.chosen(rows, 2) == NONE)
        )

    def _branches(self, rows) -> Iterator[tuple[int, str]]:
        """(stage, branch) in the order of training, all that `rows` do not rule out."""
        for stage in (1, 2, 3):
            if stage > 1 and self.is_whole(rows, stage - 1) and not self.best(rows, stage - 1):
                return
            yield from ((stage, branch) for branch in self._candidates(stage))
        if self.chosen(rows, 2) != NONE and not is_out(of_branch(rows, stage=2, branch=NONE)):
            yield 3, CONVENTIONAL

    def _candidates(self, stage):
        return [NONE] if stage == 1 else list(self.branches)

    def _first_epoch(self, stage):
        return 1 if stage == 1 else self.ends[stage - 2] + 1

    def _weights(self, rows, stage, branch, epoch):
        if stage == 1 or branch == CONVENTIONAL:
            return dict.fromkeys(self.terms, 1.0)
        start = self.start(rows, stage)
        path = [start, *of_branch(rows, stage=stage, branch=branch)]
        begin, end = self.ends[stage - 2 : stage]
        weights = {term: start[f"weight_{term}"] for term in self.terms}
        for term in self.branches[branch]:
            weights[term] = falling_weight(
                (epoch - begin) / (end - begin), weights[term], floor=self.floor
            )
            if rise := first_rise(path, term):
                weights[term] = rise[f"weight_{term}"]
        return weights


def of_branch(rows: Sequence[Row], *, stage: int, branch: str) -> list[Row]:
    """The rows of one branch in one stage."""
    return [row for row in rows if row["stage"] == stage and row["branch"] == branch]


def is_out(rows: Sequence[Row]) -> bool:
    """Whether the last row's loss is not finite, so that its branch can't be chosen."""
    return bool(rows) and not math.isfinite(rows[-1]["loss_unweighted"])


def blamed(row: Row, terms: Sequence[str]) -> str:
    """The name of what is not finite in a row: the first such term, or the loss."""
    return next((term for term in terms if not math.isfinite(row[term])), "loss_unweighted")
