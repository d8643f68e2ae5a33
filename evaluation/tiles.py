"""Large images in overlapping tiles, each scored by itself."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf
from keras import ops

from awl_vae.evaluation.feature_scorer import FeatureScorer

OVERLAP = 32
"""Pixels that neighbouring tiles share, at the size of the network."""

LEAST_SIDE = 2 * OVERLAP
"""Of a tile that has neighbours, so that each of its pixels is in two at most."""

Scores = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Tiles, or their features, to scores and maps."""


def has_room(tile_size: tuple[int, int], grid: tuple[int, int]) -> bool:
    """Whether tiles are large enough for a grid (rows, columns) of them, which has one at least."""
    sides = zip(tile_size, grid, strict=True)
    return all(number == 1 or (number > 1 and side >= LEAST_SIDE) for side, number in sides)


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

    @property
    def corners(self) -> list[tuple[int, int]]:
        """(top, left) of each tile, row by row."""
        return corners(self.scorer.image_size, self.grid)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images (N, H, W, 3) in [0, 1] to scores (N,) and anomaly maps (N, H, W)."""
        return self._joined(*self.scorer.call(self._tiles(x)))

    def score_and_map(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The same a few tiles at a time, so that memory stays small however many there are."""
        return self._in_parts(self.scorer.score_and_map, self._tiles(x))

    def score_and_map_of_features(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The same of the features (N, tiles, h, w, C) of tiles."""
        of_tiles = ops.reshape(x, (-1, *self.scorer.map_shape))
        return self._in_parts(self.scorer.score_and_map_of_features, of_tiles)

    def _tiles(self, x: tf.Tensor) -> tf.Tensor:
        """Images (N, H, W, 3) to their tiles (N · tiles, h, w, 3), image after image."""
        height, width = self.scorer.image_size
        tiles = [x[:, top : top + height, left : left + width] for top, left in self.corners]
        return ops.reshape(ops.stack(tiles, axis=1), (-1, height, width, 3))

    def _in_parts(self, score: Scores, tiles: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        most = self.scorer.batch_size
        parts = [score(tiles[start : start + most]) for start in range(0, len(tiles), most)]
        scores, maps = (ops.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
        return self._joined(scores, maps)

    def _joined(self, scores: tf.Tensor, maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores and maps of tiles, image after image, to those of images."""
        rows, columns = self.grid
        maps = ops.reshape(maps, (-1, rows, columns, *self.scorer.image_size))
        whole = _overlaid(
            [_overlaid([maps[:, i, j] for j in range(columns)], axis=2) for i in range(rows)],
            axis=1,
        )
        return ops.max(ops.reshape(scores, (-1, rows * columns)), axis=1), whole

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


def _overlaid(maps: Sequence[tf.Tensor], axis: int) -> tf.Tensor:
    """Maps (N, h, w) one after the other along an axis; of what two share, the larger."""
    size = maps[0].shape[axis]
    before, after = 0, (len(maps) - 1) * (size - OVERLAP)
    whole = None
    for part in maps:
        padding = [(0, 0)] * 3
        padding[axis] = before, after
        padded = ops.pad(part, padding)
        whole = padded if whole is None else ops.maximum(whole, padded)
        before, after = before + size - OVERLAP, after - size + OVERLAP
    return whole


def corners(tile_size: tuple[int, int], grid: tuple[int, int]) -> list[tuple[int, int]]:
    """(top, left) of each tile of a grid (rows, columns), row by row."""
    (height, width), (rows, columns) = tile_size, grid
    return [
        (row * (height - OVERLAP), column * (width - OVERLAP))
        for row in range(rows)
        for column in range(columns)
    ]
