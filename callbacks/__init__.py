"""Keras callbacks: the adaptation of the weights, and what a run needs around it."""

from callbacks.auc import AdaptAUC
from callbacks.auc_adapted import PatternSwitcher, should_switch
from callbacks.best_model import BestModel
from callbacks.epoch_order import EpochOrder
from callbacks.event_writer import EventWriter
from callbacks.finite import NonFiniteError, StopOnNonFinite
from callbacks.history_writer import HistoryWriter
from callbacks.progress import Progress, ProgressBar
from callbacks.resume import Resume

__all__ = [
    "AdaptAUC",
    "BestModel",
    "EpochOrder",
    "EventWriter",
    "HistoryWriter",
    "NonFiniteError",
    "PatternSwitcher",
    "Progress",
    "ProgressBar",
    "Resume",
    "StopOnNonFinite",
    "should_switch",
]
