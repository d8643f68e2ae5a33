"""Killed at random moments and started again, a command leaves what an uninterrupted one does."""

import shutil
import signal
import time

import commands
import cv2
import pytest
from cases import assert_nothing_half_written, state
from conftest import assert_same_bits, black_detector, make_folder, stripes, tiny, variables_of

pytestmark = pytest.mark.exhaustive

NUM_IMAGES = 60
CHANGING = ("events.out", ".lock", "environment.json", ".keras")
"""In the names of files that are never the same twice."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A detector, and images of which every seventh is none."""
    root = tmp_path_factory.mktemp("kills")
    black_detector().save(root / "detector")
    (root / "images").mkdir()
    for index in range(NUM_IMAGES):
        path = root / f"images/{index:03d}.png"
        if index % 7 == 6:
            path.write_bytes(b"no image")
        else:
            size = (600 + index, 800)
            cv2.imwrite(str(path), stripes(index, size=size, defect=index % 2 == 0))
    return root


def content(directory):
    """By name, the bytes of the files that are always the same."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not any(part in path.name for part in CHANGING)
    }


def assert_same_files(directory, whole):
    found, expected = content(directory), content(whole)
    assert found.keys() == expected.keys()
    assert not [name for name, data in expected.items() if found[name] != data]
    for model in whole.rglob("*.keras"):
        if model.name == "model.keras":
            twin = directory / model.relative_to(whole).parent
            assert_same_bits(variables_of(twin), variables_of(model.parent))
    assert_nothing_half_written(directory)


def kill_at_random(start, within, rng):
    """Starts a command and kills it; returns whether it had not ended before."""
    command = start()
    time.sleep(rng.uniform(0.0, within))
    status = command.kill()
    assert status in (-signal.SIGKILL, 0, 1, 3)
    return status == -signal.SIGKILL


def torture(start, whole, directory, *, kills, within, rng, finish):
    """Kills a command so many times, a few of them in a directory before it may end there."""
    while kills:
        shutil.rmtree(directory, ignore_errors=True)
        for _ in range(min(kills, 1 + rng.randint(6))):
            kills -= kill_at_random(start, within, rng)
        finish()
        assert_same_files(directory, whole)


def flags(root, output, *more):
    named = (f"--model_dir={root / 'detector'}", f"--images={root / 'images'}")
    return (*named, f"--output_dir={output}", "--batch_size=4", *more)


def test_an_inspection(images, tmp_path):
    def start():
        return commands.Command("inspect_images.py", *flags(images, output))

    def finish():
        assert start().wait() == 3

    output = tmp_path / "whole"
    finish()
    began = time.monotonic()
    output = tmp_path / "again"
    finish()
    within = 1.2 * (time.monotonic() - began)
    output, whole = tmp_path / "output", tmp_path / "whole"
    rng = state("inspection")
    torture(start, whole, output, kills=30, within=within, rng=rng, finish=finish)


def test_watching(images, tmp_path):
    output, whole = tmp_path / "output", tmp_path / "whole"

    def start():
        return commands.Command("inspect_images.py", *flags(images, output, "--watch"))

    def finish():
        command = start()
        # All lines may be there before it is ready for an interrupt.
        command.wait_until_said("Watching")
        command.wait_for_lines(output / "inspection.csv", 1 + NUM_IMAGES)
        command.interrupt()
        assert command.wait() == 3

    commands.run("inspect_images.py", *flags(images, whole), expected=3)
    rng = state("watching")
    torture(start, whole, output, kills=20, within=4.0, rng=rng, finish=finish)


def test_training(tmp_path):
    folder = make_folder(tmp_path / "photographs")
    output, whole = tmp_path / "run", tmp_path / "whole"

    def start():
        return commands.Command("run_auc_adapted.py", *tiny(folder, output))

    def finish():
        assert start().wait() == 0

    began = time.monotonic()
    commands.run("run_auc_adapted.py", *tiny(folder, whole))
    within = 1.2 * (time.monotonic() - began)
    rng = state("training")
    torture(start, whole, output, kills=40, within=within, rng=rng, finish=finish)


def test_a_check(images, tmp_path):
    output, whole = tmp_path / "output", tmp_path / "whole"

    def start(directory=output):
        return commands.Command("check_images.py", images / "images", f"--output_dir={directory}")

    def finish():
        assert start().wait() == 1

    began = time.monotonic()
    assert start(whole).wait() == 1
    within = 1.2 * (time.monotonic() - began)
    rng = state("check")
    torture(start, whole, output, kills=10, within=within, rng=rng, finish=finish)
