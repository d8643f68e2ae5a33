"""Weights that are learnt with the model (Kendall, Gal and Cipolla, CVPR 2018)."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from awl_vae.models.balancing.balancing import Balancing, bounded


@keras.saving.register_keras_serializable(package="awl_vae")
class UncertaintyWeights(Balancing):
    """Each term is a task with an uncertainty σ of its own, which is trained.

    Eq. (7): a loss becomes ‖y − f‖² / 2σ² + log σ, of which L, half the squared error, is a part as
    M_VAE has it; here with one log σ for each number that L is a sum over, pixels or latents, since
    theirs are of one output and ours are sums. With s = log σ² that is exp(−s) L + n s / 2, so that
    a term weighs exp(−s), which tends to n / 2 L. The term log_variance is no task: it is the log σ
    of each pixel. Where these are learnt, s only shifts them, and the KL divergence is the one task
    whose weight says anything.

    Args:
        **kwargs: see `Balancing`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.counts = {self.reconstruction[0]: self.size, "kl": self.latent_dim}
        self.log_variances = {
            name: self.variable(f"log_variance_{name}", 0.0, trainable=True) for name in self.counts
        }

    def call(self, terms: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """See `Balancing`."""
        weights = dict.fromkeys(terms, ops.ones(()))
        weights |= {name: bounded(ops.exp(-s)) for name, s in self.log_variances.items()}
        penalty = sum(0.5 * n * self.log_variances[name] for name, n in self.counts.items())
        return self.weigh(terms, weights) + penalty, weights
