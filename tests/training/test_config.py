"""The settings of the paper's experiments (Tables 4 and 5, Sect. 4 and 5)."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from awl_vae.callbacks.rules import RULES, RuleSettings
from awl_vae.losses.patterns import PATTERNS
from awl_vae.system import write_json
from awl_vae.training.config import Config, ConfigError
from awl_vae.training.methods import RULE_METHODS, SET_POINTS
from awl_vae.training.resolve import resolve, unread
from awl_vae.training.run_directory import RunDirectory, RunDirectoryError, open_run_directory
from awl_vae.training.settings import Count, Size, setting
from awl_vae.training.trainer import hyper_parameters

PAPER = {
    "bellows": (28_000, 1, (256, 256), "bernoulli", "mse", 32),
    "square": (10_000, 1, (512, 512), "gaussian", "max1p", 64),
    "comb": (1_352, 8, (320, 320), "gaussian", "mse", 64),
}


def settings(experiment, dataset, profile="paper", overrides=None):
    given = {"dataset": dataset, "profile": profile, "protocol": "paper", "num_threads": 1}
    return resolve(experiment, given | (overrides or {}))


@pytest.mark.parametrize("dataset", PAPER)
@pytest.mark.parametrize("experiment", ["auc_adapted", "loss_adapted"])
def test_the_paper_profile_is_the_paper_s(experiment, dataset):
    config = settings(experiment, dataset)
    assert PAPER[dataset] == (
        config.num_train,
        config.repeats,
        config.image_size,
        config.likelihood,
        config.score,
        config.batch_size,
    )
    assert (config.latent_dim, config.learning_rate, config.num_adapt) == (1000, 1e-4, None)
    if experiment == "auc_adapted":
        assert (config.epochs, config.f_update, config.seeds) == (100, 3, (1, 10, 20, 50, 100))
    else:
        assert (config.e1, config.e2, config.e3, config.seeds) == (100, 150, 200, (1, 10, 20))


def test_comb_repeats_its_images_in_either_profile():
    assert settings("loss_adapted", "comb", "quick").repeats == 8


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"rule": "cyclical", "patterns": "ladder"}, "Received: patterns=ladder"),
        ({"kl_weight": 0.1}, "Expected beta_vae among the methods"),
        ({"log_variance_weight": 0.1}, "Expected beta_vae among the methods"),
        ({"tolerance": 9.0}, "Expected geco among the methods"),
        ({"kl_target": 9.0, "methods": "geco"}, "Expected control_vae among the methods"),
        (
            {"methods": "beta_vae", "log_variance_weight": 0.1, "likelihood": "bernoulli"},
            "Received: likelihood=bernoulli",
        ),
        *(
            (own | {"methods": ("conventional",)}, "Expected auc_adapted among the methods")
            for own in ({"rule": "climb"}, {"patterns": "ladder"})
        ),
        ({"variance": "optimal"}, "Received: likelihood=bernoulli"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(overrides, expected):
    with pytest.raises(ConfigError, match=expected):
        settings("auc_adapted", "bellows", overrides=overrides)


@dataclass(frozen=True, kw_only=True)
class OwnConfig(Config):
    """With two settings of one's own."""

    depth: int = setting(Count("How deep."))
    shape: tuple[int, int] = setting(Size("How large."))


def test_a_setting_needs_no_more_than_its_field_to_be_a_hyper_parameter():
    known = resolve("baselines", {"dataset": "elpv_mono"}).to_json()
    config = OwnConfig.from_json(known | {"depth": 3, "shape": [16, 32]})
    assert config.shape == (16, 32)
    parameters = hyper_parameters(config, 7, method="pca")
    assert (parameters["depth"], parameters["shape"]) == (3, "16x32")
    assert (parameters["seed"], parameters["method"]) == (7, "pca")
    assert not parameters.keys() & {"seeds", "num_train", "data_dir"}
    assert all(isinstance(value, int | float | str) for value in parameters.values())


def test_a_number_of_numpy_is_a_number():
    config = resolve("auc_adapted", {"epochs": np.int64(2), "learning_rate": np.float32(0.5)})
    assert (config.epochs, config.learning_rate) == (2, 0.5)
    assert (type(config.epochs), type(config.learning_rate)) == (int, float)


