"""From positions in the image cache to batches of floats, by tf.data."""

import numpy as np
import tensorflow as tf

from awl_vae.data.cache import ImageCache


def count_steps(num_images: int, *, batch_size: int, repeats: int = 1) -> int:
    """Number of batches of an epoch."""
    return -(-num_images * repeats // batch_size)


class TrainingBatches:
    """The training images in the order of a logical epoch.

    The order is a function of (seed, epoch) alone, so an epoch can be repeated, skipped or
    resumed. The dataset asks for `epoch` each time it is iterated: set it before.

    Args:
        cache: the decoded images.
        positions: positions (N,) of the training images in the cache.
        batch_size: images in a batch; the last one of an epoch holds what is left.
        seed: seed of the order.
        repeats: how often each image comes up in an epoch.
    """

    def __init__(
        self,
        cache: ImageCache,
        positions: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        repeats: int = 1,
    ):
        self.epoch = 1
        self.steps_per_epoch = count_steps(len(positions), batch_size=batch_size, repeats=repeats)
        self._positions = np.repeat(np.asarray(positions, np.int64), repeats)
        self._seed = seed
        order = tf.data.Dataset.from_tensors(0).flat_map(
            lambda _: tf.data.Dataset.from_tensor_slices(
                tf.ensure_shape(tf.numpy_function(self.order, [], tf.int64), [len(self._positions)])
            )
        )
        self.dataset = _batches(cache, order, batch_size).apply(
            tf.data.experimental.assert_cardinality(self.steps_per_epoch)
        )

    def order(self) -> np.ndarray:
        """Positions (N · repeats,) int64 in the order of the present epoch."""
        return np.random.RandomState([self._seed, self.epoch]).permutation(self._positions)


def scoring_batches(cache: ImageCache, positions: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batches (B, H, W, 1), or 2 with regions, of the images at `positions`, in that order."""
    order = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64))
    return _batches(cache, order, batch_size)


def _batches(cache: ImageCache, order: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    def read(positions: tf.Tensor) -> tf.Tensor:
        images = tf.numpy_function(cache.read, [positions], tf.float32)
        return tf.ensure_shape(images, [None, *cache.shape[:2], cache.num_channels])

    # Nothing here is to be tuned, and the tuner's thread holds up the end of an iteration: it
    # sleeps for 10, 20, 40, … ms, and where its waking is missed an epoch of 1.8 s takes 2.5 s.
    options = tf.data.Options()
    options.autotune.enabled = False
    return order.batch(batch_size).map(read).prefetch(2).with_options(options)
