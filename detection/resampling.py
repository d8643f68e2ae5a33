"""Resizing as a product of matrices, so that a graph can do it for images of any size.

Places and sizes are whole numbers as long as they can be: they are exact then, and every format of
graphs has what they take.
"""

from collections.abc import Sequence

import tensorflow as tf
from keras import ops

from awl_vae.data.images import HALF


def resized(images: tf.Tensor, image_size: tuple[int, int], mode: str, largest: float) -> tf.Tensor:
    """Brings images to a size, as `data.images.resize` does, to whole gray levels.

    Args:
        images: (N, h, w, C) float32, in gray levels.
        image_size: (H, W) wanted.
        mode: "stretch", "pad" or "crop".
        largest: the highest gray level.

    Returns:
        (N, H, W, C) float32.
    """
    # What depends on the number of images is no constant, which would become float16 with the
    # weights: a gray level less here and there makes a good image another.
    nothing = ops.minimum(ops.shape(images)[0], 0)
    height, width = (length + nothing for length in ops.shape(images)[1:3])
    rows, columns = matrices((height, width), image_size, mode)
    x = ops.transpose(images, (0, 3, 1, 2))  # (N, h, w, C) -> (N, C, h, w)
    x = ops.matmul(ops.matmul(rows, x), ops.transpose(columns))
    x = ops.clip(ops.floor(x + HALF), 0.0, largest)
    return ops.transpose(x, (0, 2, 3, 1))  # (N, C, H, W) -> (N, H, W, C)


def matrices(
    shape: Sequence[int | tf.Tensor], image_size: tuple[int, int], mode: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """R (H, h) and C (W, w) with which `resize` is R · image · Cᵀ, before rounding.

    Args:
        shape: (h, w) of the images; tensors where a graph learns them when it runs.
        image_size: (H, W) wanted.
        mode: "stretch", "pad" or "crop".
    """
    height, width = (tf.cast(length, tf.int32) for length in shape)
    rows, columns = (tf.constant(length) for length in image_size)
    sizes = rows, columns
    if mode != "stretch":
        # By the rows, H / h, or by the columns, W / w: the smaller of the two, or the larger.
        is_by_rows = rows * width <= columns * height
        is_by_rows = is_by_rows if mode == "pad" else tf.logical_not(is_by_rows)
        sizes = (
            tf.where(is_by_rows, rows, tf.maximum(_rounded(height * columns, width), 1)),
            tf.where(is_by_rows, tf.maximum(_rounded(width * rows, height), 1), columns),
        )
    averages = tf.logical_and(sizes[0] < height, sizes[1] < width)
    return (
        _matrix(height, sizes[0], rows, averages),
        _matrix(width, sizes[1], columns, averages),
    )


def _rounded(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """A / b to the nearest whole number, of two the even one."""
    whole, rest = a // b, a % b
    is_up = tf.logical_or(2 * rest > b, tf.logical_and(tf.equal(2 * rest, b), whole % 2 > 0))
    return whole + tf.cast(is_up, tf.int32)


def _matrix(old: tf.Tensor, size: tf.Tensor, new: tf.Tensor, averages: tf.Tensor) -> tf.Tensor:
    """(new, old) float32: lines of a length that become `size`, in the middle of `new`."""
    line = (tf.range(new) - (new - size) // 2)[:, None]
    pixel = tf.range(old)[None]
    # Averaging: what a line covers of a pixel, both of lengths in 1 / (old · size) of the whole.
    covered = tf.minimum((line + 1) * old, (pixel + 1) * size) - tf.maximum(
        line * old, pixel * size
    )
    area = tf.cast(tf.maximum(covered, 0), tf.float32) / tf.cast(old, tf.float32)
    # Interpolation between centres, both in 1 / (2 · old · size) of the whole.
    centre = tf.clip_by_value((2 * line + 1) * old - size, 0, 2 * size * (old - 1))
    away = tf.cast(tf.abs(centre - 2 * size * pixel), tf.float32)
    linear = tf.maximum(1.0 - away / tf.cast(2 * size, tf.float32), 0.0)
    is_inside = tf.logical_and(line >= 0, line < size)
    return tf.where(is_inside, tf.where(averages, area, linear), 0.0)
