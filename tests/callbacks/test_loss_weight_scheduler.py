import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_same_bits

from awl_vae.callbacks import LossWeightScheduler, PaperRule, Resume, Step, should_switch
from awl_vae.losses import PATTERNS
from awl_vae.models import VAE

TABLE_1 = PATTERNS["bernoulli"]


class Recorder:
    """Stands where the model stands, and notes the weights that it is given."""

    def __init__(self):
        self.weights = []

    def set_term_weights(self, weights):
        self.weights.append(dict(weights))


def patterns_over(aucs, f_update, patterns=TABLE_1):
    """The pattern (from 1) of each epoch, by the callback as `fit` calls it."""
    return follow(switcher_of(PaperRule(patterns, f_update=f_update)), aucs)


def switcher_of(rule):
    return LossWeightScheduler(rule, monitor="auc", best_path=None)


def follow(switcher, aucs):
    switcher.set_model(Recorder())
    switcher.on_train_begin()
    return go_on(switcher, aucs)


def go_on(switcher, aucs):
    used = []
    for epoch, auc in enumerate(aucs):
        logs = {"auc": auc}
        switcher.on_epoch_begin(epoch)
        switcher.on_epoch_end(epoch, logs)
        used.append(logs["pattern"])
    patterns = switcher.rule.patterns
    assert switcher.model.weights == [dict(patterns[pattern - 1]) for pattern in used]
    return used


def test_improving_keeps_the_pattern():
    assert patterns_over(np.linspace(0.5, 0.9, 12), 3) == [1] * 12


def test_falling_goes_through_the_patterns_and_round():
    # F_update 2: looks after epochs 4, 6, 8, …; what they decide holds from the next epoch on.
    used = patterns_over(np.linspace(0.9, 0.5, 12), 2)
    assert used == [1] * 4 + [2] * 2 + [3] * 2 + [1] * 2 + [2] * 2


def test_windows_by_hand():
    # After epoch 6: before = mean(0.5, 0.625, 0.75) = 0.625; after = mean(1, 0.5, 0.75) = 0.75.
    # After epoch 9: before = 0.75; after = mean(0.625, 0.625, 0.625) = 0.625: switches.
    # After epoch 12: before = 0.625; after = mean(0.75, 0.75, 0.375) = 0.625: a tie, switches.
    aucs = [0.5, 0.625, 0.75, 1, 0.5, 0.75, 0.625, 0.625, 0.625, 0.75, 0.75, 0.375, 0.375]
    assert patterns_over(aucs, 3) == [1] * 9 + [2] * 3 + [3]


def test_an_exact_tie_switches():
    assert patterns_over([0.5] * 7, 3) == [1] * 6 + [2]


def test_f_update_of_one_compares_neighbours():
    assert patterns_over([0.5, 0.6, 0.6, 0.7, 0.6, 0.7], 1) == [1, 1, 1, 2, 2, 3]


def test_no_look_before_two_windows_and_between_looks():
    falling = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert [should_switch(falling[:n], 2) for n in range(6)] == [False] * 4 + [True, False]


def test_windows_are_added_in_epoch_order():
    # 0.1 ten times, one after the other, is 0.9999999999999999; pairwise or exactly it is 1.
    aucs = [0.09999999999999999] * 10 + [0.1] * 10
    before, after = 0.0, 0.0
    for auc in aucs[:10]:
        before += auc
    for auc in aucs[10:]:
        after += auc
    assert should_switch(aucs, 10) == (not after / 10 > before / 10)


def test_with_a_margin_a_fall_has_to_exceed_the_error_of_the_means():
    # The three before: mean 0.6, deviation √(2/3) · 0.01, so that of their mean √2/3 · 0.01. The
    # same after: the difference has the error 0.01 · √(4/9) = 0.00667.
    before = [0.59, 0.6, 0.61]
    for fall, switches in ((0.0, False), (0.006, False), (0.007, True), (-0.1, False)):
        after = [auc - fall for auc in before]
        assert should_switch(before + after, 3, has_margin=True) == switches
        assert should_switch(before + after, 3) == (fall >= 0)


