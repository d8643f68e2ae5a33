"""The paper's rule: the next pattern where the AUC has not improved (Sect. 3.3.1, Figs. 4 to 6)."""

import math
from collections.abc import Mapping, Sequence

from awl_vae.callbacks.arithmetic import plain_mean
from awl_vae.callbacks.rules.rule import RuleSettings, State, Step


def should_switch(aucs: Sequence[float], f_update: int, *, has_margin: bool = False) -> bool:
    """Whether the next epoch uses the next pattern.

    Looks every F_update epochs, from epoch 2·F_update on. AUC_after is the mean over the last
    F_update epochs, AUC_before over the F_update epochs before them.

    Paper: switches "if the AUC has not improved". Here: if AUC_after ≤ AUC_before, so a tie
    switches too.

    Args:
        aucs: the AUROC after each epoch so far, in [0, 1], from epoch 1 on.
        f_update: F_update, at least 1.
        has_margin: whether AUC_after has to be lower than AUC_before by more than the error of the
            two means. Not in the paper. Means of one epoch have none.

    Returns:
        True to go on to the next pattern.
    """
    epoch = len(aucs)
    if epoch < 2 * f_update or epoch % f_update:
        return False
    before, after = aucs[epoch - 2 * f_update : epoch - f_update], aucs[epoch - f_update :]
    if has_margin:
        margin = math.hypot(_error(before), _error(after))
        return plain_mean(before) - plain_mean(after) > margin
    return not plain_mean(after) > plain_mean(before)


def _error(aucs: Sequence[float]) -> float:
    """The bootstrap error of a mean: the deviation over all ways to draw as many of them again."""
    mean = plain_mean(aucs)
    return math.sqrt(plain_mean([(auc - mean) ** 2 for auc in aucs]) / len(aucs))


class PaperRule:
    """Trains with the patterns in turn: I, II, …, the last, and I again.

    The conventional VAE is the same rule with `f_update` of at least the number of epochs: it can
    never switch.

    Args:
        patterns: the weights of the loss terms in each pattern.
        f_update: F_update in epochs, at least 1.
        has_margin: see `should_switch`.

    Raises:
        ValueError: If `f_update` is less than 1 or there is no pattern.
    """

    def __init__(
        self, patterns: Sequence[Mapping[str, float]], *, f_update: int, has_margin: bool = False
    ):
        if f_update < 1:
            raise ValueError(f"Expected f_update of at least 1. Received: f_update={f_update}.")
        if not patterns:
            raise ValueError(f"Expected at least one pattern. Received: patterns={patterns!r}.")
        self.patterns = tuple(patterns)
        self.f_update = f_update
        self.has_margin = has_margin

    @classmethod
    def of(cls, settings: RuleSettings, *, has_margin: bool = False) -> "PaperRule":
        """The rule for a training."""
        return cls(settings.patterns, f_update=settings.f_update, has_margin=has_margin)

    def begin(self) -> tuple[State, Step]:
        """Pattern I."""
        return {"pattern": 0, "aucs": []}, self._step(0)

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The same pattern, or the next one where `should_switch`."""
        pattern, aucs = state["pattern"], [*state["aucs"], auc]
        if should_switch(aucs, self.f_update, has_margin=self.has_margin):
            pattern = (pattern + 1) % len(self.patterns)
        return {"pattern": pattern, "aucs": aucs}, self._step(pattern)

    def _step(self, pattern: int) -> Step:
        return Step(self.patterns[pattern], pattern)
