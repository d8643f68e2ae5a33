"""What a rule is: it says, after each epoch, which weights the next one is trained with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

State = dict[str, Any]
"""What a rule remembers, of what JSON can hold."""


@dataclass(frozen=True)
class Step:
    """What a rule says of the next epoch.

    Attributes:
        weights: by loss term; None leaves them to the model.
        pattern: the number of these weights among the patterns, from 0; None where they are none.
        is_best: the model as it is now is one to come back to; it takes the place of the last one,
            so not right after `goes_back`: a training that is cut off there needs the last one.
        goes_back: the next epoch starts from the last such model.
    """

    weights: Mapping[str, float] | None
    pattern: int | None = None
    is_best: bool = False
    goes_back: bool = False


@dataclass(frozen=True)
class RuleSettings:
    """What a rule may need to know of the training that it steers.

    Attributes:
        patterns: the weights of the loss terms in each pattern, at least one.
        epochs: number of epochs of the training.
        f_update: F_update in epochs, at least 1.
        floor: the weight of a term that is switched off.
    """

    patterns: Sequence[Mapping[str, float]]
    epochs: int
    f_update: int
    floor: float


class Rule(Protocol):
    """A rule without memory of its own: state and AUROC in, state and weights out."""

    def begin(self) -> tuple[State, Step]:
        """The state before the first epoch, and what that one is trained with."""

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The state after an epoch with this AUROC, and what the next is trained with."""


@runtime_checkable
class ShunsEmpty(Protocol):
    """A rule to which an empty model is worse than its AUROC says."""

    def after_empty_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """In the place of `after_epoch` where every image had the same reconstruction."""