def test_the_error_of_a_mean_is_that_of_a_bootstrap():
    aucs = [0.5, 0.7, 0.8, 0.4]
    drawn = np.random.RandomState(0).choice(aucs, (100_000, 4)).mean(axis=1)
    same = [0.6 - 1.01 * drawn.std()] * 4, [0.6 - 0.99 * drawn.std()] * 4
    assert [should_switch(aucs + after, 4, has_margin=True) for after in same] == [True, False]


def test_with_a_margin_a_tie_does_not_switch():
    assert not should_switch([0.5] * 6, 3, has_margin=True)
    assert not should_switch([1.0, 1.0], 1, has_margin=True)
    assert should_switch([1.0, 0.99], 1, has_margin=True)


def test_nan_is_no_improvement():
    assert should_switch([0.5, math.nan], 1)


@pytest.mark.parametrize("f_update", [7, 12, 100])
def test_the_conventional_vae_never_switches(f_update):
    assert patterns_over(np.linspace(0.9, 0.5, 12), f_update) == [1] * 12


def test_seven_patterns_of_three_terms():
    used = patterns_over([0.5] * 9, 1, patterns=PATTERNS["gaussian"])
    assert used == [1, 1, 2, 3, 4, 5, 6, 7, 1]


def test_one_switcher_in_two_fits_starts_anew():
    switcher = switcher_of(PaperRule(TABLE_1, f_update=1))
    falling = np.linspace(0.9, 0.5, 4)
    assert follow(switcher, falling) == follow(switcher, falling) == [1, 1, 2, 3]


def test_the_state_goes_on_in_another_switcher():
    aucs = np.random.RandomState(0).uniform(size=20)
    whole = patterns_over(aucs, 2)
    first, second = (switcher_of(PaperRule(TABLE_1, f_update=2)) for _ in range(2))
    used = follow(first, aucs[:9])
    second.set_model(Recorder())
    second.on_train_begin()
    second.set_state(json.loads(json.dumps(first.get_state())))
    assert used + go_on(second, aucs[9:]) == whole


@pytest.mark.parametrize("f_update", [0, -3])
def test_f_update_below_one_is_refused(f_update):
    with pytest.raises(ValueError, match=f"Received: f_update={f_update}"):
        PaperRule(TABLE_1, f_update=f_update)


def test_switcher_is_a_callback():
    assert issubclass(LossWeightScheduler, keras.callbacks.Callback)


class Back:
    """Keeps the model after epoch 1 and comes back to it after epoch 3."""

    def begin(self):
        return {"epoch": 0}, Step(TABLE_1[0], 0)

    def after_epoch(self, state, auc):
        epoch = state["epoch"] + 1
        step = Step(TABLE_1[1], 1, is_best=epoch == 1, goes_back=epoch == 3)
        return {"epoch": epoch}, step


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_going_back_restores_model_and_optimizer_also_after_a_cut(tmp_path, cut):
    keras.utils.set_random_seed(1)
    model = VAE((16, 16), latent_dim=2, seed=1)
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    x = np.random.RandomState(0).uniform(size=(8, 16, 16, 1)).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(4)
    seen = {}

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["auc"] = 0.5
            seen["end", epoch] = [v.numpy() for v in variables(model)]

    def variables(model):
        return [*model.trainable_variables, *model.optimizer.variables]

    def train(first, last):
        switcher = LossWeightScheduler(Back(), monitor="auc", best_path=tmp_path / "best.npz")
        resume = Resume(tmp_path / "latest.npz", [switcher])
        assert resume.initial_epoch == first
        order = [Look(), switcher, resume]
        if first:
            model.set_weights([np.zeros_like(array) for array in model.get_weights()])
        model.fit(
            dataset, epochs=last, initial_epoch=first, callbacks=order, verbose=0, shuffle=False
        )
        return switcher

    if cut:
        train(0, cut)
    switcher = train(cut, 4)
    assert switcher.rule_state == {"epoch": 4}
    # Adam's first variable counts the steps: two of epoch 1, and two of epoch 4.
    count = len(model.trainable_variables)
    steps = [int(seen["end", epoch][count]) for epoch in range(4)]
    assert steps == [2, 4, 6, 4]
    # On from the model of epoch 1, on the same images with the same noise.
    expected = seen["end", 1]
    assert_same_bits(seen["end", 3], expected)
