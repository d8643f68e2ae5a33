"""Features on disk."""

import os

import numpy as np
import pytest

from awl_vae.features import cache_features, extractor, feature_path

SIZE = (32, 48)
IMAGES = np.random.RandomState(0).uniform(size=(20, *SIZE, 3)).astype(np.float32)


def cached(path, read=lambda positions: IMAGES[positions], **rest):
    network = extractor("efficientnet_lite0", SIZE)
    return cache_features(
        path, lambda x: network(x).numpy(), network.output_shape[1:], read, len(IMAGES), **rest
    )


def test_they_are_computed_once_and_read_by_position(tmp_path):
    path = feature_path(tmp_path, "efficientnet_lite0", SIZE, 0xABC)
    assert path.name == "features-efficientnet_lite0-5-11-32x48-00000abc.npy"
    done = []
    features = cached(path, progress=done.append)
    assert sum(done) == len(features) == 20
    assert features.shape == (4, 6, 152)
    expected = extractor("efficientnet_lite0", SIZE)(IMAGES[[17, 3]]).numpy()
    np.testing.assert_allclose(features.read(np.array([17, 3])), expected, rtol=2e-3, atol=1e-3)

    again = cached(path, read=None)  # nothing is read
    np.testing.assert_array_equal(again.read(np.array([5])), features.read(np.array([5])))


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "features.npy"

    def read(positions):
        if positions[0]:
            raise KeyboardInterrupt
        return IMAGES[positions]

    with pytest.raises(KeyboardInterrupt):
        cached(path, read)
    assert os.listdir(tmp_path) == []
