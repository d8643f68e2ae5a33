"""TensorBoard events of a search: each branch is a run of its own."""

from collections.abc import Mapping
from pathlib import Path

import keras

from awl_vae.callbacks.event_writer import Images, TensorBoardRun
from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.loss_adapted import LossAdaptedSearch
from awl_vae.system import as_file_name


def branch_dir(log_dir: Path, stage: int, branch: str) -> Path:
    """The directory of a branch's events."""
    return log_dir / f"stage-{stage}" / as_file_name(branch)


class BranchEventWriter(keras.callbacks.Callback):
    """Writes each branch of a search as a run of its own, over the logical epochs.

    The branches of a stage lie on top of each other: `stage-2/kl` beside `stage-2/none`. The images
    are those of a branch's last epoch.

    Args:
        log_dir: directory of the branches' directories.
        search: the search, whose step tells stage, branch and epoch.
        hyper_parameters: settings of the search, for the HParams page.
        images: what to show.
    """

    def __init__(
        self,
        log_dir: Path,
        search: LossAdaptedSearch,
        *,
        hyper_parameters: Mapping[str, object],
        images: Images,
    ):
        super().__init__()
        self.log_dir = log_dir
        self.search = search
        self.hyper_parameters = hyper_parameters
        self.images = images
        self.branch: tuple[int, str] | None = None
        self.run: TensorBoardRun | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.branch, self.run = None, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        step, plan = self.search.step, self.search.plan
        branch = (step.stage, step.branch)
        if self.run is None or branch != self.branch:
            self._close()
            self.branch = branch
            self.run = TensorBoardRun(
                branch_dir(self.log_dir, step.stage, step.branch),
                begin=step.epoch,
                terms=plan.terms,
                hyper_parameters={
                    **self.hyper_parameters,
                    "stage": step.stage,
                    "branch": step.branch,
                },
            )
        is_last = step.epoch == plan.ends[step.stage - 1]
        self.run.write(step.epoch, logs, self.images if is_last else None)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.run is not None:
            self.run.close()
