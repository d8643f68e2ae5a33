"""Large images in overlapping tiles, each scored by itself."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Self

import keras
import tensorflow as tf
from keras import ops

from awl_vae.evaluation.feature_scorer import FeatureScorer

OVERLAP = 32
"""Pixels that neighbouring tiles share, at the size of the network."""


def whole_size(tile_size: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of an image in a grid (rows, columns) of overlapping tiles."""
    height, width = (
        number * side - (number - 1) * OVERLAP for number, side in zip(grid, tile_size, strict=True)
    )
    return height, width


@keras.saving.register_keras_serializable(package="awl_vae")
class TiledScorer(keras.Model):
    """Large images to scores and anomaly maps, in tiles that share `OVERLAP` pixels.

    The score of an image is the largest of its tiles', its map has at each pixel the largest of the
    tiles that see it. All tiles are scored in the same way, wherever they are.

    Args:
        scorer: scores a tile.
        grid: (rows, columns) of tiles.

    Attributes:
        image_size: (height, width) of the whole image.
        channels, has_roi, score: as of `FeatureScorer`.
        batch_size: of what is scored at a time, so that memory stays small.
    """

    channels, has_roi = "rgb", False

    def __init__(self, scorer: FeatureScorer, grid: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs | {"dtype": "float32"})
        rows, columns = grid
        self.scorer, self.grid, self.score = scorer, (rows, columns), scorer.score
        self.image_size = whole_size(scorer.image_size, self.grid)
        self.batch_size = max(1, scorer.batch_size // (rows * columns))
        self.built = True

    @cached_property
    def score_and_map(self) -> Callable[..., Any]:
        """`call`, traced."""
        signature = tf.TensorSpec((None, *self.image_size, 3), tf.float32)
        return tf.function(self.call, autograph=False).get_concrete_function(signature)

    @cached_property
    def score_and_map_of_features(self) -> Callable[..., Any]:
        """The same of the features (N, tiles, h, w, C) of tiles, traced."""
        signature = tf.TensorSpec((None, len(self.corners), *self.scorer.map_shape), tf.float32)
        return tf.function(self.of_features, autograph=False).get_concrete_function(signature)

    @property
    def corners(self) -> list[tuple[int, int]]:
        """(top, left) of each tile, row by row."""
        return corners(self.scorer.image_size, self.grid)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images (N, H, W, 3) in [0, 1] to scores (N,) and anomaly maps (N, H, W)."""
        height, width = self.scorer.image_size
        tiles = [x[:, top : top + height, left : left + width] for top, left in self.corners]
        of_tiles = ops.reshape(ops.stack(tiles, axis=1), (-1, height, width, 3))
        return self._joined(*self.scorer.call(of_tiles))

    def of_features(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Features (N, tiles, h, w, C) to scores (N,) and anomaly maps (N, H, W)."""
        of_tiles = ops.reshape(x, (-1, *self.scorer.map_shape))
        return self._joined(*self.scorer.of_features(of_tiles))

    def _joined(self, scores: tf.Tensor, maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores and maps of tiles, image after image, to those of images."""
        num_tiles = len(self.corners)
        height, width = self.scorer.image_size
        maps = ops.reshape(maps, (-1, num_tiles, height, width))
        whole = None
        for place, (top, left) in enumerate(self.corners):
            bottom, right = self.image_size[0] - top - height, self.image_size[1] - left - width
            padded = ops.pad(maps[:, place], ((0, 0), (top, bottom), (left, right)))
            whole = padded if whole is None else ops.maximum(whole, padded)
        return ops.max(ops.reshape(scores, (-1, num_tiles)), axis=1), whole

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "scorer": keras.saving.serialize_keras_object(self.scorer),
            "grid": self.grid,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The scorer of a configuration, that of its tiles rebuilt."""
        return cls(**config | {"scorer": keras.saving.deserialize_keras_object(config["scorer"])})


def corners(tile_size: tuple[int, int], grid: tuple[int, int]) -> list[tuple[int, int]]:
    """(top, left) of each tile of a grid (rows, columns), row by row."""
    (height, width), (rows, columns) = tile_size, grid
    return [
        (row * (height - OVERLAP), column * (width - OVERLAP))
        for row in range(rows)
        for column in range(columns)
    ]
