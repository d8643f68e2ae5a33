"""The AUC-adapted VAE's weights: a rule that follows an AUROC, at work in a training."""

from pathlib import Path
from typing import Any

import keras

from awl_vae.callbacks.latents import is_empty
from awl_vae.callbacks.logs import Logs
from awl_vae.callbacks.rules import Rule, ShunsEmpty, Step
from awl_vae.callbacks.snapshot import read_snapshot, restore, write_snapshot


class LossWeightScheduler(keras.callbacks.Callback):
    """Trains each epoch with the weights that a rule says.

    Needs the rule's monitor in the logs and adds `pattern`, from 1, the one that the epoch was
    trained with, or None where the weights are no pattern. Where `WatchLatents` has found the model
    empty, a rule that shuns that is told.

    Args:
        rule: says the weights.
        monitor: the name of what it follows, among the logs.
        best_path: the `.npz` file of the model that the rule may come back to.
    """

    def __init__(self, rule: Rule, *, monitor: str, best_path: Path):
        super().__init__()
        self.rule = rule
        self.monitor = monitor
        self.best_path = best_path

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.rule_state, self.step = self.rule.begin()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        # Here and not at the end of the epoch, whose model is still to be saved and looked at.
        if self.step.goes_back:
            restore(self.model, read_snapshot(self.best_path)[1])
        if self.step.weights is not None:
            self.model.set_term_weights(self.step.weights)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        pattern = self.step.pattern
        logs["pattern"] = None if pattern is None else pattern + 1
        after_epoch = self.rule.after_epoch
        if isinstance(self.rule, ShunsEmpty) and is_empty(logs):
            after_epoch = self.rule.after_empty_epoch
        self.rule_state, self.step = after_epoch(self.rule_state, logs[self.monitor])
        if self.step.is_best:
            write_snapshot(self.best_path, self.model)

    def get_state(self) -> dict[str, Any]:
        weights = self.step.weights
        step = vars(self.step) | {"weights": None if weights is None else dict(weights)}
        return {"rule": self.rule_state, "step": step}

    def set_state(self, state: dict[str, Any]) -> None:
        self.rule_state, self.step = state["rule"], Step(**state["step"])
