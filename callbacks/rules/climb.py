"""Our own rule: up and down a ladder of patterns, by windows, with a margin and a way back."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from awl_vae.callbacks.arithmetic import plain_mean
from awl_vae.callbacks.rules.rule import RuleSettings, State, Step

WARM_UP = 2
"""Windows before the first change: the AUC of a new model dips and rises whatever its weights."""

STANDARD_ERRORS = 2.0
"""The margin between better and worse."""

WINDOWS = 20
"""Windows of a training, unless they were shorter than two epochs: long enough for what a change
of weights does to show, on small data sets, too."""

PATIENCE = 2
"""Windows in a row that are worse, before training goes back."""


KEPT = 0.8
"""How much of an exponential average of the AUC stays with an epoch: about five count."""


class ClimbRule:
    """Goes along a ladder of patterns unless the AUC clearly falls.

    After each window of epochs the mean AUC of the window is compared with that of the best window
    so far. The margin is two standard errors of the difference of such means, by how much the AUC
    jumps from epoch to epoch.

    - Better by more than the margin: this is the best window, and its model is kept. One rung on.
    - Not clearly better or worse: one rung on, but not where both directions were worse.
    - Worse by more than the margin: the rung stays; and where the next window is worse too, back to
      the kept model, and from its rung in the other direction, which at an end of the ladder is the
      rung itself. Where both directions were worse, training goes on from the kept model at its
      rung; and where that is worse too, it is the training and not the weights: that window counts
      as the best from then on.

    A window whose last model is empty, so that every image has the same reconstruction, is clearly
    worse than one whose model is not, whatever the AUC; and two such are alike.

    At the end of the ladder the rung stays.

    Args:
        patterns: the rungs; it begins with the first.
        window: epochs of a window, at least 2.
        kept: how much of the exponential average that steers stays with an epoch; with 0 the AUCs
            themselves do. Then windows are compared by what the average is at their ends.

    Raises:
        ValueError: If `window` is less than 2 or there is no pattern.
    """

    def __init__(self, patterns: Sequence[Mapping[str, float]], *, window: int, kept: float = 0.0):
        if window < 2:
            raise ValueError(f"Expected a window of at least 2 epochs. Received: window={window}.")
        if not patterns:
            raise ValueError(f"Expected at least one pattern. Received: patterns={patterns!r}.")
        self.patterns = tuple(patterns)
        self.window = window
        self.kept = kept

    @classmethod
    def of(cls, settings: RuleSettings, *, kept: float = 0.0) -> "ClimbRule":
        """The rule for a training."""
        return cls(settings.patterns, window=max(2, settings.epochs // WINDOWS), kept=kept)

    def begin(self) -> tuple[State, Step]:
        """The first rung."""
        state = {"aucs": [], "pattern": 0, "direction": 1, "worse": 0, "failed": 0, "best": None}
        if self.kept:
            state |= {"begin": 0, "average": None}
        return state, self._step(state)

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The same rung until the window is full, and then what the class says.

        Raises:
            ValueError: If the AUC is no finite number.
        """
        return self._after(state, auc, is_empty=False)

    def after_empty_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The same where every image had the same reconstruction."""
        return self._after(state, auc, is_empty=True)

    def _after(self, state: State, auc: float, *, is_empty: bool) -> tuple[State, Step]:
        if not math.isfinite(auc):
            raise ValueError(f"Expected a finite AUC. Received: {auc}.")
        state = state | {"aucs": [*state["aucs"], auc]}
        count = len(state["aucs"])
        if count % self.window or count < WARM_UP * self.window:
            return state, self._step(state)
        now = {"auc": self._level(state), "pattern": state["pattern"]}
        now |= {"is_empty": is_empty, "epoch": count}
        if state["best"] is None:
            return self._takes(state, now)
        change, margin = _change(state["best"], now), self._margin(state)
        if change > margin:
            return self._takes(state, now)
        if change >= -margin:
            if state["failed"] < 2:
                state |= {"pattern": self._on(state["pattern"], state["direction"])}
            state |= {"worse": 0}
            return state, self._step(state)
        if state["worse"] + 1 < PATIENCE:
            state |= {"worse": state["worse"] + 1}
            return state, self._step(state)
        return self._goes_back(state, now)

    def _takes(self, state: State, now: dict[str, Any]) -> tuple[State, Step]:
        """This window is the best so far."""
        pattern = self._on(now["pattern"], state["direction"])
        state |= {"best": now, "pattern": pattern, "worse": 0, "failed": 0}
        return state, self._step(state, is_best=True)

    def _goes_back(self, state: State, now: dict[str, Any]) -> tuple[State, Step]:
        best = state["best"]
        if state["failed"] == 2 and (best.get("is_empty", False) or not now["is_empty"]):
            state |= {"best": now, "worse": 0, "failed": 0}
            return state, self._step(state, is_best=True)
        pattern, direction = best["pattern"], -state["direction"]
        if state["failed"] == 0:
            pattern = self._on(pattern, direction)
        state |= {"pattern": pattern, "direction": direction, "worse": 0}
        state |= {"failed": min(state["failed"] + 1, 2)}
        if self.kept:  # The average goes on from the kept model's, too.
            state |= {"begin": len(state["aucs"]), "average": best["auc"]}
        return state, self._step(state, goes_back=True)

    def _level(self, state: State) -> float:
        """The AUC of the window that ends here: its mean, or the average at its end."""
        if not self.kept:
            return plain_mean(state["aucs"][-self.window :])
        average = state["average"]
        for auc in state["aucs"][state["begin"] :]:
            average = auc if average is None else self.kept * average + (1.0 - self.kept) * auc
        return average

    def _margin(self, state: State) -> float:
        """By the mean squared jump: without a trend twice the variance σ² of an epoch.

        The difference of two means of w epochs has the variance 2 σ² / w. That of an average that
        keeps a, and the same d epochs later, has 2 σ² (1 − a) / (1 + a) · (1 − aᵈ).
        """
        pairs = pairwise(state["aucs"])
        variance = plain_mean([(after - before) ** 2 for before, after in pairs])
        if not self.kept:
            return STANDARD_ERRORS * math.sqrt(variance / self.window)
        share = (1.0 - self.kept) / (1.0 + self.kept)
        apart = len(state["aucs"]) - max(state["begin"], state["best"]["epoch"])
        return STANDARD_ERRORS * math.sqrt(variance * share * (1.0 - self.kept**apart))

    def _on(self, pattern: int, direction: int) -> int:
        return min(max(pattern + direction, 0), len(self.patterns) - 1)

    def _step(self, state: State, **others: bool) -> Step:
        return Step(self.patterns[state["pattern"]], state["pattern"], **others)


def _change(best: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """By how much a window is better than the best."""
    was_empty = best.get("is_empty", False)  # not in checkpoints of 0.1.0
    if was_empty != now["is_empty"]:
        return math.inf if was_empty else -math.inf
    return 0.0 if was_empty else now["auc"] - best["auc"]
