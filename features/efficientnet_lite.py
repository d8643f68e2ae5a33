"""EfficientNet-Lite0 (Tan and Le, 2019, without what small devices lack), as far as is asked for.

A stem of stride 2, then blocks: expand the channels, convolve each for itself, project. Batch
normalization is folded into the convolution that it follows.

    blocks   stride   channels
    1        2        16
    2 - 3    4        24
    4 - 5    8        40
    6 - 8    16       80
    9 - 11   16       112
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers

EPSILON = 1e-3
"""Added to the variances of the batch normalization."""

# Of each block: kernel size, stride, times the channels are expanded, output channels.
BLOCKS = (
    (3, 1, 1, 16),
    *((3, stride, 6, 24) for stride in (2, 1)),
    *((5, stride, 6, 40) for stride in (2, 1)),
    *((3, stride, 6, 80) for stride in (2, 1, 1)),
    *((5, 1, 6, 112) for _ in range(3)),
)


def efficientnet_lite(
    state: Mapping[str, np.ndarray], image_size: tuple[int, int], outputs: Sequence[int]
) -> keras.Model:
    """The network up to the last of some blocks.

    Args:
        state: the weights, by their names in PyTorch.
        image_size: (height, width) in pixels.
        outputs: the numbers of the blocks, from 1, whose maps are given.

    Returns:
        Model from RGB images (N, H, W, 3) in [0, 1] to one map (N, h, w, C) per output, float32.
    """
    inputs = keras.Input((*image_size, 3), dtype="float32")
    build = _Builder(state)
    x = layers.Rescaling(255.0 / 128.0, -127.0 / 128.0, dtype="float32")(inputs)
    x = build.convolution(x, "_conv_stem", "_bn0", size=3, stride=2, filters=32)
    maps = []
    for number, (size, stride, expand, filters) in enumerate(BLOCKS[: max(outputs)]):
        name, before = f"_blocks.{number}.", x
        if expand > 1:
            wide = expand * x.shape[-1]
            x = build.convolution(x, f"{name}_expand_conv", f"{name}_bn0", filters=wide)
        x = build.depthwise(x, f"{name}_depthwise_conv", f"{name}_bn1", size=size, stride=stride)
        x = build.convolution(
            x, f"{name}_project_conv", f"{name}_bn2", filters=filters, activation=None
        )
        if stride == 1 and x.shape[-1] == before.shape[-1]:
            x = layers.Add(dtype="float32")([x, before])
        if number + 1 in outputs:
            maps.append(x)
    return keras.Model(inputs, maps, trainable=False)


class _Builder:
    """Layers with the weights of a state dict."""

    def __init__(self, state: Mapping[str, np.ndarray]):
        self._state = state

    def convolution(
        self,
        x: keras.KerasTensor,
        name: str,
        norm: str,
        *,
        filters: int,
        size: int = 1,
        stride: int = 1,
        activation: str | None = "relu6",
    ) -> keras.KerasTensor:
        layer = layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            activation=activation,
            data_format="channels_last",
            dtype="float32",
        )
        y = layer(x)
        scale, shift = self._norm(norm)
        # (out, in, h, w) -> (h, w, in, out)
        kernel = self._state[f"{name}.weight"].transpose(2, 3, 1, 0)
        layer.set_weights([kernel * scale, shift])
        return y

    def depthwise(
        self, x: keras.KerasTensor, name: str, norm: str, *, size: int, stride: int
    ) -> keras.KerasTensor:
        layer = layers.DepthwiseConv2D(
            size,
            strides=stride,
            padding="same",
            activation="relu6",
            data_format="channels_last",
            dtype="float32",
        )
        y = layer(x)
        scale, shift = self._norm(norm)
        # (channels, 1, h, w) -> (h, w, channels, 1)
        kernel = self._state[f"{name}.weight"].transpose(2, 3, 0, 1)
        layer.set_weights([kernel * scale[:, None], shift])
        return y

    def _norm(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        mean, var = (self._state[f"{name}.running_{what}"] for what in ("mean", "var"))
        scale = self._state[f"{name}.weight"] / np.sqrt(var + EPSILON)
        return scale, self._state[f"{name}.bias"] - mean * scale
