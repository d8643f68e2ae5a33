"""Training that is split over the devices of a machine, or over machines, by tf.distribute."""

import functools
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from awl_vae.callbacks.logs import Logs
from awl_vae.training.config import ConfigError
from awl_vae.training.tf_config import is_chief, workers


@functools.cache
def strategy_of(distribute: str) -> tf.distribute.Strategy:
    """The strategy of a process, made before TensorFlow computes anything.

    That of several machines waits until all of them are there.

    Args:
        distribute: "none", "mirrored" for all GPUs, or where there are none the logical devices of
            the processor, or "multi_worker" for the machines of TF_CONFIG.

    Raises:
        ConfigError: If TF_CONFIG names no machines.
    """
    if distribute == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if distribute == "multi_worker":
        if not (addresses := workers()):
            raise ConfigError(
                "Expected the addresses of all workers, and which this one is, in TF_CONFIG with "
                f"--distribute=multi_worker. Received: TF_CONFIG={os.environ.get('TF_CONFIG')}"
            )
        print(f"Waiting for all workers: {', '.join(addresses)}.", flush=True)
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


@functools.cache
def _sum_of_workers(strategy: tf.distribute.Strategy) -> Callable[[np.ndarray], np.ndarray]:
    """A function that every worker calls with as many numbers, and that gives each their sums."""

    @tf.function
    def total(values: tf.Tensor) -> tf.Tensor:
        def add(own: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

        return strategy.experimental_local_results(strategy.run(add, args=(values,)))[0]

    return lambda values: total(tf.constant(values)).numpy()


def wait_for_workers(distribute: str) -> None:
    """Returns when every worker has come here."""
    if distribute == "multi_worker":
        _sum_of_workers(strategy_of(distribute))(np.zeros(1))


class FromChief(keras.callbacks.Callback):
    """Gives every worker the numbers that the chief has in the logs of an epoch.

    Weights, and whether a training goes on, depend on them: where processors differ, what each
    worker computes for itself would, too.
    """

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Puts the chief's numbers in the place of this worker's."""
        own = {name: np.asarray(logs[name], np.float64) for name in sorted(logs)}
        values = np.concatenate([value.ravel() for value in own.values()])
        total = _sum_of_workers(strategy_of("multi_worker"))
        values = total(values if is_chief() else np.zeros_like(values))
        ends = np.cumsum([value.size for value in own.values()])
        for (name, value), found in zip(own.items(), np.split(values, ends[:-1]), strict=True):
            # A float stays one, and a count.
            logs[name] = found if value.ndim else type(logs[name])(found[0])
