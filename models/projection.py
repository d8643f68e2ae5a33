"""The linear model of features: what a few components explain, and nothing else."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable(package="awl_vae")
class Projection(keras.layers.Layer):
    """x' = m + Wᵀ W (x − m): a linear autoencoder, encoder and decoder being one matrix.

    Its numbers are those of float16, in which they are saved.

    Args:
        shape: (h, w, C) of an input.
        num_components: K, at least 0.

    Attributes:
        mean: m, (h · w · C,).
        components: W, (K, h · w · C), orthonormal rows.
    """

    def __init__(self, shape: Sequence[int], num_components: int, **kwargs: Any):
        super().__init__(**kwargs | {"dtype": "float32"})
        self.shape, self.num_components = tuple(shape), num_components
        size = int(np.prod(self.shape))
        self.mean = self.add_weight(name="mean", shape=(size,), initializer="zeros")
        self.components = self.add_weight(
            name="components", shape=(num_components, size), initializer="zeros"
        )
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(N, h, w, C) to (N, h, w, C)."""
        flat = ops.reshape(x, (-1, self.mean.shape[0]))
        explained = self.mean + ops.zeros_like(flat)
        if self.num_components:  # TensorFlow ends the process where a product sums over nothing.
            # In this form LiteRT keeps the matrix once.
            components = tf.convert_to_tensor(self.components)
            latents = tf.matmul(components, flat - self.mean, transpose_b=True)  # (K, N)
            products = tf.matmul(components[None], latents[None], transpose_a=True)[0]
            explained += ops.transpose(products)
        return ops.reshape(explained, (-1, *self.shape))

    def assign(self, mean: np.ndarray, components: np.ndarray) -> None:
        """Sets m (h · w · C,) and W (K, h · w · C)."""
        for variable, values in ((self.mean, mean), (self.components, components)):
            variable.assign(values.astype(np.float16).astype(np.float32))

    def save_own_variables(self, store: dict[str, np.ndarray]) -> None:
        """Saves the numbers in float16."""
        store["0"], store["1"] = (
            variable.numpy().astype(np.float16) for variable in (self.mean, self.components)
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "shape": list(self.shape),
            "num_components": self.num_components,
        }


def principal_components(x: np.ndarray, count: int) -> np.ndarray:
    """The first principal components of few long rows, by the products of the rows.

    Args:
        x: (N, D) float32, with the mean 0; N is much smaller than D.
        count: K, how many are wanted.

    Returns:
        (at most K, D) float32, orthonormal rows; fewer where the rows span less.
    """
    values, vectors = np.linalg.eigh((x @ x.T).astype(np.float64))  # eigenvalues rise
    spanned = int((values > 1e-6 * values[-1]).sum()) if len(x) else 0
    chosen = slice(len(x) - min(count, spanned), len(x))
    scaled = vectors[:, chosen] / np.sqrt(values[chosen])
    return (scaled.T[::-1].astype(np.float32)) @ x


def low_rank(shape: Sequence[int], mean: np.ndarray, components: np.ndarray) -> keras.Model:
    """A model of features (N, h, w, C) that is a `Projection` of this mean and components."""
    layer = Projection(shape, len(components))
    layer.assign(mean, components)
    return keras.Sequential([keras.Input(shape, dtype="float32"), layer])
