"""What models of features see of images."""

import zlib
from typing import Self

import keras
import numpy as np

from awl_vae.system.rows import RowFile


class FeatureInputs:
    """Features of images, read by position; see `awl_vae.data.pipeline.Inputs`.

    Args:
        rows: the features as a network gives them, (N, h, w, C).
        extractor: the model from RGB images (N, H, W, 3) in [0, 1] to these.

    Attributes:
        raw: the features as the network gives them.
        extractor: the model from images to what `read` gives.
        shape: (h, w, C).
        num_channels: C.
    """

    def __init__(self, rows: RowFile, extractor: keras.Model):
        self.raw: FeatureInputs = self
        self.extractor = extractor
        self.shape, self.num_channels = rows.shape, rows.shape[-1]
        self._rows = rows
        self._standardization: keras.layers.Layer | None = None

    def standardized(self, standardization: keras.layers.Layer) -> Self:
        """The same, through a layer that standardizes them."""
        network = self.extractor
        outputs = standardization(network.output)
        found = type(self)(
            self._rows, keras.Model(network.input, outputs, name=network.name, trainable=False)
        )
        found.raw, found._standardization = self, standardization
        return found

    def groups(self, positions: np.ndarray) -> np.ndarray:
        """Of each image (N,) a number, the same for copies of one image."""
        each = (self._rows.read(positions[[index]]) for index in range(len(positions)))
        return np.array([zlib.crc32(features.tobytes()) for features in each])

    def read(self, positions: np.ndarray) -> np.ndarray:
        """Those of images at some positions, (N, h, w, C) float32."""
        x = self._rows.read(positions).astype(np.float32)
        return x if self._standardization is None else self._standardization(x).numpy()
