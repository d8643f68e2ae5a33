"""ControlVAE: a PI controller holds the KL divergence (Shao et al., ICML 2020)."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from awl_vae.losses.patterns import DISABLED
from awl_vae.models.balancing.balancing import Balancing

PROPORTIONAL, INTEGRAL = 0.01, 0.0001
"""K_p and K_i, as in the paper's experiments."""

BETA_MIN, BETA_MAX = DISABLED, 1.0
"""β_min and β_max. Paper: 0 and 1 where it is to reconstruct well. Here: never exactly 0."""


@keras.saving.register_keras_serializable(package="awl_vae")
class ControlVAE(Balancing):
    """The KL weight is what a PI controller sets, so that the KL divergence becomes a set point.

    Algorithm 1, with e = target − KL of the batch: β = K_p / (1 + exp(e)) + I + β_min, between
    β_min and β_max, after I ← I − K_i · e. Against windup the paper leaves I alone where the last β
    was out of its bounds, which it cannot be any more once it is brought back. Here: where the new
    I would take β out of them.

    Args:
        target: the set point, nats of an image.
        **kwargs: see `Balancing`.
    """

    def __init__(self, *, target: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_points = {"kl_target": target}
        self.target = self.variable("target", target)
        self.integral = self.variable("integral", 0.0)

    def call(self, terms: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """See `Balancing`."""
        error = self.target - ops.stop_gradient(terms["kl"])
        # sigmoid(−e) is 1 / (1 + exp(e)), and does not overflow.
        others = PROPORTIONAL * ops.sigmoid(-error) + BETA_MIN
        moved = self.integral - INTEGRAL * error
        is_free = ops.logical_and(others + moved >= BETA_MIN, others + moved <= BETA_MAX)
        self.integral.assign(ops.where(is_free, moved, self.integral))
        weights = dict.fromkeys(self.reconstruction, ops.ones(()))
        weights |= {"kl": ops.clip(others + self.integral, BETA_MIN, BETA_MAX)}
        return self.weigh(terms, weights), weights

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {"target": self.set_points["kl_target"]}