def test_a_run_directory_from_before_a_setting_goes_on(tmp_path):
    given = {"dataset": "bellows"}
    with open_run_directory("auc_adapted", given, run_dir=tmp_path, overwrite=False) as directory:
        write_json(tmp_path / "config.json", directory.config.to_json())

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Newer(type(directory.config)):
        kernel: int = setting(Count("Side of the convolutions."), before=4)

    for kernel, is_new in ((4, False), (3, True)):
        config = Newer(**vars(directory.config), kernel=kernel)
        newer = partial(RunDirectory, tmp_path, config, keep_threads=False)
        with newer(overwrite=True) as found:
            assert found.is_new == is_new
    with pytest.raises(RunDirectoryError, match=r"kernel=3 \(there: 4\)"):
        newer(overwrite=False)


@pytest.mark.parametrize(
    ("experiment", "given", "expected"),
    [
        ("auc_adapted", {"f_update": 2}, {}),
        ("auc_adapted", {"f_update": 2, "rule": "climb"}, {"f_update": "--rule=climb"}),
        (
            "auc_adapted",
            {"rule": "cyclical", "patterns": "paper", "f_update": 3},
            {"patterns": "--rule=cyclical", "f_update": "--rule=cyclical"},
        ),
        (
            "auc_adapted",
            {"methods": "beta_vae", "kl_weight": 0.1, "rule": "paper", "f_update": 2},
            {"rule": "--methods=beta_vae", "f_update": "--methods=beta_vae"},
        ),
        ("auc_adapted", {"kl_weight": 1.0}, {"kl_weight": "--methods=conventional,auc_adapted"}),
        (
            "auc_adapted",
            {"methods": "beta_vae", "log_variance_weight": 1.0},
            {"log_variance_weight": "--likelihood=bernoulli"},
        ),
        ("loss_adapted", {"variance": "learned"}, {"variance": "--likelihood=bernoulli"}),
        ("loss_adapted", {"variance": "learned", "likelihood": "gaussian"}, {}),
        (
            "baselines",
            {"latent_dim": 5, "learning_rate": 0.1},
            {"learning_rate": "the experiment baselines"},
        ),
        ("auc_adapted", {"f_update": None, "rule": "climb"}, {}),
    ],
)
def test_a_setting_that_is_given_and_not_read_is_told(experiment, given, expected):
    lines = [f"Note: --{name} has no effect with {beside}." for name, beside in expected.items()]
    assert sorted(unread(resolve(experiment, given), given)) == sorted(lines)


def test_a_rule_reads_what_its_row_says():
    """Rules get the settings by attributes: those that are not read are not in the row."""

    class Noting(RuleSettings):
        def __getattribute__(self, name):
            read.add(name)
            return super().__getattribute__(name)

    for row in RULES.values():
        read = set()
        row.build(Noting(PATTERNS["bernoulli"], epochs=8, f_update=1, floor=1e-10))
        assert ("f_update" in read) == ("f_update" in row.reads)


@pytest.mark.parametrize("name", RULE_METHODS)
def test_a_method_reads_what_its_row_says(name):
    """Two values of a setting make two trainings where it is read, and one where not."""
    config = settings("auc_adapted", "square")

    def weights_over(**own):
        rule = RULE_METHODS[name].rule(SimpleNamespace(**vars(config) | {"epochs": 6} | own))
        state, step = rule.begin()
        steps = [step.weights]
        for auc in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4):
            state, step = rule.after_epoch(state, auc)
            steps.append(step.weights)
        return steps

    others = {"rule": "monotonic", "patterns": "ladder", "f_update": 1}
    others |= {"kl_weight": 0.1, "log_variance_weight": 0.1}
    # What a rival reads makes its balancing, and not a rule.
    reads = {*RULE_METHODS[name].reads} - {*SET_POINTS}
    reads |= {*RULES["paper"].reads} if "rule" in reads else set()
    changing = {
        key for key, value in others.items() if weights_over(**{key: value}) != weights_over()
    }
    assert changing == reads
