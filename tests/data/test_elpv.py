import importlib.util
import shutil
from collections import Counter

import commands
import cv2
import numpy as np
import pytest
from conftest import assert_same_bits, read_json, variables_of

from awl_vae.data import SPLITS, DataError, load_dataset

METHODS = ("conventional", "auc_adapted")
needs_elpv = pytest.mark.skipif(
    importlib.util.find_spec("elpv_dataset") is None, reason="needs the extra elpv"
)


def load(name, protocol="heldout"):
    return load_dataset(name, (32, 32), num_train=None, protocol=protocol, resize="stretch")


def test_without_the_extra_one_line_names_the_install_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'awl-vae\[elpv\]'"):
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


@pytest.mark.exhaustive
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


@needs_elpv
@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", [(), ("--rule=climb", "--patterns=ladder")])
def test_the_photographs_as_a_folder_give_the_same_model_with_and_without_the_labelled(
    tmp_path, rule
):
    folder = tmp_path / "photographs"
    for _, item in load("elpv_mono").items():
        part = "test" if item.label else "train"
        path = folder / part / (item.defect or "good") / item.name.replace("/", "_")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), item.load())
    good = sorted((folder / "train/good").iterdir())
    (folder / "test/good").mkdir()
    for path in good[::4]:
        path.rename(folder / "test/good" / path.name)
    models = []
    for name in ("labelled", "unlabelled"):
        run = tmp_path / name
        commands.run(
            "run_auc_adapted.py",
            *("--dataset=folder", f"--data_dir={folder}", f"--run_dir={run}", "--epochs=12"),
            *("--adapt_signal=synthetic", "--image_size=32", *rule),
        )
        models.append([variables_of(run / method / "seed-1") for method in METHODS])
        shutil.rmtree(folder / "test", ignore_errors=True)
    for one, other in zip(*models, strict=True):
        assert_same_bits(one, other)
