"""Rules that say which weights an epoch is trained with: one a file, one row each in `RULES`."""

from collections.abc import Callable
from dataclasses import dataclass

from awl_vae.callbacks.rules.annealing import AnnealingRule
from awl_vae.callbacks.rules.climb import KEPT, ClimbRule
from awl_vae.callbacks.rules.free import FreeRule
from awl_vae.callbacks.rules.paper import PaperRule, should_switch
from awl_vae.callbacks.rules.rule import Rule, RuleSettings, ShunsEmpty, State, Step

__all__ = [
    "RULES",
    "AnnealingRule",
    "ClimbRule",
    "FreeRule",
    "PaperRule",
    "Rule",
    "RuleRow",
    "RuleSettings",
    "ShunsEmpty",
    "State",
    "Step",
    "should_switch",
]


@dataclass(frozen=True)
class RuleRow:
    """A rule that `--rule` takes.

    Attributes:
        about: what it does, for `--help`.
        build: returns the rule for a training.
        reads: the settings that it reads of those that only some rules do; --patterns is not among
            them where its weights are its own.
    """

    about: str
    build: Callable[[RuleSettings], Rule]
    reads: tuple[str, ...] = ("patterns", "f_update")


RULES = {
    "paper": RuleRow("the next pattern where it has not improved", PaperRule.of),
    "margin": RuleRow(
        "the next pattern where it has fallen by more than the error of the means",
        lambda settings: PaperRule.of(settings, has_margin=True),
    ),
    "climb": RuleRow(
        "along the patterns, and back where it clearly falls", ClimbRule.of, reads=("patterns",)
    ),
    "climb_averaged": RuleRow(
        "the same, by an exponential average of it",
        lambda settings: ClimbRule.of(settings, kept=KEPT),
        reads=("patterns",),
    ),
    "monotonic": RuleRow(
        "a KL weight that rises by the epoch, once, whatever the AUC",
        lambda settings: AnnealingRule.of(settings, cycles=1),
        reads=(),
    ),
    "cyclical": RuleRow(
        "the same in four cycles",
        lambda settings: AnnealingRule.of(settings, cycles=4),
        reads=(),
    ),
}
"""The rules by the names that `--rule` takes."""
