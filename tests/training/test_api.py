"""Training from Python does what the commands do."""

import inspect

import commands
import keras
import numpy as np
import pytest
from conftest import read_json, stripes, tiny, tiny_search

from awl_vae import Detector, train
from awl_vae.system.errors import UserError
from awl_vae.training.config import ConfigError
from awl_vae.training.resolve import KEYWORDS
from awl_vae.training.run_directory import RunDirectoryError

SMALL = {"image_size": 16, "latent_dim": 4, "batch_size": 8, "num_threads": 2}
WITHOUT_TIME = ("history.csv", "branches.csv", "scores.csv", "all_scores.csv", "summary.json")


def files(run):
    return sorted(p.relative_to(run) for p in run.rglob("*") if "events.out" not in p.name)


@pytest.mark.slow
def test_the_same_files_and_bits_as_the_command(image_folder, tmp_path):
    script = commands.run(
        "run_auc_adapted.py", *tiny(image_folder, tmp_path / "command", "--num_threads=2")
    )
    detector = train(image_folder, run_dir=tmp_path / "api", epochs=4, f_update=1, **SMALL)
    assert "auc_adapted" in script.stdout
    assert files(tmp_path / "api") == files(tmp_path / "command")
    assert read_json(tmp_path / "api/config.json") == read_json(tmp_path / "command/config.json")
    for path in files(tmp_path / "command"):
        if path.name in WITHOUT_TIME:
            assert (tmp_path / "api" / path).read_bytes() == (
                tmp_path / "command" / path
            ).read_bytes()
    saved = Detector.load(tmp_path / "command/auc_adapted/seed-1/detector")
    images = [stripes(1), stripes(2, defect=True)]
    np.testing.assert_array_equal(detector.score(images), saved.score(images))
    assert detector.threshold == saved.threshold


@pytest.mark.exhaustive
def test_it_goes_on_where_a_command_ended_and_adds_seeds(image_folder, tmp_path, capsys):
    run = tmp_path / "run"
    commands.run("run_loss_adapted.py", *tiny_search(image_folder, run, "--num_threads=2"))
    before = (run / "loss_adapted/seed-1/history.csv").read_bytes()
    settings = SMALL | {"experiment": "loss_adapted", "e1": 1, "e2": 3, "e3": 5}
    train(image_folder, run_dir=run, **settings)
    assert "Finished: 1 run;" in capsys.readouterr().out
    train(image_folder, run_dir=run, seeds=(1, 2), **settings)
    assert (run / "loss_adapted/seed-1/history.csv").read_bytes() == before
    assert (run / "loss_adapted/seed-2/history.csv").exists()
    # Another configuration is refused, and the lock is free again after it.
    for _ in range(2):
        with pytest.raises(RunDirectoryError, match=r"Received: e3=6 \(there: 5\)"):
            train(image_folder, run_dir=run, **(settings | {"e3": 6}))


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        (
            {"experiment": "auc-adapted"},
            "Expected an experiment among auc_adapted, loss_adapted, baselines (did you mean "
            "auc_adapted?). Received: experiment=auc-adapted",
        ),
        (
            {"epoch": 3, "dataset": "folder"},
            "Expected settings of auc_adapted (did you mean epochs?). Received: epoch=3",
        ),
        (
            {"run_dri": "x"},
            "Expected settings of auc_adapted (did you mean run_dir?). Received: run_dri=x",
        ),
        ({"zzz": 2}, "Expected settings of auc_adapted. Received: zzz=2"),
        ({"dataset": "folder"}, "Expected data_dir with dataset=folder. Received: none."),
        (
            {"experiment": "loss_adapted", "e1": 5, "e2": 3},
            "Expected e1 < e2 < e3. Received: e1=5, e2=3, e3=40.",
        ),
        (
            {"learning_rate": 10**400},
            f"Expected a finite number above 0 as learning_rate. Received: learning_rate={10**400}",
        ),
        (
            {"run_dir": "/proc/no"},
            "Expected files that can be read and written. "
            "Received: No such file or directory, /proc/no",
        ),
    ],
)
def test_what_is_wrong_is_told_in_keywords(keywords, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        train(**keywords)
    assert str(error.value) == expected
    assert not list(tmp_path.iterdir())


def test_the_keywords_are_those_of_train():
    parameters = inspect.signature(train).parameters
    assert list(parameters) == [*KEYWORDS, "settings"]


@pytest.mark.slow
def test_files_go_where_those_of_the_command_go(image_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(image_folder, experiment="baselines", **SMALL | {"batch_size": 4})
    assert (tmp_path / "runs/baselines/folder/summary.json").is_file()


@pytest.mark.slow
def test_what_a_command_would_refuse(image_folder, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(ConfigError, match="Expected a positive integer of at most .* as epochs"):
        train(image_folder, run_dir=run, epochs=0)
    with pytest.raises(ConfigError, match="Expected names with commas between.* methods="):
        train(image_folder, run_dir=run, methods=5)
    with pytest.raises(UserError, match="Received: data_dir"):
        train(tmp_path / "nowhere", run_dir=run, **SMALL)
    keras.ops.zeros(1)  # TensorFlow has its threads from now on.
    with pytest.raises(UserError, match="Expected num_threads=3 before TensorFlow"):
        train(image_folder, run_dir=run, **(SMALL | {"num_threads": 3}))
    with pytest.raises(UserError, match="Expected a training that ends with finite numbers"):
        train(image_folder, run_dir=tmp_path / "nan", epochs=2, learning_rate=1e30, **SMALL)
