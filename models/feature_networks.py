"""The convolutional encoder and decoder of maps of features, whose sides may be any.

Our own. A 1×1 convolution to 64 channels, then levels as in `models/networks.py` of 128 filters
each, until the smaller side is 4 or less; an odd side is rounded up, and cut on the way back. A 1×1
convolution gives the maps. All of an image goes through the latents: what predicts a feature from
those near by predicts a defect, too.

    maps (H, W)   levels   smallest map
    8 × 8         1        4 × 4 × 128
    28 × 28       3        4 × 4 × 128
    72 × 28       3        9 × 4 × 128
"""

import keras
from keras import layers

from awl_vae.models.networks import CHANNELS_LAST
from awl_vae.models.shapes import SMALLEST_SIDE

FIRST_FILTERS, FILTERS = 64, 128


def halved(size: tuple[int, int]) -> list[tuple[int, int]]:
    """(height, width) after each level, from the largest to the smallest."""
    sizes = []
    while min(size) > SMALLEST_SIDE:
        height, width = size
        size = -(-height // 2), -(-width // 2)
        sizes.append(size)
    return sizes


def build_feature_encoder(
    shape: tuple[int, int, int], *, latent_dim: int, dtype: str | keras.DTypePolicy
) -> keras.Model:
    """The encoder q(z given x).

    Args:
        shape: (H, W, C) of maps.
        latent_dim: number of latent variables Z.
        dtype: Keras dtype policy of the hidden layers; the output layer is float32.

    Returns:
        Model from maps (N, H, W, C) to (N, 2·Z): μ_z, then log σ_z².
    """
    common = {"padding": "same", "activation": "relu", "dtype": dtype, **CHANNELS_LAST}
    return keras.Sequential(
        [
            keras.Input(shape, dtype="float32"),
            layers.Conv2D(FIRST_FILTERS, 1, **common),
            *(layers.Conv2D(FILTERS, 4, strides=2, **common) for _ in halved(shape[:2])),
            layers.Flatten(dtype=dtype, **CHANNELS_LAST),
            layers.Dense(2 * latent_dim, dtype="float32"),
        ],
        name="encoder",
    )


def build_feature_decoder(
    shape: tuple[int, int, int], *, latent_dim: int, num_maps: int, dtype: str | keras.DTypePolicy
) -> keras.Model:
    """The decoder p(x' given z).

    Args:
        shape: (H, W, C) of maps.
        latent_dim: number of latent variables Z.
        num_maps: number of output maps M: 2·C for means and log-variances.
        dtype: Keras dtype policy of the hidden layers; the output layer is float32.

    Returns:
        Model from latents (N, Z) to unbounded output maps (N, H, W, M).
    """
    common = {"padding": "same", "activation": "relu", "dtype": dtype, **CHANNELS_LAST}
    *larger, smallest = [shape[:2], *halved(shape[:2])]
    upsampling: list[layers.Layer] = []
    for height, width in reversed(larger):
        filters = FIRST_FILTERS if (height, width) == shape[:2] else FILTERS
        upsampling.append(layers.Conv2DTranspose(filters, 4, strides=2, **common))
        cut = (0, height % 2), (0, width % 2)
        upsampling.append(layers.Cropping2D(cut, dtype=dtype, **CHANNELS_LAST))
    return keras.Sequential(
        [
            keras.Input((latent_dim,), dtype="float32"),
            layers.Dense(smallest[0] * smallest[1] * FILTERS, activation="relu", dtype=dtype),
            layers.Reshape((*smallest, FILTERS), dtype=dtype),
            *upsampling,
            layers.Conv2D(num_maps, 1, dtype="float32", **CHANNELS_LAST),
        ],
        name="decoder",
    )
