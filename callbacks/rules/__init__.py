"""Rules that say which weights an epoch is trained with, one a file."""

from awl_vae.callbacks.rules.annealing import AnnealingRule
from awl_vae.callbacks.rules.climb import ClimbRule
from awl_vae.callbacks.rules.paper import PaperRule, should_switch
from awl_vae.callbacks.rules.rule import Rule, State, Step

__all__ = [
    "AnnealingRule",
    "ClimbRule",
    "PaperRule",
    "Rule",
    "State",
    "Step",
    "should_switch",
]
