"""What needs no training by gradients: the mean image, and PCA (scikit-learn).

What takes long to import is imported when it is used, so that the methods' names cost nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def linear_model(
    image_size: tuple[int, int], mean: np.ndarray, components: np.ndarray
) -> "keras.Model":
    """The projection x' = mean + Wᵀ W (x − mean) as a Keras model.

    Args:
        image_size: (height, width).
        mean: (H · W,).
        components: W, (K, H · W), orthonormal rows; without any, x' is the mean.

    Returns:
        Model from images (N, H, W, 1) to reconstructions of that shape, float32.
    """
    import keras
    from keras import layers

    decoder = layers.Dense(len(mean), dtype="float32")
    if not len(components):
        components = np.zeros((1, len(mean)), np.float32)
    encoder = layers.Dense(len(components), dtype="float32")
    model = keras.Sequential(
        [
            keras.Input((*image_size, 1), dtype="float32"),
            layers.Flatten(data_format="channels_last", dtype="float32"),
            encoder,
            decoder,
            layers.Reshape((*image_size, 1), dtype="float32"),
        ]
    )
    encoder.set_weights([components.T, -components @ mean])
    decoder.set_weights([components, mean])
    return model


def mean_image(x: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """No component, (0, H · W): x' is the mean."""
    return x[:0]


def pca(x: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """The first principal components (K, H · W) of training images x, (N, H · W)."""
    from sklearn.decomposition import PCA

    count = min(num_components, *x.shape)
    fitted = PCA(count, svd_solver="randomized", random_state=seed).fit(x)
    return fitted.components_.astype(np.float32)
