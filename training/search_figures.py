"""The figures of a loss-adapted search, from its rows alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from awl_vae.callbacks import (
    CONVENTIONAL,
    NONE,
    EpochRow,
    SearchPlan,
    first_rise,
    has_diverged,
    of_branch,
)
from awl_vae.figures.search import (
    Curve,
    FallingTerm,
    plot_falling_terms,
    plot_losses,
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
    stage, branch = _strongest_fall(plan, rows)
    name = f"{title}: {branch} in stage {stage}, the strongest fall"
    done = of_branch(rows, stage=stage, branch=branch)
    if done:
        start = plan.start(rows, stage)
        plot_weights(
            figures / "weights_strongest.png",
            _weights(plan, [start, *done]),
            stage_starts=(start.epoch,),
            title=name,
        )
        terms = [_falling(term, [start, *done]) for term in plan.branches[branch]]
        plot_falling_terms(figures / "terms_and_weights.png", terms, title=name)


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


def _strongest_fall(plan: SearchPlan, rows: Sequence[EpochRow]) -> tuple[int, str]:
    """(stage, branch) whose weights ended lowest in sum below those they started with."""

    def fall(key: tuple[int, str]) -> float:
        stage, branch = key
        done = of_branch(rows, stage=stage, branch=branch)
        if not done or has_diverged(done):
            return 0.0
        start = plan.start(rows, stage)
        return sum(start.weights[term] - done[-1].weights[term] for term in plan.terms)

    falling = [branch for branch in plan.branches if branch != NONE]
    return max(((stage, branch) for stage in (2, 3) for branch in falling), key=fall)


def _falling(term: str, path: Sequence[EpochRow]) -> FallingTerm:
    rise = first_rise(path, term)
    return FallingTerm(
        term,
        term=_curve(path, lambda row: row.terms[term]),
        weight=_curve(path[1:], lambda row: row.weights[term]),
        risen=rise.epoch if rise else None,
    )


def _weights(plan: SearchPlan, rows: Sequence[EpochRow]) -> dict[str, Curve]:
    return {
        term: Curve([row.epoch for row in rows], [row.weights[term] for row in rows])
        for term in plan.terms
    }


def _curve(rows: Sequence[EpochRow], value: Callable[[EpochRow], float]) -> Curve:
    return Curve([row.epoch for row in rows], [value(row) for row in rows])
