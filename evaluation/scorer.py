"""Scoring many images by a model."""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from evaluation.scores import Score


class Scorer:
    """Scores images by what a model makes of them.

    The network and the score are one traced function, which costs what the network costs;
    `model.predict` adds some 60 ms a call.

    Args:
        model: from images (N, H, W, 1) in [0, 1] to reconstructions of the same shape.
        score: the score.
        image_size: (height, width) of the images.
    """

    def __init__(self, model: Callable, score: Score, image_size: tuple[int, int]):
        signature = [tf.TensorSpec((None, *image_size, 1), tf.float32)]
        self.reconstruct = tf.function(model, input_signature=signature)
        self._score = tf.function(lambda x: score(x, model(x)), input_signature=signature)

    def __call__(self, batches: Iterable) -> np.ndarray:
        """Scores (N,) float32 of the images in batches (B, H, W, 1), in their order."""
        return np.concatenate([self._score(batch) for batch in batches] or [np.empty(0, "float32")])
