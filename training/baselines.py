"""What is no VAE and needs no training: the mean image, and PCA (scikit-learn)."""

from pathlib import Path

import keras
import numpy as np
from sklearn.decomposition import PCA

from awl_vae.callbacks import ProgressBar, save_model
from awl_vae.data import PreparedData
from awl_vae.training.config import Config
from awl_vae.training.experiment import Experiment, Trained
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
) -> dict[str, Trained]:
    """Fits one method; see `Experiment.train`."""
    (method,) = methods
    start_run(seed)
    count = len(data.positions["train"])
    chosen = np.linspace(0, count - 1, min(count, MAX_IMAGES)).astype(int)
    x = data.images("train", chosen).reshape(len(chosen), -1)
    model = linear_model(config.image_size, x.mean(axis=0), METHODS[method](config, x, seed))
    save_model(run_dir / method / f"seed-{seed}" / "model.keras", model)
    return {method: Trained(epoch=0)}


def linear_model(
    image_size: tuple[int, int], mean: np.ndarray, components: np.ndarray
) -> keras.Model:
    """The projection x' = mean + Wᵀ W (x − mean) as a Keras model.

    Args:
        image_size: (height, width).
        mean: (H · W,).
        components: W, (K, H · W), orthonormal rows; without any, x' is the mean.

    Returns:
        Model from images (N, H, W, 1) to reconstructions of that shape, float32.
    """
    layers = keras.layers
    decoder = layers.Dense(len(mean))
    if not len(components):
        components = np.zeros((1, len(mean)), np.float32)
    encoder = layers.Dense(len(components))
    model = keras.Sequential(
        [
            keras.Input((*image_size, 1)),
            layers.Flatten(),
            encoder,
            decoder,
            layers.Reshape((*image_size, 1)),
        ]
    )
    encoder.set_weights([components.T, -components @ mean])
    decoder.set_weights([components, mean])
    return model


def _mean_image(config, x, seed):
    return x[:0]


def _pca(config, x, seed):
    count = min(config.latent_dim, *x.shape)
    pca = PCA(count, svd_solver="randomized", random_state=seed)
    return pca.fit(x).components_.astype(np.float32)


METHODS = {"mean_image": _mean_image, "pca": _pca}
"""By method, (configuration, training images (N, H · W), seed) to components (K, H · W)."""

BASELINES = Experiment(
    name="baselines",
    runs=lambda config: tuple((method,) for method in METHODS),
    needs_labels=lambda config: False,
    count_epochs=lambda config: 1,
    announce=lambda config, steps_per_epoch: (),
    train=train,
)
"""The two, with the score of the configuration."""
