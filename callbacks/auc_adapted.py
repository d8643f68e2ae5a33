"""The AUC-adapted VAE's switching of weight patterns (Sect. 3.3.1, Figs. 4 to 6)."""

from collections.abc import Mapping, Sequence

import keras

from callbacks.arithmetic import plain_sum


def should_switch(aucs: Sequence[float], f_update: int) -> bool:
    """Whether the next epoch uses the next pattern.

    Looks every F_update epochs, from epoch 2·F_update on. AUC_after is the mean over the last
    F_update epochs, AUC_before over the F_update epochs before them.

    Paper: switches "if the AUC has not improved". Here: if AUC_after ≤ AUC_before, so a tie
    switches too.

    Args:
        aucs: the AUROC after each epoch so far, in [0, 1], from epoch 1 on.
        f_update: F_update, at least 1.

    Returns:
        True to go on to the next pattern.
    """
    epoch = len(aucs)
    if epoch < 2 * f_update or epoch % f_update:
        return False
    auc_before = _mean(aucs[epoch - 2 * f_update : epoch - f_update])
    auc_after = _mean(aucs[epoch - f_update :])
    return not auc_after > auc_before


def _mean(aucs):
    return plain_sum(aucs) / len(aucs)


class PatternSwitcher(keras.callbacks.Callback):
    """Trains with the patterns in turn: I, II, …, the last, and I again.

    The conventional VAE is the same callback with `f_update` of at least the number of epochs: it
    can never switch. Needs `adapt_auc` in the logs and adds `pattern`, from 1, the one that the
    epoch was trained with.

    Args:
        patterns: the weights of the loss terms in each pattern.
        f_update: F_update in epochs, at least 1.

    Raises:
        ValueError: If `f_update` is less than 1 or there is no pattern.
    """

    def __init__(self, patterns: Sequence[Mapping[str, float]], *, f_update: int):
        super().__init__()
        if f_update < 1:
            raise ValueError(f"Expected f_update of at least 1. Received: f_update={f_update}.")
        if not patterns:
            raise ValueError(f"Expected at least one pattern. Received: patterns={patterns!r}.")
        self.patterns = tuple(patterns)
        self.f_update = f_update
        self.pattern = 0
        self.aucs = []

    def on_train_begin(self, logs=None):
        self.set_state({"pattern": 0, "aucs": []})

    def on_epoch_begin(self, epoch, logs=None):
        self.model.set_term_weights(self.patterns[self.pattern])

    def on_epoch_end(self, epoch, logs=None):
        logs["pattern"] = self.pattern + 1
        self.aucs.append(logs["adapt_auc"])
        if should_switch(self.aucs, self.f_update):
            self.pattern = (self.pattern + 1) % len(self.patterns)

    def get_state(self):
        return {"pattern": self.pattern, "aucs": self.aucs}

    def set_state(self, state):
        self.pattern, self.aucs = state["pattern"], list(state["aucs"])
