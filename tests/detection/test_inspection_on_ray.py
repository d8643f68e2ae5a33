"""Inspection on Ray: the lines that one process writes, whoever is killed on the way."""

from pathlib import Path

import commands
import cv2
import in_a_worker
import numpy as np
import pytest
from conftest import black_detector

from awl_vae.system import read_csv
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import Task, engine_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),  # of Ray, of its own settings
]

NUM_IMAGES = 1200
WORKER = "_Mapped"
"""What the titles of the workers have in them."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The flags of an inspection of images in directories, one of which is none."""
    root = tmp_path_factory.mktemp("inspection")
    for index in range(NUM_IMAGES):
        path = root / f"images/{index % 3}/{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((20, 20), index % 256, np.uint8))
    path.write_bytes(b"none")
    black_detector().save(root / "detector")
    flags = {"model_dir": root / "detector", "images": root / "images", "batch_size": 4}
    return [*(f"--{name}={value}" for name, value in flags.items()), "--num_threads=1"]


def inspect(asked, output, *more):
    return [*asked, f"--output_dir={output}", *more]


@pytest.fixture(scope="module")
def whole(asked, tmp_path_factory):
    """An inspection in one process, and what it printed."""
    output = tmp_path_factory.mktemp("whole") / "output"
    return output, commands.run("inspect_images.py", *inspect(asked, output), expected=1)


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*.*")
        if path.is_file() and path.suffix != ".parquet"
    }


def test_lines_overlays_and_report_are_those_of_one_process(asked, whole, tmp_path):
    output, plain = whole
    command = commands.run(
        "inspect_images.py", *inspect(asked, tmp_path / "output", "--on=ray"), expected=1
    )
    assert command.stdout == plain.stdout
    assert contents(tmp_path / "output") == contents(output)
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "output/findings")
    rows = read_csv(output / "inspection.csv")
    assert table["path"].to_pylist() == [row["path"] for row in rows]


def test_whoever_is_killed_each_image_has_one_line(asked, whole, tmp_path):
    output = tmp_path / "output"
    flags = inspect(asked, output, "--on=ray")
    command = commands.Command("inspect_images.py", *flags)
    command.wait_for_lines(output / "inspection.csv", 40)
    commands.kill_a_worker(command, WORKER)
    command.kill_at(output / "inspection.csv", 500)
    assert len(read_csv(output / "inspection.csv")) < NUM_IMAGES
    command = commands.run("inspect_images.py", *flags, expected=1)
    assert "Going on after " in command.stderr
    assert contents(output) == contents(whole[0])


def test_an_interrupt_leaves_what_goes_on(asked, whole, tmp_path):
    output = tmp_path / "output"
    flags = inspect(asked, output)
    command = commands.Command("inspect_images.py", *flags, "--on=ray")
    command.wait_for_lines(output / "inspection.csv", 300)
    command.interrupt()
    assert command.wait() == 130
    assert "Interrupted. The same command goes on from here." in command.stderr
    commands.run("inspect_images.py", *flags, expected=1)  # here
    assert contents(output) == contents(whole[0])


@pytest.fixture
def on_ray(monkeypatch):
    """An engine whose workers find modules of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(in_a_worker.__file__).parent))
    return engine_of("ray")


def test_results_come_in_order_and_none_is_too_many(on_ray):
    found = list(on_ray.map(in_a_worker.double, iter(range(10)), together=3, num_threads=1))
    assert found == list(range(0, 20, 2))
    assert not list(on_ray.map(in_a_worker.double, [], together=3, num_threads=1))


def test_what_kills_each_of_its_workers_is_given_up(on_ray):
    with pytest.raises(UserError, match=r"Received: 0, or one of 2 after it, which ended 4 times"):
        list(on_ray.map(in_a_worker.die, range(5), together=3, num_threads=1))


def test_a_task_whose_workers_die_may_have_a_result(on_ray):
    lost = Task("lost", in_a_worker.die, ((),), units=1, num_threads=1, on_lost=str.upper)
    other = Task("other", in_a_worker.count, ([1, 2],), units=1, num_threads=1)
    found, counted = on_ray.run([lost, other])
    assert found.startswith("EXPECTED A WORKER THAT LIVES UNTIL ITS TASK ENDS. RECEIVED: LOST")
    assert counted == 2


def test_what_a_worker_raises_is_raised_here(on_ray):
    with pytest.raises(UserError, match=r"^Expected none\. Received: 7$"):
        list(on_ray.map(in_a_worker.refuse, [7], together=3, num_threads=1))
    with pytest.raises(UserError, match=r"num_threads of at most \d+"):
        list(on_ray.map(in_a_worker.refuse, [7], together=3, num_threads=1000))
