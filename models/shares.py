"""A replica's share of a batch that is split over several, and what is the same in all of them."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

Terms = Mapping[str, tf.Tensor]


class Share(NamedTuple):
    """Which samples of the whole batch a replica has.

    Attributes:
        start: int32, the position of its first.
        size: int32, the number of all.
        counts: float32, 1, or 0 where there are fewer samples than replicas: it has one that is
            another's then, since convolutions fail on none.
    """

    start: tf.Tensor
    size: tf.Tensor
    counts: tf.Tensor


def num_replicas() -> int:
    """How many replicas train."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def sum_of_all(values: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Sums over the replicas, within each of them, in one exchange; no gradient goes through."""
    context = tf.distribute.get_replica_context()
    values = {name: tf.stop_gradient(value) for name, value in values.items()}
    return dict(context.all_reduce(tf.distribute.ReduceOp.SUM, values))


def means_of_all(terms: Terms, share: Share) -> dict[str, tf.Tensor]:
    """The means over the whole batch, the same bits in each replica.

    The gradient is that of the replica's own samples times the number of replicas: of a loss that
    is divided by that number, gradients which are added up are those of the whole batch.

    Args:
        terms: by name, a number for each of the replica's samples (N,).
        share: which samples these are.
    """
    size = tf.cast(share.size, tf.float32)
    parts = {name: share.counts * tf.reduce_sum(value) / size for name, value in terms.items()}
    totals = sum_of_all(parts)
    replicas = num_replicas()

    @tf.custom_gradient
    def as_total(part: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, object]:
        return tf.identity(total), lambda gradient: (replicas * gradient, None)

    return {name: as_total(parts[name], totals[name]) for name in parts}


def all_or_none(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    """Gradients that are no numbers in any replica where they are none in one.

    Keras skips a step of float16 by what its own replica has before gradients are added up, so that
    replicas would take different steps.
    """
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(each)) for each in gradients])
    counted = sum_of_all({"finite": tf.cast(finite, tf.float32)})["finite"]
    is_finite = counted >= num_replicas()
    nothing = [tf.fill(tf.shape(each), tf.cast(float("nan"), each.dtype)) for each in gradients]
    return [tf.where(is_finite, each, nan) for each, nan in zip(gradients, nothing, strict=True)]
