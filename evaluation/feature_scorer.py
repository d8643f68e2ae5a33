"""Scoring images by what a model leaves of their features."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from awl_vae.evaluation.scores import FEATURE_SCORES, mean_of_largest
from awl_vae.evaluation.whitening import SAMPLE, Moments, coreset, half_precision

TOP_FRACTION = 0.02
"""Share of the positions, those with the largest values, that the score of an image averages."""

NUM_BLOCKS = 4

POSITIONS = 16 * 28 * 28
"""Positions of maps whose distances to all of a coreset are in memory at a time."""

LEAST_DISTANCE = 0.1
"""No vector is nearer to another: float32 has no digits left for it, and its noise is about 1."""

Batches = Callable[[], Iterable[tf.Tensor]]

PARTS = ("extractor", "standardization", "model")
"""What a scorer is made of, each a Keras layer or model."""


@keras.saving.register_keras_serializable(package="awl_vae")
class FeatureScorer(keras.Model):
    """Images to anomaly scores and anomaly maps, by what a model leaves of their features.

    It is a Keras model, so that it is saved with all that it needs: the frozen network, the model,
    and what is normal. All numbers of the latter are those of float16, in which they are saved.

    Args:
        extractor: the model from images (N, H, W, 3) in [0, 1] to features (N, h, w, C).
        model: the model from standardized features to reconstructions of that shape.
        score: a key of `FEATURE_SCORES`.
        standardization: the layer that standardizes features; None where they stay as they are.
        whitens: whether residuals are made white before they are compared.
        coarse: whether vectors, each the mean of 3 × 3, are compared with the coreset as the means
            of 4 × 4 at every second place: a quarter of the distances, interpolated to all places.
        has_plain: whether the features themselves have a part, by the distance p to the nearest
            normal ones, beside the residuals, by that distance d and by their own length m: scores
            are of (d² p)^⅓, the mean of 3 × 3 places each, maps (p² m)^⅓. A large defect leaves
            residuals in all of an image, where the features are normal; and few images tell the
            residuals' covariance little.
        coreset_size: M, how many vectors stand for the normal ones.

    Attributes:
        channels: of the images, "rgb".
        batch_size: of what is scored at a time, so that memory stays small.
        has_roi: whether they have a region of interest: none does.
        image_size: (height, width) of the images.
        mean: of the residuals of normal images (h, w, C).
        blocks: Wᵀ, upper triangles by position, in `NUM_BLOCKS` blocks of columns (h, w, rows,
            columns) without most of the zeros.
        coreset: vectors that stand for those of normal images (M, C), where the score has them.
        plain: with `has_plain`, the same of features, (M, C).
    """

    channels, has_roi = "rgb", False

    def __init__(
        self,
        extractor: keras.Model,
        model: keras.Model,
        score: str,
        *,
        standardization: keras.layers.Layer | None = None,
        whitens: bool = True,
        coarse: bool = False,
        has_plain: bool = False,
        coreset_size: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs | {"dtype": "float32"})
        self.extractor, self.standardization, self.model = extractor, standardization, model
        self.score, self.whitens, self.coreset_size = score, whitens, coreset_size
        self.coarse, self.has_plain = coarse, has_plain
        height, width = extractor.input_shape[1:3]
        self.image_size = height, width
        self.map_shape = h, w, channels = extractor.output_shape[1:]
        self.batch_size = max(1, POSITIONS // (h * w))
        self.blocks = []
        if whitens:
            self.mean = self._add("mean", (h, w, channels))
            self.blocks = [
                self._add(f"block_{first}", (h, w, last, last - first))
                for first, last in self._columns
            ]
        if FEATURE_SCORES[score].has_coreset:
            self.coreset = self._add("coreset", (coreset_size, channels))
        if has_plain:
            self.plain = self._add("plain", (coreset_size, channels))
        self.built = True

    @property
    def _columns(self) -> list[tuple[int, int]]:
        """The first column of each block, and the one after its last."""
        edges = [self.map_shape[-1] * place // NUM_BLOCKS for place in range(NUM_BLOCKS + 1)]
        return list(itertools.pairwise(edges))

    def _add(self, name: str, shape: Sequence[int]) -> keras.Variable:
        return self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)

    @cached_property
    def score_and_map(self) -> Callable[..., Any]:
        """`call`, traced."""
        return self._traced(self.call, (*self.image_size, 3))

    @cached_property
    def score_and_map_of_features(self) -> Callable[..., Any]:
        """`of_features`, traced."""
        return self._traced(self.of_features, self.map_shape)

    @cached_property
    def residuals(self) -> Callable[..., Any]:
        """Features (N, h, w, C) to what the model leaves of them, traced."""

        def residual(x: tf.Tensor) -> tf.Tensor:
            standardized = self.standardized(x)
            return standardized - self.model(standardized)

        return self._traced(residual, self.map_shape)

    def _traced(self, function: Callable[..., Any], shape: Sequence[int]) -> Callable[..., Any]:
        signature = tf.TensorSpec((None, *shape), tf.float32)
        return tf.function(function, autograph=False).get_concrete_function(signature)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images (N, H, W, 3) in [0, 1] to scores (N,) and anomaly maps (N, H, W)."""
        return self.of_features(self.extractor(x))

    def of_features(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Features (N, h, w, C) to scores (N,) and anomaly maps (N, H, W)."""
        standardized = self.standardized(x)
        vectors = self._vectors(standardized - self.model(standardized))
        if FEATURE_SCORES[self.score].has_coreset:
            distances = self._distance(self._smoothed(vectors), self.coreset)
        else:
            distances = ops.norm(vectors, axis=-1)
        maps = distances
        if self.has_plain:
            plain = self._distance(self._smoothed(x), self.plain)
            maps = ops.power(plain * plain * ops.norm(vectors, axis=-1), 1.0 / 3.0)
            distances = ops.power(distances * distances * plain, 1.0 / 3.0)[..., None]
            distances = ops.average_pool(distances, 3, 1, "same", data_format="channels_last")
            distances = distances[..., 0]
        return mean_of_largest(distances, TOP_FRACTION), self.in_pixels(maps)

    def in_pixels(self, maps: tf.Tensor) -> tf.Tensor:
        """Maps (N, h, w) of features as maps (N, H, W) of the images, interpolated."""
        return _resized(maps, self.image_size)

    def standardized(self, x: tf.Tensor) -> tf.Tensor:
        """Features as the model takes them."""
        return x if self.standardization is None else self.standardization(x)

    def _vectors(self, residuals: tf.Tensor) -> tf.Tensor:
        """W (r − μ) at each position, (N, h, w, C), whose squared length is Mahalanobis' distance.

        It is M_VAE of Eq. (7) with a full matrix at each position, learnt once it is trained, in
        the place of the decoder's variances.
        """
        if not self.whitens:
            return residuals
        height, width, channels = self.map_shape
        r = ops.reshape(residuals - self.mean, (-1, height * width, channels))
        r = ops.transpose(r, (1, 0, 2))  # (N, P, C) -> (P, N, C)
        parts = [
            ops.matmul(r[..., : block.shape[-2]], ops.reshape(block, (-1, *block.shape[2:])))
            for block in self.blocks
        ]
        y = ops.transpose(ops.concatenate(parts, axis=-1), (1, 0, 2))  # (P, N, C) -> (N, P, C)
        return ops.reshape(y, (-1, height, width, channels))

    def _smoothed(self, vectors: tf.Tensor) -> tf.Tensor:
        """Vectors (N, h, w, C) as they are compared, where `coarse` (N, h / 2, w / 2, C).

        Those beyond the border are 0, which makes little of what the border itself does.
        """
        for size, stride in ((3, 1), (4, 2)) if self.coarse else ((3, 1),):
            padded = ops.pad(vectors, ((0, 0), (1, 1), (1, 1), (0, 0)))
            vectors = ops.average_pool(padded, size, stride, "valid", data_format="channels_last")
        return vectors

    def _distance(self, vectors: tf.Tensor, normal: keras.Variable) -> tf.Tensor:
        """Smoothed vectors to distances (N, h, w) to the nearest of some normal ones (M, C)."""
        height, width, channels = vectors.shape[1:]
        x = ops.reshape(vectors, (-1, channels))
        known = ops.convert_to_tensor(normal)
        # |x − c|² = |x|² + |c|² − 2 x · c. With weights of float16, |c|² is the sum of two.
        squares = ops.sum(known**2, axis=1, keepdims=True)
        high = ops.cast(ops.cast(squares, "float16"), "float32")
        known = ops.concatenate([-2.0 * known, high, squares - high], axis=1)
        ones = ops.ones_like(x[:, :2])
        nearest = ops.min(ops.concatenate([x, ones], axis=1) @ ops.transpose(known), axis=1)
        squares = ops.maximum(ops.sum(x**2, axis=1) + nearest, LEAST_DISTANCE**2)
        distances = ops.reshape(ops.sqrt(squares), (-1, height, width))
        return _resized(distances, self.map_shape[:2])

    def learn(self, features: Batches, residuals: Batches, count: int, seed: int) -> None:
        """Learns what is normal from the residuals of images that the model was not fitted on.

        Args:
            features: gives the features of images, in batches (B, h, w, C), each time.
            residuals: the same of their residuals.
            count: how many images these are.
            seed: of the choice of vectors.
        """
        if self.whitens:
            moments = Moments(self.map_shape)
            for batch in residuals():
                moments.add(batch)
            mean, factor = moments.whitening()
            self.mean.assign(half_precision(mean))
            for block, (first, last) in zip(self.blocks, self._columns, strict=True):
                columns = factor[..., first:last, :last].swapaxes(-1, -2)
                block.assign(half_precision(columns))
        if FEATURE_SCORES[self.score].has_coreset:
            self._choose(self.coreset, map(self._vectors, residuals()), count, seed)
        if self.has_plain:
            self._choose(self.plain, map(tf.constant, features()), count, seed)

    def _choose(
        self, chosen: keras.Variable, vectors: Iterable[tf.Tensor], count: int, seed: int
    ) -> None:
        """Chooses some vectors, of so many images, that stand for all.

        Where there are fewer, they stand there several times.
        """
        found = coreset(self._sample(vectors, count, seed), self.coreset_size, seed)
        chosen.assign(half_precision(np.resize(found, chosen.shape)))

    def _sample(self, batches: Iterable[tf.Tensor], count: int, seed: int) -> np.ndarray:
        """Smoothed vectors (N, C) at random positions of each image, or of some where many."""
        random = np.random.default_rng(seed)
        chosen = np.ones(count, bool)
        if count > SAMPLE:
            chosen[random.permutation(count)[SAMPLE:]] = False
        vectors, images = [], iter(chosen)
        for batch in batches:
            smoothed = self._smoothed(batch).numpy()
            for image in smoothed.reshape(len(smoothed), -1, smoothed.shape[-1]):
                if next(images):
                    of_each = min(-(-SAMPLE // count), len(image))
                    vectors.append(image[random.choice(len(image), of_each, replace=False)])
        return np.concatenate(vectors)

    def save_own_variables(self, store: dict[str, np.ndarray]) -> None:
        """Saves what is normal in float16, whose numbers it has."""
        for index, variable in enumerate(self._learnt):
            store[str(index)] = variable.numpy().astype(np.float16)

    def load_own_variables(self, store: dict[str, np.ndarray]) -> None:
        """The way back."""
        for index, variable in enumerate(self._learnt):
            variable.assign(store[str(index)])

    @property
    def _learnt(self) -> list[keras.Variable]:
        whitening = [self.mean, *self.blocks] if self.whitens else []
        others = [getattr(self, name) for name in ("coreset", "plain") if hasattr(self, name)]
        return [*whitening, *others]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in PARTS},
            "score": self.score,
            "whitens": self.whitens,
            "coarse": self.coarse,
            "has_plain": self.has_plain,
            "coreset_size": self.coreset_size,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The scorer of a configuration, its networks rebuilt."""
        parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in PARTS}
        return cls(**config | parts)


def _resized(maps: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Maps (N, h, w) bilinearly interpolated to another size."""
    if maps.shape[1:] == size:
        return maps
    return ops.image.resize(maps[..., None], size, "bilinear", data_format="channels_last")[..., 0]
