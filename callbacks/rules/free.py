"""No rule at all: the model sets its weights itself."""

from awl_vae.callbacks.rules.rule import State, Step


class FreeRule:
    """Leaves the weights to the model, as `Balancing` sets them with every batch."""

    def begin(self) -> tuple[State, Step]:
        """The model's."""
        return {}, Step(None)

    def after_epoch(self, state: State, auc: float) -> tuple[State, Step]:
        """The model's."""
        return {}, Step(None)
