"""Damaged files of detectors, run directories and inspections: a line that names the file, or as if
nothing were wrong."""

import contextlib
import io
import shutil

import cv2
import numpy as np
import pytest
from cases import assert_nothing_half_written, assert_one_line, cases, state
from conftest import black_detector, make_folder, stripes
from odd_files import BINARY_KINDS, CSV_KINDS, JSON_KINDS

from awl_vae.detection import Detector, DetectorError, calibrate, describe
from awl_vae.detection.inspection import Inspector
from awl_vae.detection.listing import Listing
from awl_vae.detection.output import Output
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import InSequence
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.run_directory import open_run_directory
from awl_vae.training.runner import run_experiment

KINDS = {"json": JSON_KINDS, "csv": CSV_KINDS, "keras": BINARY_KINDS}


def cases_of(counts):
    """Cases "<file>:<kind>-<number>", by file how many there are of a kind."""
    return cases(
        {
            f"{name}:{kind}": count
            for name, count in counts.items()
            for kind in KINDS[name.rpartition(".")[2]]
        }
    )


def damage(case, directory, name=None):
    """Damages a file; returns its path."""
    file, _, kind = case.rpartition("-")[0].partition(":")
    path = directory / (name or file)
    path.write_bytes(KINDS[file.rpartition(".")[2]][kind](state(case), path.read_bytes()))
    return path


def content(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.filterwarnings("ignore::UserWarning:keras")
@pytest.mark.parametrize(
    "case", cases_of({"detector.json": 3, "calibration.csv": 2, "scorer.keras": 3})
)
def test_a_detector(case, tmp_path):
    black_detector().save(tmp_path)
    path = damage(case, tmp_path)
    before = content(tmp_path)
    try:
        detector = Detector.load(tmp_path)
    except DetectorError as error:
        assert_one_line(str(error).replace(str(path), str(tmp_path)), tmp_path)
    else:
        assert "nan" not in describe(detector.threshold)
        finding = detector.inspect(stripes(1))
        assert finding.verdict == "normal" or detector.threshold.value < 0.25
        assert finding.score == pytest.approx(black_detector().score([stripes(1)])[0], rel=1e-6)
        with contextlib.suppress(UserError):
            calibrate(detector.calibration, "quantile", 0.1)
    assert content(tmp_path) == before


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of linear models, and what it was told."""
    root = tmp_path_factory.mktemp("run")
    folder = make_folder(root / "photographs")
    given = {"dataset": "folder", "data_dir": str(folder), "image_size": 16, "latent_dim": 4}
    go_on(root / "run", given)
    return root / "run", given


def go_on(directory, given):
    """What the command does in a run directory."""
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        open_run_directory("baselines", given, run_dir=directory, overwrite=False) as opened,
    ):
        run_experiment(EXPERIMENTS["baselines"].load(), opened, InSequence())
    return printed.getvalue()


RESULT = "pca/seed-1/result.json"
IN_A_RUN = {"config.json": 2, "dataset.json": 1, "baseline.json": 2, RESULT: 3}


@pytest.mark.parametrize("case", cases_of(IN_A_RUN | {"pca/seed-1/detector/detector.json": 1}))
def test_a_finished_run(case, run, tmp_path):
    finished, given = run
    directory = shutil.copytree(finished, tmp_path / "run")
    path = damage(case, directory)
    before = content(directory)
    try:
        go_on(directory, given)
    except UserError as error:
        names_run = "is not that of a run" in str(error)  # and then its file
        assert_one_line(str(error), *((directory, path.name) if names_run else (path,)))
        for other, data in content(directory).items():
            assert other.name in ("summary.json", "summary.md") or data == before[other]
    assert_nothing_half_written(directory)


@pytest.mark.parametrize("name", ["config.json", "dataset.json", "baseline.json", RESULT])
def test_a_run_whose_file_is_gone_or_a_directory(run, tmp_path, name):
    finished, given = run
    directory = shutil.copytree(finished, tmp_path / "run")
    (directory / name).unlink()
    (directory / name).mkdir()
    with pytest.raises((UserError, OSError), match=name):
        go_on(directory, given)


@pytest.fixture(scope="module")
def inspection(tmp_path_factory):
    """A detector, images, and an inspection of half of them."""
    root = tmp_path_factory.mktemp("inspection")
    (root / "images").mkdir()
    for index in range(6):
        image = np.full((20, 20), 255, np.uint8) if index % 2 else stripes(index)
        cv2.imwrite(str(root / f"images/{index}.png"), image)
    (root / "images/1.jpg").write_bytes(b"no image")
    detector = black_detector()
    paths = sorted((root / "images").iterdir())
    inspect(detector, paths[:4], root / "output", root)
    return detector, paths, root


def inspect(detector, paths, directory, root):
    lines = []
    inspector = Inspector(detector, 4, 2, lines.append, lines.append)
    with contextlib.redirect_stderr(io.StringIO()):
        return inspector.inspect(Listing(paths), Output(detector, directory, root=root / "images"))


@pytest.mark.parametrize("case", cases_of({"inspection.json": 1, "inspection.csv": 5}))
def test_an_inspection(case, inspection, tmp_path):
    detector, paths, root = inspection
    directory = shutil.copytree(root / "output", tmp_path / "output")
    path = damage(case, directory)
    try:
        counts = inspect(detector, paths, directory, root)
    except UserError as error:
        assert_one_line(str(error).replace(str(path), str(directory)), directory)
    else:
        assert counts.verdicts.total() == len(paths)
        assert counts.verdicts["unreadable"] >= 1
    assert_nothing_half_written(tmp_path)
