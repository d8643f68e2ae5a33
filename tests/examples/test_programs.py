"""The programs in examples/, run as a reader runs them."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
from conftest import black_detector, make_folder, read_csv, stripes

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def run(name, *arguments, cwd):
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_every_program_is_tested():
    tests = Path(__file__).read_text()
    for program in EXAMPLES.glob("*.py"):
        assert f'"{program.name}"' in tests


@pytest.mark.slow
def test_own_photographs(tmp_path):
    folder = make_folder(tmp_path / "photographs")
    text = run("own_photographs.py", folder, folder / "test/spot/000.png", 2, cwd=tmp_path)
    assert "Normal images that are called anomalous" in text
    assert text.splitlines()[-1].startswith(f"{folder}/test/spot/000.png: ")


@pytest.mark.slow
def test_own_rule(tmp_path):
    run("own_rule.py", cwd=tmp_path)
    history = read_csv(tmp_path / "runs/own_rule/auc_adapted/seed-1/history.csv")
    weights = [float(row["weight_kl"]) for row in history]
    assert weights[0] == 1.0
    assert all(after in (before, before / 2) for before, after in pairwise(weights))
    record = 0.0
    for row, following in pairwise(history):
        auc = float(row["adapt_auc"])
        assert (row["weight_kl"] == following["weight_kl"]) == (auc > record)
        record = max(auc, record)


def test_onnx_without_tensorflow(tmp_path):
    from awl_vae.detection.export import export

    detector = black_detector(size=(16, 16), threshold=0.1)
    network = tmp_path / "detector.onnx"
    export(detector, network, format="onnx", input_size=(24, 20), dtype="uint8")
    image = stripes(1)
    cv2.imwrite(str(tmp_path / "image.png"), image)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in ("tensorflow", "keras", "awl_vae"):
        (hidden / f"{name}.py").write_text("raise AssertionError\n")
    program = EXAMPLES / "onnx_without_tensorflow.py"
    command = [sys.executable, str(program), "detector.onnx", "image.png"]
    finished = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(hidden)}, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert f"score {detector.score([image])[0]:.4g}, anomalous" in finished.stdout
