"""Telling the training images which epoch it is."""

from typing import Protocol

import keras

from awl_vae.callbacks.logs import Logs


class Batches(Protocol):
    """Batches of images in an order that is each epoch's own.

    Attributes:
        epoch: the epoch; it is read when their dataset is iterated.
    """

    epoch: int


class EpochOrder(keras.callbacks.Callback):
    """Sets `batches.epoch` before each epoch, from 1, so that its order is the epoch's own.

    Args:
        batches: the training images.
    """

    def __init__(self, batches: Batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.batches.epoch = epoch + 1
