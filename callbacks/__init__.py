"""Keras callbacks: the adaptation of the weights, and what a run needs around it."""

from callbacks.auc import AdaptAUC
from callbacks.auc_adapted import PatternSwitcher
from callbacks.best_model import BestModel
from callbacks.branch_event_writer import BranchEventWriter
from callbacks.epoch_order import EpochOrder
from callbacks.event_writer import EventWriter
from callbacks.falling_weight import falling_weight, first_rise, is_rising
from callbacks.finite import NonFiniteError, StopOnNonFinite
from callbacks.history_writer import HistoryWriter
from callbacks.loss_adapted import LossAdaptedSearch
from callbacks.progress import Progress, ProgressBar
from callbacks.resume import Resume
from callbacks.rules import AnnealingRule, ClimbRule, PaperRule, Rule, Step, should_switch
from callbacks.search_plan import (
    CONVENTIONAL,
    NONE,
    Row,
    SearchPlan,
    blamed,
    is_out,
    of_branch,
)
from callbacks.snapshot import save_model

__all__ = [
    "CONVENTIONAL",
    "NONE",
    "AdaptAUC",
    "AnnealingRule",
    "BestModel",
    "BranchEventWriter",
    "ClimbRule",
    "EpochOrder",
    "EventWriter",
    "HistoryWriter",
    "LossAdaptedSearch",
    "NonFiniteError",
    "PaperRule",
    "PatternSwitcher",
    "Progress",
    "ProgressBar",
    "Resume",
    "Row",
    "Rule",
    "SearchPlan",
    "Step",
    "StopOnNonFinite",
    "blamed",
    "falling_weight",
    "first_rise",
    "is_out",
    "is_rising",
    "of_branch",
    "save_model",
    "should_switch",
]
