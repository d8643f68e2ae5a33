"""The loss-adapted search: branch, compare, select, in one `fit` (Sect. 3.3.2)."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from awl_vae.callbacks.arithmetic import as_written, plain_sum
from awl_vae.callbacks.epoch_order import Batches
from awl_vae.callbacks.latents import COLUMNS
from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.search.moving_weight import NONE
from awl_vae.callbacks.search.plan import CONVENTIONAL, SearchPlan, SearchStep
from awl_vae.callbacks.search.rows import EpochRow, first_nonfinite, has_diverged, of_branch
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.callbacks.snapshot import read_snapshot, restore, write_snapshot
from awl_vae.system import as_file_name, write_csv


class LossAdaptedSearch(keras.callbacks.Callback):
    """Trains what a plan says, epoch by epoch, and keeps the models that it needs again.

    A branch begins with the bits of the model that its stage starts from: weights, optimizer and
    the state of the noise; and its epochs have the order of their logical numbers. So branches
    differ in nothing but the weights of their terms.

    At most three models are kept at a time, as files, whatever the number of branches: the one that
    the stage starts from, its best so far, and the conventional VAE. A halving search keeps those
    of its paused branches besides. What a cut makes it write a second time is the same, and it
    removes nothing that the last checkpoint needs.

    Args:
        plan: what is trained, and by what it is chosen.
        batches: the training images, whose order is set to the logical epoch.
        snapshot_dir: directory of the kept models and of nothing else.
        branches_path: the CSV file of all branches.
        say: called with a line for each decision.

    Attributes:
        rows: what each epoch gave, in the order of training.
        step: the epoch that is being trained.
    """

    def __init__(
        self,
        plan: SearchPlan,
        *,
        batches: Batches,
        snapshot_dir: Path,
        branches_path: Path,
        say: Callable[[str], None],
    ):
        super().__init__()
        self.plan = plan
        self.batches = batches
        self.snapshot_dir = snapshot_dir
        self.branches_path = branches_path
        self.say = say
        self.rows: list[EpochRow] = []
        self.step: SearchStep

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.rows = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        step = self.plan.next_step(self.rows)
        assert step is not None  # With the last one the training stops.
        self.step = step
        if step.start is not None:
            self.remove_models(step)
            self.restore_model(step.start)
        self.batches.epoch = step.epoch
        self.model.set_term_weights(step.weights)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        row = self._row(logs)
        if has_diverged([row]):
            name = first_nonfinite(row, self.plan.terms)
            self.say(
                f"stage {row.stage}: {row.branch} is out, {name} was {row.to_json()[name]} "
                f"in epoch {row.epoch}"
            )
        self.take([row])

    def take(self, rows: Sequence[EpochRow]) -> None:
        """Goes on from epochs of one branch, after the last of which the model is as it is now."""
        stage = rows[-1].stage
        before = self.plan.chosen(self.rows, stage)
        self.rows += rows
        for name in self.plan.models_to_keep(self.rows):
            write_snapshot(self._path(name), self.model)
        self._write_branches()
        if before is None and stage > 1 and self.plan.only is None:
            self._say_choice(stage)
        if self.plan.next_step(self.rows) is None:
            self.model.stop_training = True

    def get_state(self) -> dict[str, Any]:
        return {"rows": [row.to_json() for row in self.rows]}

    def set_state(self, state: dict[str, Any]) -> None:
        self.rows = [EpochRow.from_json(row) for row in state["rows"]]

    def restore(self, method: str) -> None:
        """Puts the model into its state at E3; `method` is "conventional" or "loss_adapted"."""
        self.restore_model("conventional" if method == CONVENTIONAL else "chosen-3")

    def restore_model(self, name: str) -> None:
        """Puts the model into the state of a kept one."""
        restore(self.model, read_snapshot(self._path(name))[1])

    def remove_models(self, step: SearchStep) -> None:
        """Removes the kept models that neither `step`, the next one, nor a later one needs."""
        needed = self.plan.models_needed(self.rows, step)
        for path in self.snapshot_dir.iterdir():
            if path.stem not in map(as_file_name, needed):
                path.unlink()

    def _path(self, name: str) -> Path:
        return self.snapshot_dir / f"{as_file_name(name)}.npz"

    def _row(self, logs: Logs) -> EpochRow:
        terms = {term: as_written(logs[term]) for term in self.plan.terms}
        is_finite = all(np.isfinite(v).all() for v in self.model.trainable_variables)
        return EpochRow(
            self.step.stage,
            self.step.branch,
            self.step.epoch,
            loss=as_written(logs["loss"]),
            # A model that the epoch's last step has broken has no finite loss any more.
            loss_unweighted=plain_sum(terms.values()) if is_finite else math.nan,
            terms=terms,
            weights=self.step.weights,
            adapt_auc=logs.get("adapt_auc"),
            synthetic_auc=logs.get(SIGNALS["synthetic"].auc),
            latents={name: logs[name] for name in COLUMNS if name in logs},
        )

    def _write_branches(self) -> None:
        weights = [f"weight_{term}" for term in self.plan.terms]
        columns = ["stage", "branch", "epoch", "loss_unweighted", *self.plan.terms, *weights]
        columns += ["adapt_auc"]
        columns += ["synthetic_auc"] if self.plan.selection_loss == "synthetic_auc" else []
        columns += ["selected"]
        chosen = {stage: self.plan.chosen(self.rows, stage) for stage in (1, 2, 3)}
        rows = [
            {"selected": int(chosen[stage] == branch)} | row.to_json()
            for stage in (1, 2, 3)
            for branch in self.plan.branches
            for row in of_branch(self.rows, stage=stage, branch=branch)
        ]
        write_csv(
            self.branches_path, columns, ({name: row.get(name) for name in columns} for row in rows)
        )

    def _say_choice(self, stage: int) -> None:
        chosen = self.plan.chosen(self.rows, stage)
        if chosen is None:
            return
        last, none = (
            of_branch(self.rows, stage=stage, branch=branch)[-1] for branch in (chosen, NONE)
        )
        self.say(
            f"stage {stage}: {chosen} is chosen, {self._in_words(last)} "
            f"(none: {self._in_words(none)})"
        )

    def _in_words(self, row: EpochRow) -> str:
        """What of a row branches are compared by."""
        loss = self.plan.loss(row)
        if self.plan.selection_loss == "synthetic_auc":
            return f"AUC of synthetic defects {-loss:.4f}"
        return f"loss {loss:.2f}"
