"""A detector with another score is the one that a run with that score gives."""

import commands
import cv2
import numpy as np
import pytest
from conftest import assert_same_bits, black_detector, make_folder, stripes

from awl_vae import Detector
from awl_vae.detection import CalibrationError, DetectorError
from awl_vae.system import read_csv, write_csv


@pytest.fixture(scope="module", params=["", pytest.param("roi.png", marks=pytest.mark.exhaustive)])
def runs(request, tmp_path_factory):
    """By score, the detector of a run on the same images, whose network no score has part in."""
    root = tmp_path_factory.mktemp("runs")
    folder = make_folder(root / "photographs")
    for path in folder.rglob("*.png"):  # All have the size of the region.
        cv2.imwrite(str(path), cv2.imread(str(path), 0)[:20])
    region = np.zeros((20, 24), np.uint8)
    region[3:18, 4:20] = 255
    cv2.imwrite(str(root / "roi.png"), region)
    flags = ["--dataset=folder", f"--data_dir={folder}", "--image_size=16", "--latent_dim=4"]
    for score in ("mse", "standardized"):
        run = [f"--run_dir={root / score}", f"--score={score}", "--num_threads=2"]
        run += [f"--roi_mask={root / request.param}"] if request.param else []
        commands.run("run_baselines.py", *flags, *run)
    return {score: root / score / "pca/seed-1/detector" for score in ("mse", "standardized")}


def assert_same(directory, expected):
    for name in ("detector.json", "calibration.csv"):
        assert (directory / name).read_bytes() == (expected / name).read_bytes()
    detectors = [Detector.load(path) for path in (directory, expected)]
    assert_same_bits(*([v.numpy() for v in each.scorer.variables] for each in detectors))
    images = [stripes(index, defect=index > 2) for index in range(5)]
    assert_same_bits(*(each.analyze(images) for each in detectors))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("score", "other"), [("mse", "standardized"), ("standardized", "mse")])
def test_it_is_that_of_a_run_with_the_score(runs, tmp_path, score, other):
    detector = Detector.load(runs[score])
    before = detector.threshold, detector.pixel_threshold
    detector.save(tmp_path / "detector")
    detector.with_score(other).save(tmp_path / "python")
    assert_same(tmp_path / "python", runs[other])
    assert (detector.threshold, detector.pixel_threshold) == before
    flags = [f"--model_dir={tmp_path / 'detector'}"]
    command = commands.run("calibrate_detector.py", *flags, f"--score={other}")
    assert "(youden)" in command.stdout
    assert_same(tmp_path / "detector", runs[other])
    commands.run("calibrate_detector.py", *flags, f"--score={score}")
    assert_same(tmp_path / "detector", runs[score])
    asked = ["--score=max1p", "--false_alarm_rate=0.2"]
    commands.run("calibrate_detector.py", *flags, *asked)
    found = Detector.load(tmp_path / "detector")
    assert (found.scorer.score, found.threshold.method) == ("max1p", "quantile")
    assert found.threshold == detector.with_score("max1p", "quantile", 0.2).threshold


def test_what_is_not_well_defined_is_one_line(runs, tmp_path):
    detector = Detector.load(runs["mse"])
    with pytest.raises(DetectorError, match=r"Expected a score among mse.* Received: score=mxp"):
        detector.with_score("mxp")
    with pytest.raises(CalibrationError, match="Expected a number between"):
        detector.with_score("max1p", "quantile", 2.0)
    by_hand = black_detector()
    with pytest.raises(DetectorError, match="Expected threshold with another score, as the one by"):
        by_hand.with_score("max1p")
    assert by_hand.with_score("mse").threshold == by_hand.threshold
    by_hand.save(tmp_path / "old")  # as 0.1.0 wrote it: with one score
    flags = [f"--model_dir={tmp_path / 'old'}", "--score=max1p", "--threshold=quantile"]
    command = commands.run("calibrate_detector.py", *flags, expected=1)
    assert command.stderr.splitlines()[-1] == (
        "error: Expected a detector that keeps its scores by max1p; one of an earlier version does "
        "not: train with --score=max1p and another --run_dir. "
        "Received: a calibration without score_max1p"
    )
    detector.save(tmp_path / "damaged")
    rows = read_csv(tmp_path / "damaged/calibration.csv")
    rows[0]["peak_max1p"] = "nan"
    write_csv(tmp_path / "damaged/calibration.csv", [*rows[0]], rows)
    damaged = Detector.load(tmp_path / "damaged")
    with pytest.raises(DetectorError, match="Expected a number as peak_max1p. Received: nan"):
        damaged.with_score("max1p")
    assert np.isfinite(damaged.with_score("top_fraction").pixel_threshold)
