import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import read_json
from measure import Worker, alternate, report, shown, spread
from operations import count_operations

from models import VAE

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("likelihood", "num_maps"), [("bernoulli", 1), ("gaussian", 2)])
def test_operations_are_those_of_the_layers(likelihood, num_maps):
    model = VAE((64, 96), latent_dim=7, likelihood=likelihood)
    forward = 0
    for layer in [*model.encoder.layers, *model.decoder.layers]:
        if hasattr(layer, "kernel"):
            # Each place of the smaller side of a layer meets its whole kernel once.
            sides = (layer.input.shape[1:-1], layer.output.shape[1:-1])
            forward += 2 * min(map(np.prod, sides)) * np.prod(layer.kernel.shape)
    first = 2 * 32 * 48 * 4 * 4 * 32
    assert count_operations((64, 96), latent_dim=7, num_maps=num_maps) == (
        forward,
        3 * forward - first,
    )


def test_sides_take_turns():
    turns = []
    taken = alternate(
        {"a": lambda: len(turns), "b": lambda: -len(turns)}, 2, lambda name: turns.append(name)
    )
    assert turns == ["a", "b", "a", "b"]
    assert taken == {"a": [0, 2], "b": [-1, -3]}


def test_a_worker_has_a_turn_a_line_and_says_why_it_ends(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(
        f"""import sys
sys.path.append({str(ROOT / "benchmarks")!r})
from measure import serve
turns = iter([1.5, 2.5, 3.5])
serve(lambda: next(turns))
"""
    )
    worker = Worker(script)
    assert [worker(), worker()] == [2.5, 3.5]
    with pytest.raises(RuntimeError, match=r"worker\.py(?s:.*)StopIteration"):
        worker()
    worker.close()


def test_a_table_and_its_numbers(tmp_path, capsys):
    assert shown({"median": 514.74, "min": 0.12345, "max": 12.0}) == "514.7 (0.123 to 12.0)"
    rows = [{"side": "ours", "ms": spread([3.0, 1.0, 2.0]), "all": [3.0, 1.0, 2.0]}]
    report("Speed", ("side", "ms"), rows, tmp_path / "speed.json")
    text = capsys.readouterr().out
    assert "| ours | 2.00 (1.00 to 3.00) |" in text
    assert (tmp_path / "speed.md").read_text() in text
    content = read_json(tmp_path / "speed.json")
    assert content["rows"] == rows
    assert content["machine"]["cores"] == os.cpu_count()


RESULTS = sorted((ROOT / "benchmarks/results").glob("*.json"))


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.stem)
def test_the_page_has_the_tables_that_the_commands_wrote(results):
    page = (ROOT / "docs/performance.md").read_text()
    content = read_json(results)
    _, _, table = results.with_suffix(".md").read_text().partition("\n\n")
    assert table.count("\n") == len(content["rows"]) + 2
    assert table in page
    assert content["machine"]["processor"] in page


def test_every_command_has_its_results():
    commands = {path.stem.removeprefix("bench_") for path in (ROOT / "benchmarks").glob("bench_*")}
    assert {path.stem for path in RESULTS} == commands | {"searches"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("bench_memory.py", "--counts=40,80", "--image_size=64"),
        ("bench_layers.py", "--sizes=64", "--latent_dims=8", "--rounds=1"),
        ("bench_scoring.py", "--sizes=64", "--latent_dim=8", "--rounds=1"),
        ("bench_search.py", "--num_train=32", "--rounds=1"),
        ("compare_searches.py",),
    ],
    ids=lambda command: command[0],
)
def test_commands(tmp_path, command):
    script, *arguments = command
    subprocess.run(
        [sys.executable, ROOT / "benchmarks" / script, *arguments, f"--output={tmp_path}/out.json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert read_json(tmp_path / "out.json")["rows"]
