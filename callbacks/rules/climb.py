"""Our own rule: up and down a ladder of patterns, by windows, with a margin and a way back."""

import math
from collections.abc import Mapping, Sequence

from callbacks.arithmetic import plain_mean, plain_sum
from callbacks.rules.rule import State, Step


class ClimbRule:
    """Goes along a ladder of patterns for as long as the AUC follows.

    After each window of epochs the mean AUC of the window is compared with that of the best window
    so far. The margin is the standard error of their difference, by the scatter of the epochs in
    them.

    - Better by more than the margin: this is the best window, and its model is kept. One rung on.
    - Not clearly better or worse: one rung on.
    - Worse by more than the margin: back to the kept model, and from its rung in the other
      direction. Where both directions were worse, training stays at its rung; and where that is
      worse too, it is the training and not the weights: it goes on from there as if it were best.

    The first window is a warm-up: the AUC of a new model dips and rises whatever its weights.

    Args:
        patterns: the rungs; it begins with the first.
        window: epochs of a window, at least 2.

    Raises:
        ValueError: If `window` is less than 2 or there is no pattern.
    """

    def __init__(self, patterns: Sequence[Mapping[str, float]], *, window: int):
        if window < 2:
            raise ValueError(f"Expected a window of at least 2 epochs. Received: window={window}.")
        if not patterns:
            raise ValueError(f"Expected at least one pattern. Received: patterns={patterns!r}.")
        self.patterns = tuple(patterns)
        self.window = window

    def begin(self) -> tuple[State, Step]:
        """The first rung."""
        state = {"pattern": 0, "direction": 1, "failed": 0, "aucs": [], "best": None, "windows": 0}
        return state, self._step(0)

    def after_epoch(self, state: State, metric: float) -> tuple[State, Step]:
        """The same pattern until the window is full, and then what the class says."""
        state = state | {"aucs": [*state["aucs"], metric]}
        if len(state["aucs"]) < self.window:
            return state, self._step(state["pattern"])
        window, state = state["aucs"], state | {"aucs": [], "windows": state["windows"] + 1}
        if state["windows"] == 1:
            return state, self._step(state["pattern"])
        best, pattern, direction = state["best"], state["pattern"], state["direction"]
        change = math.inf if best is None else plain_mean(window) - best["mean"]
        margin = 0.0 if best is None else math.sqrt(_error(window) + best["error"])
        now = {"mean": plain_mean(window), "error": _error(window), "pattern": pattern}
        if change > margin:
            pattern = self._on(pattern, direction)
            state |= {"best": now, "pattern": pattern, "failed": 0}
            return state, self._step(pattern, is_best=True)
        if change >= -margin:
            pattern = self._on(pattern, direction)
            return state | {"pattern": pattern}, self._step(pattern)
        if state["failed"] == 2:
            return state | {"best": now, "failed": 0}, self._step(pattern, is_best=True)
        failed = state["failed"] + 1
        pattern = self._on(best["pattern"], -direction) if failed == 1 else best["pattern"]
        state |= {"pattern": pattern, "direction": -direction, "failed": failed}
        return state, self._step(pattern, goes_back=True)

    def _on(self, pattern, direction):
        return min(max(pattern + direction, 0), len(self.patterns) - 1)

    def _step(self, pattern, **others):
        return Step(self.patterns[pattern], pattern, **others)


def _error(window):
    """Variance of a window's mean, by the scatter of its epochs."""
    mean = plain_mean(window)
    scatter = plain_sum([(auc - mean) ** 2 for auc in window])
    return scatter / (len(window) - 1) / len(window)
