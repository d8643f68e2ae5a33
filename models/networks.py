"""The convolutional encoder and decoder of images; `models/shapes.py` says how deep they are."""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers, ops

from awl_vae.models.shapes import feature_maps

CHANNELS_LAST = {"data_format": "channels_last"}
"""Whatever a user's Keras is set to."""


@keras.saving.register_keras_serializable(package="awl_vae")
class OutputMaps(layers.Conv2DTranspose):
    """A 4×4 transposed convolution of stride 2 with "same" padding, fast for few maps.

    On a CPU Keras' own takes as long for one map as for 16, see `transposed_convolution`.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(N, h, w, C) to (N, 2 h, 2 w, M)."""
        return transposed_convolution(inputs, tf.convert_to_tensor(self.kernel)) + self.bias


@tf.custom_gradient
def transposed_convolution(
    x: tf.Tensor, kernel: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """A transposed convolution of stride 2, as a plain one.

    Outputs 2i − 1 and 2i of a line come from the same two inputs, i − 1 and i, so a plain 2×2
    convolution gives the four pixels of each 2×2 block as its channels, and takes half the time
    (sub-pixel convolution, Shi et al., 2016). Its gradients would take longer than Keras', so they
    are Keras': a convolution of stride 2.

    Args:
        x: tensor (N, h, w, C).
        kernel: tensor (4, 4, M, C).

    Returns:
        Tensor (N, 2 h, 2 w, M).
    """
    num_maps, channels = kernel.shape[2:]
    # (4, 4, M, C), place 2 (1 − i) + p of a line: input i of the two gives output p of the two.
    small = ops.flip(ops.reshape(kernel, (2, 2, 2, 2, num_maps, channels)), axis=(0, 2))
    small = ops.reshape(ops.transpose(small, (0, 2, 5, 1, 3, 4)), (2, 2, channels, 4 * num_maps))
    blocks = tf.nn.conv2d(x, small, 1, padding=[[0, 0], [1, 1], [1, 1], [0, 0]])

    def gradients(y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x_gradient = tf.nn.conv2d(y, kernel, 2, "SAME")
        kernel_gradient = tf.raw_ops.Conv2DBackpropFilter(
            input=y,
            filter_sizes=kernel.shape,
            out_backprop=x,
            strides=[1, 2, 2, 1],
            padding="SAME",
        )
        return x_gradient, kernel_gradient

    return tf.nn.depth_to_space(blocks, 2)[:, 1:-1, 1:-1], gradients


def build_encoder(
    shape: tuple[int, int, int], *, latent_dim: int, dtype: str | keras.DTypePolicy
) -> keras.Model:
    """The encoder q(z given x).

    Args:
        shape: (H, W, C) of an image, height and width divisible by 16.
        latent_dim: number of latent variables Z.
        dtype: Keras dtype policy of the hidden layers; the output layer is float32.

    Returns:
        Model from images (N, H, W, C) to (N, 2·Z): μ_z, then log σ_z².
    """
    hidden = [
        layers.Conv2D(
            filters, 4, strides=2, padding="same", activation="relu", dtype=dtype, **CHANNELS_LAST
        )
        for _, _, filters in feature_maps(shape[:2])
    ]
    return keras.Sequential(
        [
            keras.Input(shape, dtype="float32"),
            *hidden,
            layers.Flatten(dtype=dtype, **CHANNELS_LAST),
            layers.Dense(2 * latent_dim, dtype="float32"),
        ],
        name="encoder",
    )


def build_decoder(
    shape: tuple[int, int, int], *, latent_dim: int, num_maps: int, dtype: str | keras.DTypePolicy
) -> keras.Model:
    """The decoder p(x' given z).

    Args:
        shape: (H, W, C) of an image, height and width divisible by 16.
        latent_dim: number of latent variables Z.
        num_maps: number of output maps M: C for logits, 2·C for means and log-variances.
        dtype: Keras dtype policy of the hidden layers; the output layer is float32.

    Returns:
        Model from latents (N, Z) to unbounded output maps (N, H, W, M).
    """
    *larger, smallest = feature_maps(shape[:2])
    upsampling = [
        layers.Conv2DTranspose(
            filters, 4, strides=2, padding="same", activation="relu", dtype=dtype, **CHANNELS_LAST
        )
        for _, _, filters in reversed(larger)
    ]
    return keras.Sequential(
        [
            keras.Input((latent_dim,), dtype="float32"),
            layers.Dense(smallest[0] * smallest[1] * smallest[2], activation="relu", dtype=dtype),
            layers.Reshape(smallest, dtype=dtype),
            *upsampling,
            OutputMaps(num_maps, 4, strides=2, padding="same", dtype="float32", **CHANNELS_LAST),
        ],
        name="decoder",
    )
