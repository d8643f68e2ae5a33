"""The training of a search, whole or of one leg, with all that looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awl_vae.callbacks import BranchEventWriter, LossAdaptedSearch, Progress, Resume, SearchPlan
from awl_vae.callbacks.search.moving_weight import Motion, moving_branches
from awl_vae.callbacks.search.plan import SearchStep
from awl_vae.losses import BRANCHES, DISABLED, TERMS
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.images import RunImages
from awl_vae.training.trainer import Trainer, hyper_parameters


@dataclass(frozen=True)
class Where:
    """The files of a search.

    Attributes:
        events: directory of the branches' events.
        checkpoint: directory of the checkpoint and the kept models.
        branches: see `LossAdaptedSearch`.
    """

    events: Path
    checkpoint: Path
    branches: Path


class SearchTraining:
    """A model, a search, and the checkpoint that it goes on from where there is one.

    Args:
        images: the images.
        seed: see `Trainer`.
        plan: what is trained.
        where: its files.
        bar: the progress bar.
        trainer: the model and its images, where there are such already.

    Attributes:
        trainer: see above.
        search: the search.
        resume: the checkpoint.
    """

    def __init__(
        self,
        images: RunImages[LossAdaptedConfig],
        seed: int,
        plan: SearchPlan,
        where: Where,
        bar: ProgressBar,
        trainer: Trainer | None = None,
    ):
        config = images.config
        self.trainer = trainer or Trainer(config, images.data, seed)
        self.search = LossAdaptedSearch(
            plan,
            batches=self.trainer.batches,
            snapshot_dir=where.checkpoint / "models",
            branches_path=where.branches,
            say=lambda text: bar.say(f"seed {seed}, {text}"),
        )
        self.resume = Resume(where.checkpoint / "latest.npz", [self.search])
        # In this order each finds in the logs, and in the search, what it needs of those before it.
        self._callbacks = [
            *self.trainer.watch(*_watched(config)),
            BranchEventWriter(
                where.events,
                self.search,
                hyper_parameters=hyper_parameters(config, seed),
                images=self.trainer.images_to_show,
            ),
            self.search,
            self.resume,
            Progress(
                bar,
                describe=lambda _: f"seed {seed}, {_describe(plan, self.search.step)}",
                epochs_left=lambda _: plan.epochs_left(self.search.rows),
            ),
        ]

    def fit(self) -> None:
        """Trains what is left."""
        epochs = self.search.plan.epochs_left()
        self.trainer.fit(self._callbacks, self.resume, epochs=epochs)

    def begin(self) -> None:
        """Takes the checkpoint up, so that what follows it can be trained elsewhere."""
        for callback in (self.search, self.resume):
            callback.set_model(self.trainer.model)
            callback.on_train_begin()


def search_plan(config: LossAdaptedConfig) -> SearchPlan:
    """The plan of a configuration."""
    return SearchPlan(
        moving_branches(BRANCHES[config.likelihood], config.directions),
        terms=TERMS[config.likelihood],
        ends=(config.e1, config.e2, config.e3),
        motion=Motion(
            floor=DISABLED,
            rise=config.rise,
            window=config.slope_window,
            patience=config.patience,
        ),
        selection_loss=config.selection_loss,
        search=config.search,
    )


def _watched(config: LossAdaptedConfig) -> Iterator[str]:
    """The signals whose AUC is looked at: that of labels is reported on and chooses nothing."""
    yield "labels"
    if config.selection_loss == "synthetic_auc":
        yield "synthetic"


def _describe(plan: SearchPlan, step: SearchStep) -> str:
    names = list(plan.branches)
    branch = "the conventional VAE"
    if step.stage > 1 and step.branch in names:
        branch = f"branch {names.index(step.branch) + 1} of {len(names)} ({step.branch})"
    end = plan.ends[step.stage - 1]
    return f"stage {step.stage} of 3, {branch}, epoch {step.epoch} of {end}"
