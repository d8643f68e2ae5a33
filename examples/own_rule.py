"""A rule of your own: it says, after each epoch, which weights the next one is trained with.

    python examples/own_rule.py

A rule has no memory of its own: state and AUC in, state and weights out. The state is kept in the
checkpoint, so that a training that is killed goes on with the same bits.
"""

from awl_vae import train
from awl_vae.callbacks.rules import RULES, RuleRow, RuleSettings, State, Step


class Halving:
    """The weight of the KL divergence is halved after each epoch whose AUC is no record."""

    def __init__(self, settings: RuleSettings):
        self.weights = dict(settings.patterns[0])
        self.floor = settings.floor

    def begin(self) -> tuple[State, Step]:
        """All weights as the first pattern has them."""
        return {"kl": self.weights["kl"], "record": 0.0}, Step(self.weights)

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The same weights after a record, half the KL weight else."""
        kl = state["kl"] if auc > state["record"] else max(state["kl"] / 2, self.floor)
        state = {"kl": kl, "record": max(auc, state["record"])}
        return state, Step(self.weights | {"kl": kl})


RULES["halving"] = RuleRow("half the KL weight where the AUC is no record", Halving)

train(
    dataset="bellows",
    run_dir="runs/own_rule",
    rule="halving",
    methods="auc_adapted",
    epochs=8,
    num_train=200,
    image_size=32,
)
