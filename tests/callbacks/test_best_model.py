"""Which epoch's model is kept."""

import json

import keras
import pytest

from awl_vae.callbacks import BestModel

EPOCHS = [(0.9, 0.0), (0.5, 0.1), (0.6, 0.1), (0.95, 1e-4), (0.6, 0.1), (0.4, 0.2)]
"""Of each epoch the AUROC, and the variance of the reconstructions."""


def model_of(epoch):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([weight * 0 + epoch for weight in model.get_weights()])
    return model


def follow(path, epochs, *, cut=None, **settings):
    """What is kept after some epochs, of a training that was maybe cut off."""
    best = BestModel(path, "auc", **settings)
    best.on_train_begin()
    for epoch, (auc, variance) in enumerate(epochs):
        if epoch == cut:
            state = json.loads(json.dumps(best.get_state()))
            best = BestModel(path, "auc", **settings)
            best.on_train_begin()
            best.set_state(state)
        best.set_model(model_of(epoch + 1))
        best.on_epoch_end(epoch, {"auc": auc, "reconstruction_variance": variance})
    kept = keras.saving.load_model(path)
    assert kept.get_weights()[1] == best.epoch
    return best.epoch, best.auc


@pytest.mark.parametrize("cut", [None, 1, 3, 5])
def test_the_highest_auroc_is_kept_and_of_equal_ones_the_first(tmp_path, cut):
    path = tmp_path / "model.keras"
    assert follow(path, EPOCHS, cut=cut) == (4, 0.95)
    assert follow(path, EPOCHS, cut=cut, shuns_empty=True) == (3, 0.6)


def test_where_every_model_is_empty_the_best_of_them_is_kept(tmp_path):
    empty = [(0.5, 0.0), (0.7, 0.0), (0.6, 0.0)]
    assert follow(tmp_path / "model.keras", empty, shuns_empty=True) == (2, 0.7)


def test_a_checkpoint_of_0_1_0_knows_of_no_empty_models(tmp_path):
    best = BestModel(tmp_path / "model.keras", "auc")
    best.set_state({"epoch": 3, "auc": 0.8})
    best.set_model(model_of(4))
    best.on_epoch_end(3, {"auc": 0.7})
    assert (best.epoch, best.auc) == (3, 0.8)
