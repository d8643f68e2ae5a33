"""Keras callbacks: the adaptation of the weights, and what a run needs around it."""

from awl_vae.callbacks.auc import AdaptAUC
from awl_vae.callbacks.loss_weight_scheduler import PatternSwitcher
from awl_vae.callbacks.best_model import BestModel
from awl_vae.callbacks.branch_event_writer import BranchEventWriter
from awl_vae.callbacks.epoch_order import EpochOrder
from awl_vae.callbacks.event_writer import EventWriter
from awl_vae.callbacks.search.falling_weight import falling_weight, first_rise, is_rising
from awl_vae.callbacks.finite import NonFiniteError, StopOnNonFinite
from awl_vae.callbacks.history_writer import HistoryWriter
from awl_vae.callbacks.loss_adapted import LossAdaptedSearch
from awl_vae.callbacks.progress import Progress, ProgressBar
from awl_vae.callbacks.resume import Resume
from awl_vae.callbacks.rules import AnnealingRule, ClimbRule, PaperRule, Rule, Step, should_switch
from awl_vae.callbacks.search.plan import (
    CONVENTIONAL,
    NONE,
    Row,
    SearchPlan,
    blamed,
    is_out,
    of_branch,
)
from awl_vae.callbacks.snapshot import save_model

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
