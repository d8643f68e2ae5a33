"""Rules that say which weights an epoch is trained with, one a file."""

from callbacks.rules.annealing import AnnealingRule
from callbacks.rules.climb import ClimbRule
from callbacks.rules.paper import PaperRule, should_switch
from callbacks.rules.rule import Rule, State, Step

__all__ = [
    "AnnealingRule",
    "ClimbRule",
    "PaperRule",
    "Rule",
    "State",
    "Step",
    "should_switch",
]
