"""The commands around a trained detector, as real processes."""

import json
import shutil
import signal
import time

import commands
import cv2
import numpy as np
import pytest
from conftest import make_folder, read_csv, read_json, stripes, tiny

from detection import Detector
from detection.export import SUFFIXES, ExportError, export


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of photographs and the directory of a method trained on them."""
    root = tmp_path_factory.mktemp("detector")
    folder = make_folder(root / "photographs")
    run = root / "run"
    command = commands.run(
        "run_auc_adapted.py", *tiny(folder, run, "--epochs=1", "--score=standardized")
    )
    return folder, run / "auc_adapted/seed-1", command


def inspected(model_dir, images, *more, expected):
    flags = (f"--model_dir={model_dir}", f"--images={images}", *more)
    return commands.run("inspect_images.py", *flags, expected=expected)


def test_an_experiment_leaves_a_detector_that_scores_as_it_did(trained):
    folder, model_dir, _ = trained
    detector = Detector.load(model_dir / "detector")
    scores = {row["image"]: float(row["score"]) for row in read_csv(model_dir / "scores.csv")}
    names = [row["image"] for row in read_csv(model_dir / "scores.csv") if row["split"] == "test"]
    images = [cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in names]
    np.testing.assert_allclose(detector.score(images), [scores[name] for name in names], rtol=1e-4)
    assert detector.threshold.method == "youden"
    summary = read_json(model_dir.parent.parent / "summary.json")
    (entry,) = summary["methods"]["auc_adapted"]["per_seed"]
    assert detector.threshold.value <= entry["threshold"]
    # One picture of the folder has a mask; it is in one of the two splits.
    values = [entry["pixel_auc"], entry["test_pixel_auc"]]
    assert values.count(None) == 1
    assert 0.5 < max(value for value in values if value is not None) <= 1.0


def test_inspecting_a_folder(trained, tmp_path):
    folder, model_dir, _ = trained
    pictures = tmp_path / "pictures"
    shutil.copytree(folder / "test", pictures)
    (pictures / "good/broken.png").write_bytes(b"\x89PNG broken")
    output = tmp_path / "output"
    command = inspected(model_dir, pictures, f"--output_dir={output}", expected=1)
    rows = read_csv(output / "inspection.csv")
    assert (output / "inspection.csv").read_text().endswith(command.stdout.split("\n", 1)[1])
    assert len(rows) == 15
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    threshold = Detector.load(model_dir / "detector").threshold.value
    for row in rows:
        if row["verdict"] == "unreadable":
            assert "broken.png" in row["error"]
            continue
        assert (row["verdict"] == "anomalous") == (float(row["score"]) >= threshold)
        for x, y, width, height, area, peak in json.loads(row["regions"] or "[]"):
            assert 0 <= x < x + width <= 24
            assert 0 <= y < y + height <= 23
            assert 0 < area <= width * height
            assert peak > 0
    assert len(list((output / "overlays").rglob("*.jpg"))) == 14
    page = (output / "report.html").read_text()
    assert '<dd id="unreadable">1</dd>' in page
    assert page.count("data:image/jpeg;base64,") == 14
    assert "http" not in page.replace("http://www.w3.org", "")
    before = (output / "inspection.csv").read_bytes()
    again = inspected(model_dir, pictures, f"--output_dir={output}", expected=1)
    assert "Going on: 15 pictures" in again.stderr
    assert (output / "inspection.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("names", "expected"), [(["test/good/000.png"], 0), (["test/good/000.png", "no.png"], 3)]
)
def test_exit_status_without_anomalies(trained, tmp_path, names, expected):
    folder, model_dir, _ = trained
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in names:
        source = folder / name
        target = pictures / source.name
        target.write_bytes(source.read_bytes() if source.exists() else b"")
    command = inspected(model_dir, pictures, expected=expected)
    assert command.stdout.startswith("path,score,verdict,regions,error\n")


@pytest.mark.parametrize("flags", [["--model_dir=nowhere", "--images=."], ["--images=."]])
def test_what_cannot_run_ends_with_one_line_and_status_2(flags):
    command = commands.run("inspect_images.py", *flags, expected=2)
    assert command.stderr.startswith("error: ")
    assert len(command.stderr.splitlines()) == 1


def test_watching_loses_and_doubles_nothing_when_killed(trained, tmp_path):
    _, model_dir, _ = trained
    pictures, output = tmp_path / "pictures", tmp_path / "output"
    pictures.mkdir()
    flags = [f"--model_dir={model_dir}", f"--images={pictures}", f"--output_dir={output}"]
    flags += ["--watch", "--batch_size=4"]
    journal = output / "inspection.csv"
    names = []
    for start in range(3):
        command = commands.Command("inspect_images.py", *flags)
        for index in range(12):
            names.append(f"{start}-{index:02d}.png")
            cv2.imwrite(str(pictures / names[-1]), stripes(index, size=(20, 20)))
        wanted = len(names) - (7 if start < 2 else 0)
        while not journal.exists() or len(journal.read_text().splitlines()) < 1 + wanted:
            assert command.is_running()
            time.sleep(0.01)
        if start < 2:
            assert command.kill() == -signal.SIGKILL
        else:
            command.interrupt()
            assert command.wait() in (0, 1)
    found = [row["path"] for row in read_csv(journal)]
    assert sorted(found) == [str(pictures / name) for name in names]
    assert '<dd id="total">36</dd>' in (output / "report.html").read_text()


def test_another_threshold(trained, tmp_path):
    model_dir = tmp_path / "detector"
    shutil.copytree(trained[1] / "detector", model_dir)
    flags = (f"--model_dir={model_dir}", "--threshold=quantile", "--setting=0.2")
    command = commands.run("calibrate_detector.py", *flags)
    threshold = Detector.load(model_dir).threshold
    assert (threshold.method, threshold.setting) == ("quantile", 0.2)
    assert "False alarms on calibration images: " in command.stdout
    assert "95% interval" in command.stdout


@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize(("size", "dtype"), [((16, 16), "uint8"), ((40, 30), "uint16")])
def test_exports_do_what_the_detector_does(trained, tmp_path, kind, size, dtype):
    detector = Detector.load(trained[1] / "detector")
    path = tmp_path / f"exported{SUFFIXES[kind]}"
    assert export(detector, path, format=kind, input_size=size, dtype=dtype) < 1e-4
    settings = read_json(tmp_path / f"{path.name}.json")
    assert settings["threshold"]["value"] == detector.threshold.value
    assert settings["input"] == {"shape": ["N", *size], "dtype": dtype, "content": "gray"}
    assert {child.name for child in tmp_path.iterdir()} == {path.name, f"{path.name}.json"}


def test_an_export_that_differs_is_not_left(trained, tmp_path, monkeypatch):
    detector = Detector.load(trained[1] / "detector")
    monkeypatch.setattr("detection.export.TOLERANCE", -1.0)
    settings = {"format": "saved_model", "input_size": (16, 16), "dtype": "uint8"}
    with pytest.raises(ExportError, match="Expected scores within"):
        export(detector, tmp_path / "exported", **settings)
    assert list(tmp_path.iterdir()) == []
