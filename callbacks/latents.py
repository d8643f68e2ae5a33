"""What the latent variables tell, after each epoch."""

from collections.abc import Callable

import keras
import numpy as np

from awl_vae.callbacks.arithmetic import as_written
from awl_vae.callbacks.logs import Logs
from awl_vae.evaluation.latents import EMPTY, LatentUse

VARIANCES = ("explained_variance", "reconstruction_variance")
"""Those of `COLUMNS` that are computed in double precision."""

COLUMNS = ("kl_per_latent_median", "kl_per_latent_max", "active_units", *VARIANCES)
"""The numbers that are added to the logs, and columns of `history.csv`."""


class WatchLatents(keras.callbacks.Callback):
    """Adds to the logs of each epoch what `LatentUse` has, for the callbacks after it.

    Args:
        measure: returns it, by the model of the moment.
    """

    def __init__(self, measure: Callable[[], LatentUse]):
        super().__init__()
        self.measure = measure

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        use = self.measure()
        of_kl = as_written(float(np.median(use.kl))), as_written(float(use.kl.max()))
        variances = use.explained_variance, use.reconstruction_variance
        values = (*of_kl, use.active_units, *variances)
        logs |= dict(zip(COLUMNS, values, strict=True)) | {"kl_per_latent": use.kl}


def is_empty(row: Logs) -> bool:
    """Whether every image has the same reconstruction, by the logs of an epoch, or its history."""
    variance = row.get("reconstruction_variance")
    return variance not in (None, "") and float(variance) < EMPTY
