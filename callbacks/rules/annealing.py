"""KL annealing: a weight of the KL divergence that rises by the epoch, once or in cycles.

The paper's references 12 (Bowman et al., 2016: once) and 13 (Fu et al., 2019: four cycles, rising
in the first half of each). No AUC steers it.
"""

from collections.abc import Mapping

from awl_vae.callbacks.rules.rule import RuleSettings, State, Step

RISING_SHARE = 0.5
"""R of Fu et al.: the share of a cycle in which the weight rises."""


class AnnealingRule:
    """The KL weight rises linearly from `floor` in the first half of each cycle.

    Args:
        weights: the weights of all terms; that of "kl" is what it rises to.
        epochs: number of epochs of the training.
        cycles: number of cycles, M of Fu et al.; 1 is monotonic.
        floor: the weight that a cycle begins with.
    """

    def __init__(self, weights: Mapping[str, float], *, epochs: int, cycles: int, floor: float):
        self.weights = dict(weights)
        self.epochs = epochs
        self.cycles = cycles
        self.floor = floor

    @classmethod
    def of(cls, settings: RuleSettings, *, cycles: int) -> "AnnealingRule":
        """The rule for a training, up to the weights of its first pattern."""
        first = settings.patterns[0]
        return cls(first, epochs=settings.epochs, cycles=cycles, floor=settings.floor)

    def begin(self) -> tuple[State, Step]:
        """The first epoch's, which has the floor."""
        return {"epoch": 0}, self._step(0)

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The next epoch's."""
        epoch = state["epoch"] + 1
        return {"epoch": epoch}, self._step(epoch)

    def _step(self, epoch: int) -> Step:
        way = epoch * self.cycles / self.epochs % 1.0
        share = min(way / RISING_SHARE, 1.0)
        weight = self.floor + (self.weights["kl"] - self.floor) * share
        return Step(self.weights | {"kl": weight})
