"""The figures of a loss-adapted search, from its rows alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from awl_vae.callbacks import (
    CONVENTIONAL,
    NONE,
    EpochRow,
    SearchPlan,
    has_diverged,
    of_branch,
)
from awl_vae.callbacks.search.moving_weight import Move
from awl_vae.figures.search import (
    Curve,
    MovingTerm,
    plot_losses,
    plot_moving_terms,
    plot_weights,
)


def plot_search(figures: Path, plan: SearchPlan, *, rows: Sequence[EpochRow], title: str) -> None:
    """Writes the losses of each stage, and the weights of two branches.

    Args:
        figures: directory of the PNG files.
        plan: the plan of the search.
        rows: its rows, to its end.
        title: what was trained.
    """
    for stage in (1, 2, 3):
        _plot_stage(figures / f"losses_stage_{stage}.png", plan, rows, stage, title)
    path = plan.path(rows, "loss_adapted")
    e1, e2, _ = plan.ends
    names = " then ".join(plan.chosen(rows, stage) or "nothing" for stage in (2, 3))
    plot_weights(
        figures / "weights_chosen.png",
        _weights(plan, [row for row in path if row.epoch >= e1]),
        stage_starts=(e1, e2),
        title=f"{title}: {names}, the chosen path",
    )
    stage, branch = _strongest(plan, rows)
    name = f"{title}: {branch} in stage {stage}, the strongest change"
    done = of_branch(rows, stage=stage, branch=branch)
    if done:
        start = plan.lead(rows, stage)[-1]
        plot_weights(
            figures / "weights_strongest.png",
            _weights(plan, [start, *done]),
            stage_starts=(start.epoch,),
            title=name,
        )
        terms = [
            _moving(move, [start, *done], plan.stop(rows, stage, branch, move))
            for move in plan.branches[branch]
        ]
        plot_moving_terms(figures / "terms_and_weights.png", terms, title=name)


def _plot_stage(
    path: Path, plan: SearchPlan, rows: Sequence[EpochRow], stage: int, title: str
) -> None:
    of_stage = {
        branch: of_branch(rows, stage=stage, branch=branch)
        for branch in [*plan.branches, CONVENTIONAL]
    }
    losses = {
        name: _curve(done, lambda row: row.loss_unweighted)
        for name, done in of_stage.items()
        if done
    }
    # In stage 3 `none` keeps the weights that stage 2 has chosen.
    is_none = stage < 3 or plan.chosen(rows, 2) == NONE
    if losses:
        plot_losses(
            path,
            losses,
            conventional=NONE if is_none else CONVENTIONAL,
            chosen=plan.chosen(rows, stage) if stage > 1 else None,
            title=f"{title}: loss in stage {stage}",
        )


def _strongest(plan: SearchPlan, rows: Sequence[EpochRow]) -> tuple[int, str]:
    """(stage, branch) whose weights ended farthest in sum from those they started with."""

    def change(key: tuple[int, str]) -> float:
        stage, branch = key
        done = of_branch(rows, stage=stage, branch=branch)
        if not done or has_diverged(done):
            return 0.0
        start = plan.lead(rows, stage)[-1]
        return sum(abs(start.weights[term] - done[-1].weights[term]) for term in plan.terms)

    moving = [branch for branch in plan.branches if branch != NONE]
    return max(((stage, branch) for stage in (2, 3) for branch in moving), key=change)


def _moving(move: Move, path: Sequence[EpochRow], stop: EpochRow | None) -> MovingTerm:
    """A term that moves, from the row before its stage on."""
    term = move.term
    return MovingTerm(
        term,
        watched="sum of all terms" if move.rises else term,
        values=_curve(path, lambda row: row.loss_unweighted if move.rises else row.terms[term]),
        weight=_curve(path[1:], lambda row: row.weights[term]),
        stopped=stop.epoch if stop else None,
    )


def _weights(plan: SearchPlan, rows: Sequence[EpochRow]) -> dict[str, Curve]:
    return {
        term: Curve([row.epoch for row in rows], [row.weights[term] for row in rows])
        for term in plan.terms
    }


def _curve(rows: Sequence[EpochRow], value: Callable[[EpochRow], float]) -> Curve:
    return Curve([row.epoch for row in rows], [value(row) for row in rows])
