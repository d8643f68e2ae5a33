"""What is of one's own, registered in the tables as `docs/architecture.md` says."""

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
from conftest import read_csv, read_json

from awl_vae import Detector, train
from awl_vae.callbacks.rules import RULES, PaperRule, RuleRow, Step
from awl_vae.callbacks.signals import SIGNALS, Wording
from awl_vae.data.dataset import Item
from awl_vae.data.sources import SOURCES
from awl_vae.data.splits import split_pool
from awl_vae.detection import CalibrationError, DetectorError, calibrate, describe
from awl_vae.detection.false_alarms import counted
from awl_vae.detection.thresholds import THRESHOLDS, NormalMethod
from awl_vae.evaluation.scores import SCORES, Score, absolute_error
from awl_vae.study.run_files import Study
from awl_vae.study.tables import scores_table
from awl_vae.training.config import ConfigError
from awl_vae.training.defaults import DEFAULTS
from awl_vae.training.methods import METHODS, LinearMethod, RuleMethod

ROOT = Path(__file__).parent.parent


class Alternating:
    """Every second epoch without the KL term."""

    def __init__(self, patterns):
        self.patterns = patterns

    def begin(self):
        return {"epoch": 0}, Step(self.patterns[0], 0)

    def after_epoch(self, state, auc):
        epoch = state["epoch"] + 1
        return {"epoch": epoch}, Step(self.patterns[epoch % 2], epoch % 2)


def median(maps):
    """The median of an anomaly map: (N, H, W) to (N,)."""
    from keras import ops

    return ops.median(maps, axis=(1, 2))


def squares(wanted):
    """Gray images of noise, and anomalous ones with a bright square."""

    def load(index, defect):
        image = np.random.RandomState(index).randint(80, 120, wanted.image_size).astype(np.uint8)
        if defect:
            image[4:10, 4:10] = 250
        return image

    def items(count, defect):
        return [
            Item(f"{defect}/{i}", defect, functools.partial(load, i, defect)) for i in range(count)
        ]

    return split_pool(
        items(60, None), items(8, "square"), num_train=wanted.num_train, protocol=wanted.protocol
    )


@pytest.fixture
def registered(monkeypatch):
    row = RuleRow("every second epoch without the KL term", lambda s: Alternating(s.patterns))
    monkeypatch.setitem(RULES, "alternating", row)
    monkeypatch.setitem(SCORES, "median", Score("median", absolute_error, median))
    monkeypatch.setitem(SOURCES, "squares", squares)
    monkeypatch.setitem(DEFAULTS, "squares", DEFAULTS["folder"])


SMALL = {"image_size": 16, "latent_dim": 4, "batch_size": 8, "epochs": 4, "num_threads": 2}
OWN = {"dataset": "squares", "rule": "alternating", "score": "median"}


def test_what_is_registered_trains(registered, tmp_path, monkeypatch):
    run = tmp_path / "run"
    detector = train(run_dir=run, methods="auc_adapted", **SMALL, **OWN)
    history = read_csv(run / "auc_adapted/seed-1/history.csv")
    assert [row["pattern"] for row in history] == ["1", "2", "1", "2"]
    assert [float(row["weight_kl"]) for row in history] == [1.0, 1e-10, 1.0, 1e-10]
    summary = read_json(run / "summary.json")
    assert (summary["dataset"], summary["rule"], summary["score"]) == tuple(OWN.values())
    assert 0 <= summary["methods"]["auc_adapted"]["per_seed"][0]["by_score"]["median"]["auc"] <= 1
    images = [np.full((16, 16), 100, np.uint8)]
    loaded = Detector.load(run / "auc_adapted/seed-1/detector")
    assert loaded.score(images) == detector.score(images)
    monkeypatch.delitem(SCORES, "median")
    with pytest.raises(DetectorError, match="Expected a score among mse, .* Received: median"):
        Detector.load(run / "auc_adapted/seed-1/detector")


def test_a_score_that_is_newer_than_the_results_is_not_in_their_table(registered):
    study = Study(ROOT / "docs/results/study")
    header, *_ = scores_table(study, study.datasets)
    assert "| mse |" in header
    assert "median" not in header


