"""Telling the training images which epoch it is."""

import keras


class EpochOrder(keras.callbacks.Callback):
    """Sets `batches.epoch` before each epoch, from 1, so that its order is the epoch's own.

    Args:
        batches: an object whose `epoch` is read when its dataset is iterated.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch + 1
