"""What a balancing is: it makes one loss of a batch's terms, with weights that it changes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from awl_vae.losses import TERMS
from awl_vae.losses.patterns import DISABLED

MOST = 1e10
"""A weight is between `DISABLED` and this."""


class Balancing(keras.layers.Layer):
    """One loss of the terms of a batch, and the weights that it was made with.

    What it remembers are variables of its own, set points among them, so that they are saved with
    the model and a training that was cut off goes on with the same bits. A subclass has `call`.

    Args:
        size: how many numbers, H · W · C, it reconstructs of an image.
        latent_dim: number of its latent variables.
        likelihood: "bernoulli" or "gaussian".

    Attributes:
        reconstruction: the names of the terms that make the negative log-likelihood.
        set_points: by its name, what it was told of the images.
    """

    set_points: Mapping[str, float] = MappingProxyType({})

    def __init__(self, *, size: int, latent_dim: int, likelihood: str, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"dtype": "float32"})
        self.size = size
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        self.reconstruction = tuple(term for term in TERMS[likelihood] if term != "kl")
        self.built = True

    def call(self, terms: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The loss of a batch, and by term its weight.

        Args:
            terms: by name, the mean of an unweighted term over the batch, in nats.
        """
        raise NotImplementedError

    def weigh(
        self, terms: Mapping[str, tf.Tensor], weights: Mapping[str, tf.Tensor | float]
    ) -> tf.Tensor:
        """The weighted sum of terms."""
        return sum(weights[name] * value for name, value in terms.items())

    def variable(self, name: str, value: float, *, trainable: bool = False) -> keras.Variable:
        """A number that is remembered; it is the mean of what the devices make of it."""
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=trainable,
            aggregation="mean",
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "size": self.size,
            "latent_dim": self.latent_dim,
            "likelihood": self.likelihood,
        }


def bounded(weight: tf.Tensor) -> tf.Tensor:
    """A weight that is neither nothing nor without an end."""
    return keras.ops.clip(weight, DISABLED, MOST)