@pytest.mark.exhaustive
def test_a_method_trains_in_the_experiment_of_its_kind(registered, tmp_path, monkeypatch):
    weak = {"bce": 1.0, "kl": 0.25}
    rule_method = RuleMethod("Weak KL", "a quarter", lambda c: PaperRule([weak], f_update=c.epochs))
    monkeypatch.setitem(METHODS, "weak", rule_method)
    monkeypatch.setitem(
        METHODS, "pixels", LinearMethod("Pixels", lambda x, k, seed: np.eye(k, 256))
    )
    small = SMALL | {"dataset": "squares"}
    train(run_dir=tmp_path / "run", methods="weak", **small)
    history = read_csv(tmp_path / "run/weak/seed-1/history.csv")
    assert [float(row["weight_kl"]) for row in history] == [0.25] * 4
    assert "Weak KL" in (tmp_path / "run/summary.md").read_text()
    del small["epochs"]
    train(run_dir=tmp_path / "baselines", experiment="baselines", **small)
    text = (tmp_path / "baselines/summary.md").read_text()
    assert text.startswith("# squares: Mean image and PCA and Pixels\n")
    with pytest.raises(ConfigError, match="Received: methods=.*pixels"):
        train(run_dir=tmp_path / "other", methods="pixels", **SMALL)


@pytest.mark.slow
def test_a_signal_has_its_column_its_tag_and_its_words(registered, tmp_path, monkeypatch, capsys):
    all_images = dataclasses.replace(
        SIGNALS["labels"],
        auc="auc_of_all",
        splits=("adapt", "calibration", "synthetic"),
        name="all",
        wording=Wording(epoch="where ALL is highest", steered="THEY DID.", threshold="THEIRS"),
    )
    monkeypatch.setitem(SIGNALS, "all", all_images)
    run = tmp_path / "run"
    own = {"dataset": "squares", "adapt_signal": "all", "methods": "conventional"}
    train(run_dir=run, **SMALL, **own)
    history = read_csv(run / "conventional/seed-1/history.csv")
    aucs = [name for name in history[0] if "auc" in name]
    assert aucs == ["adapt_auc", "adapt_auc_synthetic", "auc_of_all"]
    aucs = [float(row["auc_of_all"]) for row in history]
    (entry,) = read_json(run / "summary.json")["methods"]["conventional"]["per_seed"]
    assert entry["epoch"] == 1 + aucs.index(max(aucs))
    text = (run / "summary.md").read_text()
    assert all(words in text for words in ("where ALL is highest.", "THEY DID.", "with THEIRS."))
    assert f"all AUC {aucs[-2]:.4f} after epoch {len(aucs) - 1}" in capsys.readouterr().err
    events = b"".join(path.read_bytes() for path in run.glob("conventional/seed-1/events.*"))
    assert b"auc/all" in events


def test_what_is_not_registered_is_named_with_what_is_nearest(registered, tmp_path):
    for name, wrong in (("rule", "alternatin"), ("score", "medain"), ("dataset", "square s")):
        with pytest.raises(ConfigError, match=f"Received: {name}={wrong}") as error:
            train(run_dir=tmp_path / "run", **SMALL, **(OWN | {name: wrong}))
        assert "did you mean" in str(error.value)
    with pytest.raises(ConfigError, match="did you mean epochs"):
        train(run_dir=tmp_path / "run", epoch=3)
    assert not (tmp_path / "run").exists()


def test_a_threshold_brings_its_number_s_range_and_its_warning(monkeypatch):
    share_of_largest = NormalMethod(
        "a share of the largest normal score",
        lambda scores, share: share * float(scores.max()),
        flag="share",
        number="the share",
        default=1.0,
        alarms=lambda scores, threshold, share: counted(scores, threshold),
        between=(0.0, 2.0),
        warn=lambda num_normal, share: f"{num_normal} images are few." if num_normal < 5 else "",
    )
    monkeypatch.setitem(THRESHOLDS, "share", share_of_largest)
    rows = [{"split": "calibration", "label": 0, "score": score} for score in (1.0, 2.0, 4.0)]
    found = calibrate(rows, "share", 0.5)
    assert (found.value, found.false_alarms.count) == (2.0, 2)
    assert describe(found).endswith("\nWarning: 3 images are few.")
    assert "Warning" not in describe(calibrate(rows * 2, "share", 0.5))
    with pytest.raises(CalibrationError, match="a number between 0 and 2 as share for the thresh"):
        calibrate(rows, "share", 2.0)


def test_a_command_s_flags_know_what_is_registered(registered):
    from awl_vae.training.config import AUCAdaptedConfig
    from awl_vae.training.settings import settings_of

    kinds = settings_of(AUCAdaptedConfig)
    assert kinds["rule"].parse("alternating") == "alternating"
    assert "alternating: every second epoch without the KL term" in kinds["rule"].help
    assert dataclasses.is_dataclass(kinds["score"])
    assert "median" in kinds["score"].expected
