"""The loop of a training that is split over replicas, in the place of Keras' `fit`.

That takes no batch which does not split evenly, and among several workers no logs
(https://github.com/keras-team/keras/issues/20585). In one process both give the same bits.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from awl_vae.callbacks.logs import Logs
from awl_vae.data import TrainingBatches
from awl_vae.models import VAE


def fit_shares(
    model: VAE,
    batches: TrainingBatches,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    strategy: tf.distribute.Strategy,
    epochs: int,
    initial_epoch: int,
) -> None:
    """Trains a model that was made and compiled within the strategy's scope.

    Every worker makes the same steps: it counts them, and does not wait for the end of its data.

    Args:
        model: the model.
        batches: the training images.
        callbacks: see `keras.Model.fit`.
        strategy: what splits the batches.
        epochs: the last epoch.
        initial_epoch: how many are behind it.
    """
    dataset = strategy.distribute_datasets_from_function(batches.shares)
    with strategy.scope():
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(iterator: tf.distribute.DistributedIterator) -> dict[str, tf.Tensor]:
        logs = strategy.run(model.train_step, args=(next(iterator),))
        # All replicas have the same, so that none has to be asked.
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    steps = batches.steps_per_epoch
    calls = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps, verbose=0
    )
    model.stop_training = False
    calls.on_train_begin()
    logs: Logs = {}
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        calls.on_epoch_begin(epoch)  # sets which epoch's order the batches have
        iterator = iter(dataset)
        for number in range(steps):
            calls.on_train_batch_begin(number)
            logs = step(iterator)
            calls.on_train_batch_end(number, logs)
            if model.stop_training:
                break
        logs = {name: float(value) for name, value in logs.items()}
        calls.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    calls.on_train_end(logs)
