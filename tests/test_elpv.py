import importlib.util
from collections import Counter

import commands
import numpy as np
import pytest
from conftest import read_json

from data import SPLITS, DataError, load_dataset

needs_elpv = pytest.mark.skipif(
    importlib.util.find_spec("elpv_dataset") is None, reason="needs the extra elpv"
)


def load(name, protocol="heldout"):
    return load_dataset(name, (32, 32), num_train=None, protocol=protocol, resize="stretch")


def test_without_the_extra_one_line_names_the_install_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install -e '\.\[elpv\]'"):
        load("elpv_mono")


@needs_elpv
@pytest.mark.parametrize(
    ("cell_type", "normal", "anomalous"), [("mono", 470, 97), ("poly", 337, 106)]
)
def test_splits(cell_type, normal, anomalous):
    dataset = load(f"elpv_{cell_type}")
    counts = {s: Counter(item.label for item in getattr(dataset, s)) for s in SPLITS}
    # 60 % train, 10 % calibration, the rest and all anomalies half and half.
    assert counts["train"] == {0: normal * 6 // 10}
    assert counts["calibration"] == {0: normal // 10}
    left = normal - normal * 6 // 10 - normal // 10
    assert counts["adapt"] == {0: -(-left // 2), 1: -(-anomalous // 2)}
    assert counts["test"] == {0: left // 2, 1: anomalous // 2}
    names = [item.name for _, item in dataset.items()]
    assert len(set(names)) == len(names)
    paper = load(f"elpv_{cell_type}", protocol="paper")
    assert {item.name for item in paper.adapt} == {
        item.name for item in (*dataset.adapt, *dataset.test)
    }
    assert {item.name for item in paper.train} == {item.name for item in dataset.train}


@needs_elpv
def test_images_are_photographs():
    image = load("elpv_mono").train[0].load()
    assert image.shape == (32, 32)
    assert image.dtype == np.uint8
    assert 50 < image.mean() < 250


@needs_elpv
def test_the_command_on_real_photographs(tmp_path):
    run = tmp_path / "run"
    command = commands.run(
        "run_auc_adapted.py",
        "--dataset=elpv_poly",
        f"--run_dir={run}",
        "--image_size=32",
        "--num_train=64",
        "--epochs=2",
        "--latent_dim=8",
    )
    assert "AUC of the mean intensity alone" in command.stdout
    summary = read_json(run / "summary.json")
    assert summary["dataset"] == "elpv_poly"
    # Dark cells are what is wrong with many: the mean alone tells something, the other way round.
    assert 0.1 < summary["mean_intensity"]["adapt"] < 0.5
