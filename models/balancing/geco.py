"""GECO: a constraint on the reconstruction (Rezende and Viola, Taming VAEs, 2018)."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from awl_vae.models.balancing.balancing import Balancing, bounded

AVERAGED = 0.99
"""α of Algorithm 1: how much of the moving average stays with a batch."""

RATE = 0.1
"""How fast the multiplier follows: e-fold in a batch by ten nats a pixel.

Algorithm 1: λ ← λ · exp(∝ C), with a constant that it leaves open, and a C whose size is the
likelihood's. Here it is a mean over pixels, so that one constant does for images of any size. A
tenth of a nat that is missing for a hundred batches makes λ e times as large.
"""


@keras.saving.register_keras_serializable(package="awl_vae")
class GECO(Balancing):
    """Minimizes the KL divergence while the reconstruction is as good as a tolerance.

    Algorithm 1: the constraint is C = reconstruction − tolerance ≤ 0, the loss KL + λ C, and after
    each batch λ ← λ · exp(RATE · C̄), C̄ the moving average of C, here over pixels. So λ, the weight
    of the terms of the reconstruction, rises as long as they are too large, and falls below. The
    loss leaves out λ · tolerance, which trains nothing.

    Args:
        tolerance: what the reconstruction may be, the mean of an image's negative log-likelihood
            in nats.
        **kwargs: see `Balancing`.
    """

    def __init__(self, *, tolerance: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_points = {"tolerance": tolerance}
        self.tolerance = self.variable("tolerance", tolerance)
        self.multiplier = self.variable("multiplier", 1.0)
        self.average = self.variable("average", 0.0)
        self.is_begun = self.variable("is_begun", 0.0)

    def call(self, terms: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """See `Balancing`."""
        weights = {name: ops.copy(self.multiplier) for name in self.reconstruction}
        weights |= {"kl": ops.ones(())}
        loss = self.weigh(terms, weights)
        error = ops.stop_gradient(sum(terms[name] for name in self.reconstruction))
        constraint = error - self.tolerance
        kept = AVERAGED * self.is_begun  # The first batch is the whole average.
        self.average.assign(kept * self.average + (1.0 - kept) * constraint)
        self.is_begun.assign(1.0)
        per_value = self.average / self.size
        self.multiplier.assign(bounded(self.multiplier * ops.exp(RATE * per_value)))
        return loss, weights

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | dict(self.set_points)
