"""What is no VAE and needs no training: the mean image, and PCA (scikit-learn)."""

from pathlib import Path

import numpy as np

from awl_vae.callbacks import save_model
from awl_vae.data import PreparedData
from awl_vae.models.linear import linear_model
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.config import Config
from awl_vae.training.experiment import Experiment, TrainingResult
from awl_vae.training.methods import LINEAR_METHODS
from awl_vae.training.runtime import start_run

MAX_IMAGES = 4000
"""So many training images are in memory at a time, and no more are used."""


def train(
    run_dir: Path,
    config: Config,
    data: PreparedData,
    *,
    methods: tuple[str],
    seed: int,
    bar: ProgressBar,
) -> dict[str, TrainingResult]:
    """Fits one method; see `Experiment.train`."""
    (method,) = methods
    start_run(seed)
    count = len(data.positions["train"])
    chosen = np.linspace(0, count - 1, min(count, MAX_IMAGES)).astype(int)
    x = data.images("train", chosen)[..., 0].reshape(len(chosen), -1)
    components = LINEAR_METHODS[method].components(x, config.latent_dim, seed)
    model = linear_model(config.image_size, x.mean(axis=0), components)
    save_model(run_dir / method / f"seed-{seed}" / "model.keras", model)
    return {method: TrainingResult(epoch=0)}


BASELINES = Experiment(
    runs=lambda config: tuple((method,) for method in LINEAR_METHODS),
    needs_labels=lambda config: False,
    count_epochs=lambda config: 0,
    announce=lambda config, steps_per_epoch: (),
    train=train,
)
"""Those of `LINEAR_METHODS`, with the score of the configuration."""
