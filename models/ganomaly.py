"""GANomaly (Akcay et al., ACCV 2018): a GAN that encodes what it has reconstructed once more."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from awl_vae.models.networks import CHANNELS_LAST
from awl_vae.models.shapes import feature_maps

WEIGHTS = {"adversarial": 1.0, "contextual": 50.0, "encoder": 1.0}
"""Of the losses of the generator, as in the paper."""

LEARNING_RATE, BETA_1 = 2e-4, 0.5
"""Of Adam. The paper says 2·10⁻³; the code of its authors, and DCGAN, have 2·10⁻⁴."""


@keras.saving.register_keras_serializable(package="awl_vae")
class GANomaly(keras.Model):
    """Encoder, decoder and a second encoder, trained against a discriminator.

    The generator makes x' of an image x by z = E(x), x' = D(z), and the second encoder ẑ of x'. Its
    loss is the sum of three, with `WEIGHTS`: ‖f(x) − f(x')‖² in the features f of the discriminator
    (Eq. 1), |x − x'| (Eq. 2) and ‖z − ẑ‖² (Eq. 3), each a mean. An image is as anomalous as
    A(x) = |z − ẑ| (Eq. 5), which has no map. Each side has an optimizer of its own; that of
    `compile` is not used.

    Paper: DCGAN's networks. Here: their layers (batch norm, leaky ReLU), as deep as our VAE.

    Args:
        shape: (H, W, C) of an image in [0, 1], height and width divisible by 16.
        latent_dim: number of latent variables.
    """

    def __init__(self, shape: Sequence[int], *, latent_dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        height, width, channels = shape
        self.shape, self.latent_dim = (height, width, channels), latent_dim
        self.encoder = _encoder(self.shape, latent_dim)
        self.decoder = _decoder(self.shape, latent_dim)
        self.second_encoder = _encoder(self.shape, latent_dim)
        self.features = _features(self.shape)
        self.classifier = layers.Dense(1)
        self.classifier.build(self.features.output_shape)
        self.generator_optimizer = _adam(self.generator_variables)
        self.discriminator_optimizer = _adam(self.discriminator_variables)
        self.built = True

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """Those of encoder, decoder and second encoder."""
        parts = (self.encoder, self.decoder, self.second_encoder)
        return [variable for part in parts for variable in part.trainable_variables]

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """Those of the discriminator."""
        return [*self.features.trainable_variables, *self.classifier.trainable_variables]

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructions of images, (N, H, W, C) float32 in [0, 1]."""
        return self.decoder(self.encoder(x, training=training), training=training)

    def score(self, x: tf.Tensor) -> tf.Tensor:
        """A(x), (N,)."""
        z = self.encoder(x, training=False)
        again = self.second_encoder(self.decoder(z, training=False), training=False)
        return ops.mean(ops.abs(z - again), axis=-1)

    def train_step(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step of the generator, and one of the discriminator, on a batch."""
        with tf.GradientTape() as tape, tf.GradientTape() as of_discriminator:
            z = self.encoder(x, training=True)
            x_hat = self.decoder(z, training=True)
            again = self.second_encoder(x_hat, training=True)
            real, fake = (self.features(each, training=True) for each in (x, x_hat))
            losses = {
                "adversarial": ops.mean(ops.square(real - fake)),
                "contextual": ops.mean(ops.abs(x - x_hat)),
                "encoder": ops.mean(ops.square(z - again)),
            }
            loss = sum(WEIGHTS[name] * value for name, value in losses.items())
            logits = [self.classifier(each) for each in (real, fake)]
            discriminator = sum(
                ops.mean(
                    ops.binary_crossentropy(ops.full_like(each, target), each, from_logits=True)
                )
                for each, target in zip(logits, (1.0, 0.0), strict=True)
            )
        steps = (
            (self.generator_optimizer, tape, loss, self.generator_variables),
            (
                *(self.discriminator_optimizer, of_discriminator),
                *(discriminator, self.discriminator_variables),
            ),
        )
        for optimizer, its_tape, its_loss, variables in steps:
            optimizer.apply(its_tape.gradient(its_loss, variables), variables)
        return losses | {"loss": loss, "discriminator": discriminator}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {"shape": self.shape, "latent_dim": self.latent_dim}


def _adam(variables: Sequence[keras.Variable]) -> keras.Optimizer:
    optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=BETA_1)
    optimizer.build(variables)
    return optimizer


def _convolutions(shape: tuple[int, int, int]) -> list[layers.Layer]:
    hidden: list[layers.Layer] = [keras.Input(shape)]
    for place, (_, _, filters) in enumerate(feature_maps(shape[:2])):
        hidden.append(layers.Conv2D(filters, 4, strides=2, padding="same", **CHANNELS_LAST))
        if place:
            hidden.append(layers.BatchNormalization())
        hidden.append(layers.LeakyReLU(0.2))
    return hidden


def _encoder(shape: tuple[int, int, int], latent_dim: int) -> keras.Model:
    return keras.Sequential([*_convolutions(shape), layers.Flatten(), layers.Dense(latent_dim)])


def _features(shape: tuple[int, int, int]) -> keras.Model:
    return keras.Sequential([*_convolutions(shape), layers.Flatten()])


def _decoder(shape: tuple[int, int, int], latent_dim: int) -> keras.Model:
    *larger, smallest = feature_maps(shape[:2])
    hidden: list[layers.Layer] = []
    for _, _, filters in reversed(larger):
        hidden += [
            layers.Conv2DTranspose(filters, 4, strides=2, padding="same", **CHANNELS_LAST),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(smallest[0] * smallest[1] * smallest[2]),
            layers.Reshape(smallest),
            layers.BatchNormalization(),
            layers.ReLU(),
            *hidden,
            layers.Conv2DTranspose(
                shape[-1], 4, strides=2, padding="same", activation="sigmoid", **CHANNELS_LAST
            ),
        ]
    )
