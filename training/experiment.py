"""What an experiment is: which methods it trains, in which runs, and how; a row of `EXPERIMENTS`.

What trains is imported when a row is loaded, so that the names and the settings cost no TensorFlow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awl_vae.callbacks.signals import Wording
from awl_vae.training.config import AUCAdaptedConfig, Config, LossAdaptedConfig

CHECKPOINT = "checkpoint"
"""Directory of what a run goes on from, as long as it is not finished."""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        epoch: the epoch of the model in `model.keras`, or the one where something was not finite.
        failed: the name of what was not finite, or None.
        is_empty: whether that model reconstructs every image alike.
        notes: more for the method's entry in `summary.json`.
    """

    epoch: int
    failed: str | None = None
    is_empty: bool = False
    notes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """What `run_experiment` runs; its functions take the experiment's own class of settings.

    Attributes:
        runs: returns for each run of a seed the methods that it trains. A run is what goes on after
            a cut.
        needs_labels: returns whether labelled images steer it; otherwise it runs without any.
        count_epochs: returns how many epochs a run trains at most.
        announce: gives the lines to tell the user beforehand, by the configuration and the number
            of steps of an epoch.
        train: trains the methods of a run, from where an earlier process was cut off, and returns
            how each ended. Called with the images of the run directory, and by keyword `methods`,
            `seed`, the progress `bar`, which it advances by one for each batch, and the `engine`,
            on which it may run parts of it as tasks. Leaves `model.keras` and `history.csv` of each
            method in `<method>/seed-<seed>`, and TensorBoard's events.
    """

    runs: Callable[[Any], tuple[tuple[str, ...], ...]]
    needs_labels: Callable[[Any], bool]
    count_epochs: Callable[[Any], int]
    announce: Callable[[Any, int], Iterable[str]]
    train: Callable[..., dict[str, TrainingResult]]


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment by its settings and its tables, and what runs it.

    Attributes:
        config: the class of its settings.
        seeds: by profile, the seeds where nothing is said.
        load: imports and returns what runs it.
        first_table: the number of the paper's first table of its kind; each measure has one.
        wording: how its tables are explained; None where that is the signal's.
        ignores: returns the settings that have no effect in it with a configuration.
    """

    config: type[Config]
    seeds: Mapping[str, tuple[int, ...]]
    load: Callable[[], Experiment]
    first_table: int
    wording: Wording | None = None
    ignores: Callable[[Config], Iterable[str]] = lambda config: ()


def _auc_adapted() -> Experiment:
    from awl_vae.training.auc_adapted import AUC_ADAPTED

    return AUC_ADAPTED


def _loss_adapted() -> Experiment:
    from awl_vae.training.loss_adapted import LOSS_ADAPTED

    return LOSS_ADAPTED


def _baselines() -> Experiment:
    from awl_vae.training.baselines import BASELINES

    return BASELINES


def _ignored_by_baselines(config: Config) -> Iterable[str]:
    yield from ("likelihood", "variance", "batch_size", "learning_rate", "dtype_policy")
    yield "distribute"
    if config.input == "features":  # each method has its own
        yield from ("latent_dim", "score")


EXPERIMENTS = {
    "auc_adapted": ExperimentRow(
        AUCAdaptedConfig,
        {"quick": (1,), "paper": (1, 10, 20, 50, 100)},
        _auc_adapted,
        first_table=6,
    ),
    "loss_adapted": ExperimentRow(
        LossAdaptedConfig,
        {"quick": (1,), "paper": (1, 10, 20)},
        _loss_adapted,
        first_table=9,
        wording=Wording(
            epoch="at the last epoch",
            steered="They steered no training, but chose the threshold: sensitivity and "
            "specificity are optimistic.",
            threshold="the threshold of the adapt images",
        ),
    ),
    "baselines": ExperimentRow(
        Config,
        {"quick": (1,), "paper": (1,)},
        _baselines,
        first_table=6,
        wording=Wording(
            epoch="without any epoch",
            steered="They chose the threshold: sensitivity and specificity are optimistic.",
            threshold="the threshold of the adapt images",
        ),
        ignores=_ignored_by_baselines,
    ),
}
"""The experiments by their names, those of their commands with an underscore."""
