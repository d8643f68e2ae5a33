"""The linear model of features."""

import keras
import numpy as np
from sklearn.decomposition import PCA

from awl_vae.models.projection import low_rank

SHAPE = (3, 4, 5)


def test_it_is_what_pca_of_scikit_learn_explains(tmp_path):
    x = np.random.default_rng(0).standard_normal((30, *SHAPE)).astype(np.float32)
    flat = x.reshape(30, -1)
    fitted = PCA(4, random_state=0).fit(flat)
    model = low_rank(SHAPE, fitted.mean_, fitted.components_)
    expected = fitted.inverse_transform(fitted.transform(flat)).reshape(x.shape)
    np.testing.assert_allclose(model(x), expected, atol=5e-3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


def test_without_components_it_is_the_mean():
    x = np.random.default_rng(0).standard_normal((3, *SHAPE)).astype(np.float32)
    mean = np.arange(60, dtype=np.float32)
    model = low_rank(SHAPE, mean, np.empty((0, 60)))
    np.testing.assert_allclose(model(x), np.tile(mean.reshape(SHAPE), (3, 1, 1, 1)))
