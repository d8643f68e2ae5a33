"""Files that cannot grow, as on a full disk: an error that names what could not be written."""

import contextlib
import resource

import numpy as np
import pytest
from conftest import black_detector

from awl_vae.callbacks.event_writer import TensorBoardRun
from awl_vae.data.check import Report, write_page
from awl_vae.detection.export import export
from awl_vae.detection.export_formats import FORMATS
from awl_vae.detection.finding import UNREADABLE, Finding
from awl_vae.detection.journal import Journal
from awl_vae.system import atomic_directory, atomic_path, write_json
from awl_vae.system.errors import files_error


@contextlib.contextmanager
def no_space(path, limit=100):
    """Checks that an error names `path`, where no file may have more than `limit` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    expected = f"Expected files that can be read and written. Received: File too large, {path}"
    assert str(files_error(caught.value)) == expected


@pytest.mark.parametrize("format_name", FORMATS)
def test_exports(tmp_path, format_name):
    path = tmp_path / "out"
    detector = black_detector()
    with no_space(path):
        export(detector, path, format=format_name, input_size=(16, 16), dtype="uint8")
    assert not list(tmp_path.iterdir())


def test_settings_of_a_detector(tmp_path):
    detector = black_detector()
    detector.save(tmp_path / "detector")
    before = (tmp_path / "detector/detector.json").read_text()
    with no_space(tmp_path / "detector/detector.json"):
        detector.save_settings(tmp_path / "detector")
    assert (tmp_path / "detector/detector.json").read_text() == before
    assert len(list((tmp_path / "detector").iterdir())) == 3


def test_a_network(tmp_path):
    with no_space(tmp_path / "a.keras"), atomic_path(tmp_path / "a.keras") as path:
        black_detector().scorer.save(path)
    assert not list(tmp_path.iterdir())


def test_arrays_and_json(tmp_path):
    with no_space(tmp_path / "a.npz"), atomic_path(tmp_path / "a.npz") as path:
        np.savez(path, np.zeros(1000))
    with no_space(tmp_path / "a.json"):
        write_json(tmp_path / "a.json", list(range(100)))
    assert not list(tmp_path.iterdir())


def test_the_page_of_a_check(tmp_path):
    with no_space(tmp_path / "check.html"):
        write_page(tmp_path / "check.html", Report("Images", [], []), lambda name: None)
    assert not list(tmp_path.iterdir())


def test_events_that_have_no_place(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as caught:
        TensorBoardRun(tmp_path / "file/events", begin=1, terms=["bce"], hyper_parameters={})
    assert caught.value.filename == str(tmp_path / "file/events")


def test_a_finding_is_no_half_line_that_nobody_hears_of(tmp_path):
    journal = Journal(tmp_path / "inspection.csv")
    with no_space(tmp_path / "inspection.csv"):
        journal.append(Finding(tmp_path / ("x" * 200), None, UNREADABLE, error="no image"))
    journal.close()


def test_a_directory_of_files(tmp_path):
    def write(path, name):
        with atomic_directory(path) as temporary:
            (temporary / "a.txt").write_text("x")
            name(temporary)

    ways = {
        "out": lambda directory: (directory / "b.txt").write_text(1000 * "x"),
        "out/b.json": lambda directory: write_json(directory / "b.json", 1000 * "x"),
    }
    for name, way in ways.items():
        with no_space(tmp_path / name):
            write(tmp_path / "out", way)
        assert not list(tmp_path.iterdir())
