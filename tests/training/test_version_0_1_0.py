"""What version 0.1.0 left behind goes on: models, detectors, run directories, and the same bits."""

import shutil
from pathlib import Path

import commands
import keras
import numpy as np
import pytest
from conftest import read_csv, read_json

from awl_vae.detection import Detector
from awl_vae.training.environment import environment
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.settings import before_settings

OLD = Path(__file__).parent.parent / "reference/0.1.0"
IMAGES = OLD.parent
SMALL = [
    "--image_size=16",
    "--num_train=40",
    "--latent_dim=2",
    "--batch_size=8",
    "--num_threads=1",
]
AUC_ADAPTED = ["--dataset=bellows", *SMALL, "--methods=auc_adapted", "--epochs=6", "--f_update=1"]
LOSS_ADAPTED = ["--dataset=square", *SMALL, "--score=standardized", "--learning_rate=1e-4"]
LOSS_ADAPTED += ["--e1=2", "--e2=5", "--e3=8"]
RUNS = {
    "auc_adapted": ("run_auc_adapted.py", AUC_ADAPTED),
    "loss_adapted": ("run_loss_adapted.py", LOSS_ADAPTED),
    "baselines": ("run_baselines.py", ["--dataset=bellows", *SMALL]),
}


def machine():
    """What the bits depend on: the processor with its instructions and caches, and the versions."""
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    known = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines)
    names = ("vendor_id", "cpu family", "model", "stepping", "cache size", "flags")
    packages = environment([])["packages"]
    versions = {name: packages[name] for name in ("tensorflow", "keras", "numpy")}
    return {name: known.get(name) for name in names} | versions


def is_same_machine():
    """Whether it is of the type, and has the versions, that wrote the files."""
    return machine() == read_json(OLD / "machine.json")


def assert_same_figures(path, expected, *, elsewhere):
    """The same columns to the letter, or on another machine the same numbers up to rounding.

    Columns that came since are behind them.
    """
    for row, known in zip(read_csv(path), read_csv(expected), strict=True):
        assert [*row][: len(known)] == [*known]
        if is_same_machine():
            assert {name: row[name] for name in known} == known
            continue
        for name, value in known.items():
            if name.startswith("weight_") or name in ("epoch", "loss", "branch", "stage"):
                try:
                    assert float(row[name]) == pytest.approx(float(value), rel=elsewhere)
                except ValueError:
                    assert row[name] == value


def test_a_model_loads_and_reconstructs():
    directory = OLD / "auc_adapted/auc_adapted/seed-1"
    model = keras.saving.load_model(directory / "model.keras")
    assert model.sample_latent
    scorer = Detector.load(directory / "detector").scorer
    x = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(model(x), scorer.model(x))


def test_a_detector_inspects_with_the_same_scores(tmp_path):
    flags = [f"--model_dir={OLD}/auc_adapted/auc_adapted/seed-1", f"--output_dir={tmp_path / 'o'}"]
    images = tmp_path / "images"
    images.mkdir()
    for image in IMAGES.glob("*.png"):
        shutil.copy(image, images)
    commands.run("inspect_images.py", f"--images={images}", *flags)
    found = {Path(row["path"]).name: row for row in read_csv(tmp_path / "o/inspection.csv")}
    known = read_csv(OLD / "inspection.csv")
    assert len(known) == len(found) == 15
    for row in known:
        now = found[row["path"]]
        for name in ("verdict", "regions") if is_same_machine() else ("verdict",):
            assert now[name] == row[name]
        if is_same_machine():
            assert now["score"] == row["score"]
        assert float(now["score"]) == pytest.approx(float(row["score"]), rel=1e-5)


@pytest.mark.parametrize("experiment", RUNS)
def test_a_finished_run_directory_prints_the_same_summary(tmp_path, experiment):
    script, flags = RUNS[experiment]
    run = shutil.copytree(OLD / experiment, tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    command = commands.run(script, *flags, f"--run_dir={run}")
    assert "no image was read again" in command.stdout
    assert f"\n{(OLD / experiment / 'summary.md').read_text()}\n" in command.stdout
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    after.pop(run / ".lock")
    assert after == before


@pytest.mark.slow
def test_an_unfinished_run_directory_goes_on_to_the_same_bits(tmp_path):
    run = shutil.copytree(OLD / "unfinished", tmp_path / "run")
    # The same images, whose list is kept once.
    shutil.copy(OLD / "auc_adapted/dataset.json", run)
    command = commands.run("run_auc_adapted.py", *AUC_ADAPTED, f"--run_dir={run}")
    assert "goes on after epoch" in command.stderr
    assert "goes on with the synthetic defects that it was begun with" in command.stdout
    assert "synthetic_defects" not in read_json(run / "dataset.json")
    history = "auc_adapted/seed-1/history.csv"
    assert_same_figures(run / history, OLD / "auc_adapted" / history, elsewhere=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["auc_adapted", "loss_adapted"])
def test_the_same_settings_give_the_same_bits(tmp_path, experiment):
    script, flags = RUNS[experiment]
    (tmp_path / "run").mkdir()
    if (OLD / experiment / "dataset.json").exists():
        # Begun then, so that its synthetic defects are those of then.
        for name in ("config.json", "dataset.json"):
            shutil.copy(OLD / experiment / name, tmp_path / "run")
    commands.run(script, *flags, f"--run_dir={tmp_path / 'run'}")
    for expected in [*OLD.joinpath(experiment).glob("*/seed-1/*.csv")]:
        if expected.name in ("history.csv", "branches.csv"):
            path = tmp_path / "run" / expected.relative_to(OLD / experiment)
            assert_same_figures(path, expected, elsewhere=1e-3)
    config = read_json(tmp_path / "run/config.json")
    before = before_settings(EXPERIMENTS[experiment].config)
    assert config == before | read_json(OLD / experiment / "config.json")
