"""What is no VAE and needs no training by gradients.

Of pixels the mean image, and PCA (scikit-learn); of features those recipes that `awl-vae fit` has.
"""

import keras
import numpy as np

from awl_vae.callbacks import save_model
from awl_vae.data import PreparedData
from awl_vae.features import FeatureInputs
from awl_vae.models.linear import linear_model
from awl_vae.system.tasks import Engine
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.config import Config
from awl_vae.training.experiment import Experiment, TrainingResult
from awl_vae.training.fitting.recipes import RECIPES, fit
from awl_vae.training.images import RunImages
from awl_vae.training.methods import FEATURE_METHODS, LINEAR_METHODS
from awl_vae.training.runtime import start_run

MAX_IMAGES = 4000
"""So many training images are in memory at a time, and no more are used."""


def train(
    images: RunImages[Config],
    *,
    methods: tuple[str],
    seed: int,
    bar: ProgressBar,
    engine: Engine,
) -> dict[str, TrainingResult]:
    """Fits one method; see `Experiment.train`."""
    (method,) = methods
    config, data = images.config, images.data
    start_run(seed)
    if isinstance(data.inputs, FeatureInputs):
        model = _of_features(method, data.inputs.raw, data.positions["train"], seed)
    else:
        model = _of_pixels(method, config, data, seed)
    save_model(images.path / method / f"seed-{seed}" / "model.keras", model)
    return {method: TrainingResult(epoch=0)}


def _of_pixels(method: str, config: Config, data: PreparedData, seed: int) -> keras.Model:
    count = len(data.positions["train"])
    chosen = np.linspace(0, count - 1, min(count, MAX_IMAGES)).astype(int)
    x = data.images("train", chosen)
    x = x[..., : x.shape[-1] - data.has_roi]
    flat = x.reshape(len(chosen), -1)
    components = LINEAR_METHODS[method].components(flat, config.latent_dim, seed)
    return linear_model(x.shape[1:], flat.mean(axis=0), components)


def _of_features(
    method: str, inputs: FeatureInputs, positions: np.ndarray, seed: int
) -> keras.Model:
    """The scorer, which has learnt what is normal of the training images."""
    recipe = RECIPES[method]
    groups = inputs.groups(positions)
    return fit(inputs.read, positions, groups, inputs.extractor, recipe, seed=seed)


BASELINES = Experiment(
    runs=lambda config: tuple(
        (method,) for method in (LINEAR_METHODS if config.input == "pixels" else FEATURE_METHODS)
    ),
    needs_labels=lambda config: False,
    count_epochs=lambda config: 0,
    announce=lambda config, steps_per_epoch: (),
    train=train,
)
"""Those of `LINEAR_METHODS`, with the score of the configuration, or of `FEATURE_METHODS`."""
