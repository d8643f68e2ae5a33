"""Odd images, in an inspection and in a training folder: a line each, and the others as without."""

import csv
import io
import os
import shutil
import signal

import commands
import cv2
import pytest
from cases import assert_nothing_half_written, assert_one_line, cases, kind_of, state
from conftest import black_detector, make_folder, stripes
from odd_images import KINDS

from awl_vae.data import DataError, load_dataset, prepare, read_image
from awl_vae.data.check import Survey, write_page
from awl_vae.training.check import check

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

CASES = cases({kind: count for kind, (count, _) in KINDS.items()})
WHOLE = ("odd_names", "appended", "odd_sizes")
"""Kinds of which every image is read."""

NONE = ("no_files", "empty", "noise", "text", "bomb", "truncated", "float_tiff")
"""Kinds of which none is."""

SECONDS = 20
NUM_GOOD = 8


def write(case, directory):
    directory.mkdir(exist_ok=True)
    return KINDS[kind_of(case)][1](state(case), directory, case)


@pytest.fixture
def in_time():
    """Fails a test that hangs."""

    def fail(*_):
        raise AssertionError(f"it took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def inspection(request, tmp_path_factory):
    """All the odd images that are asked for, inspected at once among good ones.

    By case its image, and by path the line of each image.
    """
    root = tmp_path_factory.mktemp("inspection")
    names = {item.callspec.params["case"] for item in request.session.items if is_inspected(item)}
    black_detector().save(root / "detector")
    for index in range(NUM_GOOD):
        path = root / f"images/a{index}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), stripes(index, defect=index % 2 == 1))
    shutil.copytree(root / "images", root / "good")
    _, alone = inspected(root, root / "good", root / "alone")
    odd = {name: write(name, root / "images" / name) for name in sorted(names)}
    command, rows = inspected(root, root / "images", root / "output")
    said = [line for line in command.stderr.splitlines() if "%  " not in line]
    assert len(said) == 3 + ("Passed over" in command.stderr), said
    for path, row in alone.items():
        assert rows[path.replace("/good/", "/images/")][1:5] == row[1:5]
    assert (root / "output/report.html").exists()
    assert_nothing_half_written(root)
    return odd, rows


def is_inspected(item):
    return item.name.startswith("test_inspected[")


def inspected(root, images, output):
    """The command, and by path its lines."""
    flags = (f"--model_dir={root / 'detector'}", f"--images={images}", f"--output_dir={output}")
    command = commands.Command("inspect_images.py", *flags)
    status = command.wait()
    text = os.fsdecode((output / "inspection.csv").read_bytes())
    rows = {row[0]: row for row in csv.reader(io.StringIO(text, newline=""))}
    assert rows.pop("path")
    verdicts = {row[2] for row in rows.values()}
    expected = 1 if "anomalous" in verdicts else 3 if "unreadable" in verdicts else 0
    assert status == expected, command.stderr
    return command, rows


@pytest.mark.parametrize("case", CASES)
def test_inspected(inspection, case):
    odd, rows = inspection
    path = odd[case]
    row = rows[str(path)]
    verdict, error = row[2], row[4]
    if kind_of(case) in WHOLE:
        assert verdict != "unreadable", error
    if kind_of(case) in NONE:
        assert verdict == "unreadable"
    if verdict == "unreadable":
        assert_one_line(error, " ".join(str(path).split()))
        assert row[1] == ""
    else:
        assert float(row[1]) >= 0.0
        assert error == ""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("photographs") / "images")


@pytest.mark.parametrize("case", CASES)
def test_to_train_on(photographs, tmp_path, case, in_time):
    good = photographs / "train/good"
    before = {*good.iterdir()}
    path = write(case, good)
    error = ""
    try:
        settings = {"num_train": None, "protocol": "heldout", "resize": "stretch"}
        dataset = load_dataset("folder", (16, 16), data_dir=str(photographs), **settings)
        paths = {"cache_path": tmp_path / "cache.npy", "manifest_path": tmp_path / "dataset.json"}
        data = prepare(dataset, **paths, num_threads=2)
    except DataError as found:
        error = str(found)
    finally:
        for other in {*good.iterdir()} - before:
            other.unlink()
    if error:
        assert kind_of(case) not in WHOLE or "file names" in error
        assert case in error
        assert_one_line(error)
        assert not [*tmp_path.iterdir()]
    else:
        assert kind_of(case) not in NONE
        is_read = path.suffix != ".jp2"
        assert sum(len(data.positions[name]) for name in ("train", "calibration")) == 30 + is_read


@pytest.mark.parametrize("case", CASES)
def test_checked(photographs, tmp_path, case, in_time):
    good = photographs / "train/good"
    before = {*good.iterdir()}
    path = write(case, good)
    new = {*good.iterdir()} - before
    try:
        seen = Survey.of(photographs, (16, 16), "stretch", num_threads=2)
        report = check(seen, 0.1)
    finally:
        for other in new:
            other.unlink()
    name = seen.layout.name(path)
    others = {seen.layout.name(other) for other in before}
    assert others <= {image.name for image in seen.images}
    assert {*seen.unreadable} <= {seen.layout.name(other) for other in new}
    if kind_of(case) in WHOLE:
        assert all("file names" in error for error in seen.unreadable.values())
    if kind_of(case) in NONE:
        assert name in seen.unreadable or path.suffix == ".jp2"
    assert not [line for line in report.lines() if len(line.splitlines()) > 1]
    write_page(tmp_path / "check.html", report, seen.picture)
    assert_nothing_half_written(tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_read(tmp_path, case, in_time):
    path = write(case, tmp_path)
    for source in (path, path.read_bytes() if path.is_file() else path):
        try:
            image = read_image(source)
        except DataError as error:
            text = str(error).replace(str(path), "PATH")
        else:
            assert image.size
            assert image.dtype in ("uint8", "uint16")
            continue
        assert_one_line(text)
