"""Scoring images by a model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from awl_vae.evaluation.scores import GRAY_LEVEL, SCORES, Score, mean_channel

Traced = Callable[..., Any]


@dataclass(frozen=True)
class Residuals:
    """The residuals of normal images, summed.

    Attributes:
        total: Σ (x − x')² over the images, (H, W).
        count: how many images; where they have regions of interest, by pixel, (H, W), in how many
            it is inside.
    """

    total: tf.Tensor
    count: int | tf.Tensor

    def scale(self) -> tf.Tensor:
        """√(mean of (x − x')² over the images + one gray level²), (H, W)."""
        return _scale(self.total, self.count)

    def scale_without(self, squared: tf.Tensor) -> tf.Tensor:
        """By image, the scale (B, H, W) without its residual (x − x')², (B, H, W)."""
        # Where a pixel is outside of the region left out, it does not matter.
        return _scale(self.total - squared, self.count - 1)


@keras.saving.register_keras_serializable(package="awl_vae")
class Scorer(keras.Model):
    """Images to anomaly scores and anomaly maps, through what a model makes of them.

    It is a Keras model, so that it is saved with the model in it and the scale that it has learnt.
    Network and score are one traced function, which costs what the network costs; `predict` adds
    some 60 ms a call.

    Images may have one channel more, the region of interest: 1 inside and 0 outside. What is
    outside is black to the model, its map is 0, and it has no part in a score.

    Args:
        model: the Keras model, from images (N, H, W, C) in [0, 1] to reconstructions of that shape.
        score: a key of `SCORES`.
        image_size: (height, width) of the images.
        has_roi: whether images have a region of interest.
        channels: of the images, "gray" or "rgb".

    Attributes:
        batch_size: of what is scored at a time: all.
        roi: with `has_roi`, the region (H, W) of an image of which nothing else is known.
    """

    batch_size = 1 << 16

    def __init__(
        self,
        model: keras.Model,
        score: str,
        image_size: Sequence[int],
        *,
        has_roi: bool = False,
        channels: str = "gray",
        **kwargs: Any,
    ):
        # Whatever a user's Keras is set to, and an earlier version has saved.
        super().__init__(**kwargs | {"dtype": "float32"})
        self.model = model
        self.score = score
        self.channels = channels
        height, width = image_size
        self.image_size = height, width
        self.scale = self.add_weight(
            name="scale", shape=self.image_size, initializer="ones", trainable=False
        )
        self.has_roi = has_roi
        if has_roi:
            self.roi = self.add_weight(
                name="roi", shape=self.image_size, initializer="ones", trainable=False
            )
        self.built = True

    @cached_property
    def score_and_map(self) -> Traced:
        """`call`, traced."""
        return self._traced(self.call)

    @cached_property
    def reconstruct(self) -> Traced:
        """Images (N, H, W, C), C + 1 with regions, to reconstructions (N, H, W, C), traced."""
        return self._traced(self._reconstruct)

    @cached_property
    def squared_error(self) -> Traced:
        """Images to (x − x')² of each pixel, 0 outside of a region, (N, H, W), traced."""
        return self._traced(self._squared_error)

    @cached_property
    def _scaled(self) -> Traced:
        return self._traced(self._score, tf.TensorSpec((None, *self.image_size), tf.float32))

    def _traced(self, function: Traced, *more: tf.TensorSpec) -> Traced:
        """A function of images, and maybe more, traced once for batches of any number.

        It is its one concrete function: TensorFlow takes the functions of several scorers for one
        that is traced again and again, and warns.
        """
        num_channels = (1 if self.channels == "gray" else 3) + self.has_roi
        images = tf.TensorSpec((None, *self.image_size, num_channels), tf.float32)
        return tf.function(function, autograph=False).get_concrete_function(images, *more)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images (N, H, W, C), C + 1 with regions, to scores (N,) and anomaly maps (N, H, W)."""
        return self._score(x, self.scale)

    def _score(self, x: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _by(SCORES[self.score], x, self._reconstruct(x), scale)

    def _reconstruct(self, x: tf.Tensor) -> tf.Tensor:
        """Reconstructions (N, H, W, C), black outside of a region."""
        x, roi = _split(x)
        return self.model(x) if roi is None else self.model(x) * roi

    def _squared_error(self, x: tf.Tensor) -> tf.Tensor:
        """(x − x')² of each pixel, 0 outside of a region: (N, H, W)."""
        return mean_channel(ops.square(_split(x)[0] - self._reconstruct(x)))

    def scores(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Scores (N,) float32 of the images in batches (B, H, W, C), in their order."""
        return _joined(self.score_and_map(batch)[0] for batch in batches)

    def maps(self, batches: Iterable[tf.Tensor]) -> Iterator[np.ndarray]:
        """Anomaly maps, each (H, W) float32, of the images in batches, one after the other."""
        for batch in batches:
            yield from self.score_and_map(batch)[1].numpy()

    def learn_scale(self, batches: Iterable[tf.Tensor]) -> Residuals | None:
        """Learns the scale of the residual from normal images, where the score uses it.

        Returns:
            Their residuals, or None where they do not matter.
        """
        if not SCORES[self.score].learns_scale:
            return None
        residuals = self.residuals(batches)
        self.scale.assign(residuals.scale())
        return residuals

    def residuals(self, batches: Iterable[tf.Tensor]) -> Residuals:
        """The residuals of the images in batches (B, H, W, C)."""
        total, count = ops.zeros(self.image_size, "float32"), 0
        for batch in batches:
            total += ops.sum(self.squared_error(batch), axis=0)  # (B, H, W) -> (H, W)
            count += ops.sum(batch[..., -1], axis=0) if self.has_roi else len(batch)
        return Residuals(total, count)

    def leave_one_out(
        self,
        batches: Iterable[tf.Tensor],
        originals: Iterable[tf.Tensor],
        residuals: Residuals | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores images that the scale was learnt from, or copies of them, as if it was not.

        The scale of an image leaves out the residual of its original, so that a threshold on these
        scores holds for images that come later.

        Args:
            batches: images in batches (B, H, W, C).
            originals: in batches beside them, of each image the one that the scale learnt from.
            residuals: what `learn_scale` returned.

        Returns:
            Scores (N,) and the largest values (N,) of the anomaly maps.
        """
        results = []
        for batch, scale in self._with_scales(batches, originals, residuals):
            scores, maps = (
                self.score_and_map(batch) if scale is None else self._scaled(batch, scale)
            )
            results.append((scores, ops.max(maps, axis=(1, 2))))  # (B, H, W) -> (B,)
        scores, peaks = (_joined(parts) for parts in zip(*results, strict=True))
        return scores, peaks

    def scores_by_name(
        self,
        batches: Iterable[tf.Tensor],
        residuals: Residuals,
        originals: Iterable[tf.Tensor] | None = None,
    ) -> dict[str, np.ndarray]:
        """Scores (N,) of the images in batches by each of `SCORES`; see `leave_one_out`."""
        parts: dict[str, list[tf.Tensor]] = {name: [] for name in SCORES}
        for x, scale in self._with_scales(batches, originals, residuals):
            x_hat = self.reconstruct(x)
            for name, score in SCORES.items():
                parts[name].append(_by(score, x, x_hat, scale)[0])
        return {name: _joined(values) for name, values in parts.items()}

    def _with_scales(
        self,
        batches: Iterable[tf.Tensor],
        originals: Iterable[tf.Tensor] | None,
        residuals: Residuals | None,
    ) -> Iterator[tuple[tf.Tensor, tf.Tensor | None]]:
        """(batch, scale): without the residuals of the originals, where there are some."""
        if originals is None or residuals is None:
            scale = residuals and residuals.scale()
            return ((batch, scale) for batch in batches)
        return (
            (batch, residuals.scale_without(self.squared_error(original)))
            for batch, original in zip(batches, originals, strict=True)
        )

    def with_score(self, score: str) -> "Scorer":
        """The scorer of the same model by another score, with the same scale and region."""
        other = Scorer(
            self.model, score, self.image_size, has_roi=self.has_roi, channels=self.channels
        )
        other.scale.assign(self.scale)
        if self.has_roi:
            other.roi.assign(self.roi)
        return other

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "model": keras.saving.serialize_keras_object(self.model),
            "score": self.score,
            "image_size": self.image_size,
            "has_roi": self.has_roi,
            "channels": self.channels,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The scorer of a configuration, its model rebuilt."""
        return cls(**config | {"model": keras.saving.deserialize_keras_object(config["model"])})


def _split(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Images (N, H, W, C), black outside of the regions (N, H, W, 1) that they may have."""
    if x.shape[-1] % 2:
        return x, None
    image, roi = x[..., :-1], x[..., -1:]
    return image * roi, roi


def _by(
    score: Score, x: tf.Tensor, x_hat: tf.Tensor, scale: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores (N,) and anomaly maps (N, H, W) of images and their reconstructions."""
    x, roi = _split(x)
    maps = score.map(x, x_hat, scale)
    if roi is None:
        return score.reduce(maps), maps
    inside = roi[..., 0]
    maps *= inside
    reduce = score.reduce_inside
    return score.reduce(maps) if reduce is None else reduce(maps, inside), maps


def _scale(total: tf.Tensor, count: int | tf.Tensor) -> tf.Tensor:
    # A pixel that is inside of no region has no residual either.
    count = max(count, 1) if isinstance(count, int) else ops.maximum(count, 1)
    return ops.sqrt(ops.maximum(total, 0.0) / count + GRAY_LEVEL**2)


def _joined(parts: Iterable[tf.Tensor]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.float32), *parts])
