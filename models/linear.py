"""What needs no training by gradients: the mean image, and PCA (scikit-learn).

What takes long to import is imported when it is used, so that the methods' names cost nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def linear_model(shape: tuple[int, ...], mean: np.ndarray, components: np.ndarray) -> "keras.Model":
    """The projection x' = mean + Wᵀ W (x − mean) as a Keras model.

    Args:
        shape: (H, W, C).
        mean: (H · W · C,).
        components: W, (K, H · W · C), orthonormal rows; without any, x' is the mean.

    Returns:
        Model from images (N, H, W, C) to reconstructions of that shape, float32.
    """
    import keras
    from keras import layers

    decoder = layers.Dense(len(mean), dtype="float32")
    if not len(components):
        components = np.zeros((1, len(mean)), np.float32)
    encoder = layers.Dense(len(components), dtype="float32")
    model = keras.Sequential(
        [
            keras.Input(shape, dtype="float32"),
            layers.Flatten(data_format="channels_last", dtype="float32"),
            encoder,
            decoder,
            layers.Reshape(shape, dtype="float32"),
        ]
    )
    encoder.set_weights([components.T, -components @ mean])
    decoder.set_weights([components, mean])
    return model


def mean_image(x: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """No component, (0, D): x' is the mean."""
    return x[:0]


def pca(x: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """The first principal components (K, D) of training images x, (N, D)."""
    from sklearn.decomposition import PCA

    count = min(num_components, *x.shape)
    fitted = PCA(count, svd_solver="randomized", random_state=seed).fit(x)
    return fitted.components_.astype(np.float32)
