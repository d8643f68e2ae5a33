"""TensorBoard events of a search: each branch is a run of its own."""

from collections.abc import Mapping
from pathlib import Path

import keras

from awl_vae.callbacks.event_writer import Images, TensorBoardRun


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

    def __init__(self, log_dir: Path, search, *, hyper_parameters: Mapping, images: Images):
        super().__init__()
        self.log_dir = log_dir
        self.search = search
        self.hyper_parameters = hyper_parameters
        self.images = images
        self.branch, self.run = None, None

    def on_train_begin(self, logs=None):
        self.branch, self.run = None, None

    def on_epoch_end(self, epoch, logs=None):
        step, plan = self.search.step, self.search.plan
        branch = (step.stage, step.branch)
        if branch != self.branch:
            self._close()
            self.branch = branch
            self.run = TensorBoardRun(
                self.log_dir / f"stage-{step.stage}" / step.branch,
                terms=plan.terms,
                hyper_parameters=self.hyper_parameters
                | {"stage": step.stage, "branch": step.branch},
            )
        is_last = step.epoch == plan.ends[step.stage - 1]
        self.run.write(step.epoch, logs, self.images if is_last else None)

    def on_train_end(self, logs=None):
        self._close()

    def _close(self):
        if self.run is not None:
            self.run.close()
