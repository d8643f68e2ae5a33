"""Models of what normal features have in common, side by side behind one interface.

What such a model explains, light, colour, place, is no defect; what it leaves is compared with what
it leaves of normal images.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from awl_vae.losses.patterns import with_weights
from awl_vae.models import VAE
from awl_vae.models.projection import low_rank, principal_components

MAX_IMAGES = 1000
"""Components are fitted on no more images..."""

MAX_BYTES = 1 << 29
"""... and on no more bytes of features, which are in memory at a time."""

BATCH_SIZE = 16
"""Images whose features are read at a time."""

Read = Callable[[np.ndarray], np.ndarray]
"""Indices (B,) of images to their features (B, h, w, C) float32."""

Shape = tuple[int, int, int]


class Explaining(Protocol):
    """A kind of model, with all that is chosen of it."""

    def fit(
        self, read: Read, indices: np.ndarray, num_groups: int, shape: Shape, seed: int
    ) -> keras.Model:
        """The model of some images.

        Args:
            read: gives standardized features.
            indices: (N,) of the images, or tiles of images.
            num_groups: how many of these are of different images.
            shape: (h, w, C) of the features.
            seed: of what is chosen by chance.

        Returns:
            Model from features (N, h, w, C) to what it makes of them, of that shape.
        """
        ...


@dataclass(frozen=True)
class LowRank:
    """The mean, and the first principal components: PCA.

    Attributes:
        rank: how many, a quarter of the images at most; 0 for the mean alone.
    """

    rank: int

    def fit(
        self, read: Read, indices: np.ndarray, num_groups: int, shape: Shape, seed: int
    ) -> keras.Model:
        """See `Explaining`."""
        size = int(np.prod(shape))
        count = max(min(len(indices), MAX_IMAGES, MAX_BYTES // (4 * size)), 1)
        chosen = indices[np.linspace(0, len(indices) - 1, count).astype(int)]
        x = np.empty((count, size), np.float32)
        for places in batches(np.arange(count)):
            x[places] = read(chosen[places]).reshape(len(places), -1)
        mean = x.mean(axis=0)
        x -= mean
        rank = min(self.rank, num_groups // 4, count // 4)
        return low_rank(shape, mean, principal_components(x, rank))


@dataclass(frozen=True)
class Trained:
    """The VAE, trained by gradients with a falling step size.

    Attributes:
        latent_dim: number of latent variables.
        steps: of training.
        batch_size: images of a step.
        learning_rate: Adam's first step size, which falls to 0 as a cosine does.
        kl_weight: weight of the KL divergence; that of the other terms is 1.
        kind: the class of the model.
    """

    latent_dim: int = 64
    steps: int = 300
    batch_size: int = 16
    learning_rate: float = 1e-3
    kl_weight: float = 1.0
    kind: type[VAE] = VAE

    def fit(
        self, read: Read, indices: np.ndarray, num_groups: int, shape: Shape, seed: int
    ) -> keras.Model:
        """See `Explaining`."""
        model = self.network(shape, seed)
        self.train(model, read, indices, seed)
        return model

    def network(self, shape: Shape, seed: int) -> VAE:
        """The VAE as training begins."""
        keras.utils.set_random_seed(seed)  # of what the layers begin with
        model = self.kind(
            shape,
            latent_dim=self.latent_dim,
            likelihood="gaussian",
            variance="optimal",
            input_kind="features",
            seed=seed,
        )
        model.set_term_weights(with_weights("gaussian", kl=self.kl_weight))
        return model

    def train(
        self,
        model: VAE,
        read: Read,
        indices: np.ndarray,
        seed: int,
        *,
        epochs: int = 1,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        """Trains it on random batches of some images, all steps in so many epochs."""
        schedule = keras.optimizers.schedules.CosineDecay(self.learning_rate, self.steps)
        model.compile(optimizer=keras.optimizers.Adam(schedule))

        def draw() -> Iterator[np.ndarray]:
            random = np.random.default_rng(seed)
            size = min(self.batch_size, len(indices))
            while True:
                yield read(random.choice(indices, size, replace=False))

        signature = tf.TensorSpec((None, *model.shape), tf.float32)
        drawn = tf.data.Dataset.from_generator(draw, output_signature=signature).prefetch(2)
        model.fit(
            drawn,
            epochs=epochs,
            steps_per_epoch=self.steps // epochs,
            callbacks=[*callbacks],
            shuffle=False,
            verbose=0,
        )


def batches(indices: np.ndarray, most: int = BATCH_SIZE) -> Sequence[np.ndarray]:
    """The indices, so many at a time."""
    return [indices[start : start + most] for start in range(0, len(indices), most)]
