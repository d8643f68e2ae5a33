"""What an experiment is: which methods it trains, in which runs, and how."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CHECKPOINT = "checkpoint"
"""Directory of what a run goes on from, as long as it is not finished."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        epoch: the epoch of the model in `model.keras`, or the one where something was not finite.
        failed: the name of what was not finite, or None.
        notes: more for the method's entry in `summary.json`.
    """

    epoch: int
    failed: str | None = None
    notes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """What `run_experiment` runs; its functions take the experiment's own class of settings.

    Attributes:
        name: its name, which its default run directory has.
        runs: returns for each run of a seed the methods that it trains. A run is what goes on after
            a cut.
        needs_labels: returns whether labelled images steer it; otherwise it runs without any.
        count_epochs: returns how many epochs a run trains at most.
        announce: gives the lines to tell the user beforehand, by the configuration and the number
            of steps of an epoch.
        train: trains the methods of a run, from where an earlier process was cut off, and returns
            how each ended. Called with the run directory, the configuration, the prepared data, and
            by keyword `methods`, `seed` and the progress `bar`, which it advances by one for each
            batch. Leaves `model.keras` and `history.csv` of each method in `<method>/seed-<seed>`,
            and TensorBoard's events.
    """

    name: str
    runs: Callable[[Any], tuple[tuple[str, ...], ...]]
    needs_labels: Callable[[Any], bool]
    count_epochs: Callable[[Any], int]
    announce: Callable[[Any, int], Iterable[str]]
    train: Callable[..., dict[str, TrainingResult]]
