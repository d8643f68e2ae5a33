"""From positions in a cache to batches of floats, by tf.data."""

from typing import Protocol

import numpy as np
import tensorflow as tf


class Inputs(Protocol):
    """What models see of images: the images themselves, or what was computed of them.

    Attributes:
        shape: of one, beginning with height and width.
        num_channels: how many numbers there are for each place.
    """

    shape: tuple[int, ...]
    num_channels: int

    def read(self, positions: np.ndarray) -> np.ndarray:
        """Those of the images at some positions, (N, height, width, `num_channels`) float32."""
        ...


def count_steps(num_images: int, *, batch_size: int, repeats: int = 1) -> int:
    """Number of batches of an epoch."""
    return -(-num_images * repeats // batch_size)


class TrainingBatches:
    """The training images in the order of a logical epoch.

    The order is a function of (seed, epoch) alone, so an epoch can be repeated, skipped or
    resumed. The dataset asks for `epoch` each time it is iterated: set it before.

    Args:
        inputs: what the model sees of images.
        positions: positions (N,) of the training images in it.
        batch_size: images in a batch; the last one of an epoch holds what is left.
        seed: seed of the order.
        repeats: how often each image comes up in an epoch.
    """

    def __init__(
        self,
        inputs: Inputs,
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
        self._batches = order.batch(batch_size)
        self._inputs = inputs
        self.dataset = _batches(inputs, order, batch_size).apply(
            tf.data.experimental.assert_cardinality(self.steps_per_epoch)
        )

    def shares(self, context: tf.distribute.InputContext) -> tf.data.Dataset:
        """The same batches, split over replicas; for `distribute_datasets_from_function`.

        Args:
            context: how many replicas there are, and which are this worker's.

        Returns:
            For each batch, one after the other for each replica of the worker, (images, (start,
            size, counts)): contiguous samples, and where they are in the batch; see `models.Share`.
        """
        replicas = context.num_replicas_in_sync
        own = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * own

        def split(positions: tf.Tensor) -> tf.data.Dataset:
            size = tf.shape(positions, tf.int64)[0]

            def share(replica: tf.Tensor) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
                begin, end = replica * size // replicas, (replica + 1) * size // replicas
                counts = tf.cast(end > begin, tf.float32)
                begin = tf.minimum(begin, size - 1)
                images = _read(self._inputs, positions[begin : tf.maximum(end, begin + 1)])
                return images, (tf.cast(begin, tf.int32), tf.cast(size, tf.int32), counts)

            return tf.data.Dataset.range(first, first + own).map(share)

        return _untuned(self._batches.flat_map(split).prefetch(2 * own))

    def order(self) -> np.ndarray:
        """Positions (N · repeats,) int64 in the order of the present epoch."""
        return np.random.RandomState([self._seed, self.epoch]).permutation(self._positions)


def scoring_batches(inputs: Inputs, positions: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batches (B, H, W, C) of what a model sees of the images at `positions`, in that order."""
    order = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64))
    return _batches(inputs, order, batch_size)


def _batches(inputs: Inputs, order: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    batches = order.batch(batch_size).map(lambda positions: _read(inputs, positions))
    return _untuned(batches.prefetch(2))


def _read(inputs: Inputs, positions: tf.Tensor) -> tf.Tensor:
    images = tf.numpy_function(inputs.read, [positions], tf.float32)
    return tf.ensure_shape(images, [None, *inputs.shape[:2], inputs.num_channels])


def _untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    # Nothing here is to be tuned, and the tuner's thread holds up the end of an iteration: it
    # sleeps for 10, 20, 40, … ms, and where its waking is missed an epoch of 1.8 s takes 2.5 s.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
