"""Resizing by matrices."""

import numpy as np
import pytest
import tensorflow as tf

from awl_vae.data.images import RESIZE_MODES, Placement, resize
from awl_vae.detection.resampling import matrices, resized

SHAPES = [(40, 40), (32, 48), (64, 96), (97, 41), (20, 150), (16, 24), (8, 200), (33, 32), (300, 7)]


@pytest.mark.parametrize("mode", RESIZE_MODES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_gives_what_opencv_gives(mode, shape, channels):
    images = np.random.RandomState(0).randint(0, 256, (2, *shape, channels)).astype(np.uint8)
    found = resized(tf.constant(images, tf.float32), (32, 48), mode, 255.0).numpy()
    expected = [resize(image.squeeze(), (32, 48), mode) for image in images]
    np.testing.assert_array_equal(found, np.stack(expected).reshape(found.shape))


def test_a_graph_takes_images_of_any_size():
    traced = tf.function(lambda images: resized(images, (32, 48), "pad", 255.0))
    signature = tf.TensorSpec((None, None, None, 3), tf.float32)
    run = traced.get_concrete_function(signature)
    for shape in SHAPES:
        images = np.random.RandomState(1).randint(0, 256, (1, *shape, 3)).astype(np.uint8)
        found = run(tf.constant(images, tf.float32)).numpy()
        np.testing.assert_array_equal(found[0], resize(images[0], (32, 48), "pad"))


@pytest.mark.parametrize("mode", ["pad", "crop"])
def test_images_are_placed_as_ours_are(mode):
    random = np.random.RandomState(2)
    for shape in random.randint(1, 700, (300, 2)).tolist():
        rows, columns = matrices(tuple(shape), (48, 32), mode)
        placement = Placement.of(tuple(shape), (48, 32), mode)
        for matrix, size, new in zip((rows, columns), placement.size, (48, 32), strict=True):
            filled = np.flatnonzero(matrix.numpy().any(axis=1))
            assert len(filled) == min(size, new)
            assert filled[0] == max((new - size) // 2, 0)
