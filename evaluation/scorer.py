"""Scoring images by a model."""

from collections.abc import Iterable, Iterator

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from evaluation.scores import GRAY_LEVEL, SCORES


@keras.saving.register_keras_serializable(package="awl_vae")
class Scorer(keras.Model):
    """Images to anomaly scores and anomaly maps, through what a model makes of them.

    It is a Keras model, so that it is saved with the model in it and the scale that it has learnt.
    Network and score are one traced function, which costs what the network costs; `predict` adds
    some 60 ms a call.

    Args:
        model: the Keras model, from images (N, H, W, 1) in [0, 1] to reconstructions of that shape.
        score: a key of `SCORES`.
        image_size: (height, width) of the images.
    """

    def __init__(self, model, score, image_size, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.score = score
        self.image_size = tuple(image_size)
        self.scale = self.add_weight(
            name="scale", shape=self.image_size, initializer="ones", trainable=False
        )
        self.built = True
        images = tf.TensorSpec((None, *self.image_size, 1), tf.float32)
        self.traced = tf.function(self.call, input_signature=[images])
        self.reconstruct = tf.function(self.model, input_signature=[images])
        self._residual = tf.function(
            lambda x: ops.square(x - self.model(x))[..., 0], input_signature=[images]
        )

    def call(self, x):
        """Images (N, H, W, 1) float32 in [0, 1] to scores (N,) and anomaly maps (N, H, W)."""
        score = SCORES[self.score]
        maps = score.map(x, self.model(x), self.scale)
        return score.reduce(maps), maps

    def scores(self, batches: Iterable) -> np.ndarray:
        """Scores (N,) float32 of the images in batches (B, H, W, 1), in their order."""
        return _joined(self.traced(batch)[0] for batch in batches)

    def maps(self, batches: Iterable) -> Iterator[np.ndarray]:
        """Anomaly maps, each (H, W) float32, of the images in batches, one after the other."""
        for batch in batches:
            yield from self.traced(batch)[1].numpy()

    def learn_scale(self, batches: Iterable) -> None:
        """Learns the scale of the residual from normal images, where the score uses it.

        The scale of a pixel is √(mean of (x − x')² over the images + one gray level²).
        """
        if SCORES[self.score].learns_scale:
            self.scale.assign(self.residual_scale(batches))

    def residual_scale(self, batches: Iterable):
        """The scale (H, W) of the residual on normal images; see `learn_scale`."""
        return _scale(*self._sum_residuals(batches))

    def scores_by_name(self, batches: Iterable, scale) -> dict[str, np.ndarray]:
        """Scores (N,) of the images in batches by each of `SCORES`, with a scale (H, W)."""
        parts = {name: [] for name in SCORES}
        for x in batches:
            x_hat = self.reconstruct(x)
            for name, score in SCORES.items():
                parts[name].append(score.reduce(score.map(x, x_hat, scale)))
        return {name: _joined(values) for name, values in parts.items()}

    def held_out(self, batches: Iterable) -> tuple[np.ndarray, np.ndarray]:
        """Scores the images that the scale is learnt from, each as if it was not among them.

        The scale of an image leaves out its own residual, so that a threshold on these scores holds
        for images that come later.

        Args:
            batches: at least one image, in batches (B, H, W, 1).

        Returns:
            Scores (N,) and the largest values (N,) of the anomaly maps.
        """
        score = SCORES[self.score]
        total, count = self._sum_residuals(batches) if score.learns_scale else (0.0, 0)

        @tf.function(input_signature=self.traced.input_signature)
        def held_out(x):
            scale = self.scale
            if score.learns_scale:
                scale = _scale(total - self._residual(x), max(count - 1, 1))
            maps = score.map(x, self.model(x), scale)
            return score.reduce(maps), ops.max(maps, axis=(1, 2))  # (N, H, W) -> (N,)

        results = [held_out(batch) for batch in batches]
        return tuple(_joined(parts) for parts in zip(*results, strict=True))

    def _sum_residuals(self, batches):
        total, count = ops.zeros(self.image_size), 0
        for batch in batches:
            total += ops.sum(self._residual(batch), axis=0)  # (N, H, W) -> (H, W)
            count += len(batch)
        return total, count

    def get_config(self):
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "model": keras.saving.serialize_keras_object(self.model),
            "score": self.score,
            "image_size": self.image_size,
        }

    @classmethod
    def from_config(cls, config):
        """The scorer of a configuration, its model rebuilt."""
        return cls(**config | {"model": keras.saving.deserialize_keras_object(config["model"])})


def _scale(total, count):
    return ops.sqrt(ops.maximum(total, 0.0) / count + GRAY_LEVEL**2)


def _joined(parts):
    return np.concatenate([np.empty(0, np.float32), *parts])
