import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import read_json
from measure import Worker, alternate, report, shown, spread
from operations import count_operations

from awl_vae.models import VAE

ROOT = Path(__file__).parent.parent.parent


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


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_pytorch_trains_the_same_network_with_the_same_loss(likelihood, monkeypatch):
    torch = pytest.importorskip("torch")
    import train_torch

    ours = VAE((64, 64), latent_dim=3, likelihood=likelihood)
    theirs = train_torch.VAE(64, likelihood, 3)
    layers = [*ours.encoder.layers, *ours.decoder.layers]
    layers = [layer for layer in layers if hasattr(layer, "kernel")]
    parameters = list(theirs.parameters())
    assert len(parameters) == 2 * len(layers)
    channels, *smallest = theirs.smallest
    for index, layer in enumerate(layers):
        kernel, bias = (array.numpy() for array in (layer.kernel, layer.bias))
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        elif kernel.shape[0] > 3:  # from the flat feature map, whose channels PyTorch has first
            kernel = kernel.reshape(*smallest, channels, -1).transpose(3, 2, 0, 1)
            kernel = kernel.reshape(len(kernel), -1)
        else:
            kernel = kernel.reshape(-1, *smallest, channels).transpose(3, 1, 2, 0)
            kernel = kernel.reshape(-1, kernel.shape[-1])
        with torch.no_grad():
            parameters[2 * index].copy_(torch.from_numpy(kernel.copy()))
            parameters[2 * index + 1].copy_(torch.from_numpy(bias))
    monkeypatch.setattr(keras.random, "normal", lambda shape, dtype, seed: np.zeros(shape, dtype))
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    x = np.random.RandomState(0).uniform(size=(2, 64, 64, 1)).astype(np.float32)
    loss = sum(np.mean(value) for value in ours.compute_terms(x).values())
    other = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2)))
    assert other.item() == pytest.approx(loss, rel=1e-5)


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
    with Worker(script) as worker:
        assert [worker(), worker()] == [2.5, 3.5]
        with pytest.raises(RuntimeError, match=r"worker\.py(?s:.*)StopIteration"):
            worker()


@pytest.mark.slow
def test_reading_is_timed_in_this_checkout(image_folder):
    with Worker("read_folder.py", ROOT, image_folder) as worker:
        assert 0 < worker() < 60


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
    assert {path.stem for path in RESULTS} == commands | {"aims", "searches"}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "command",
    [
        ("bench_memory.py", "--counts=40,80", "--image_size=64"),
        ("bench_layers.py", "--sizes=64", "--latent_dims=8", "--rounds=1"),
        ("bench_scoring.py", "--sizes=64", "--latent_dim=8", "--rounds=1"),
        ("bench_search.py", "--num_train=32", "--rounds=1"),
        ("compare_searches.py",),
        ("compare_with_aims.py",),
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


def test_the_page_on_inputs_has_the_tables_of_photographs():
    results, page = ROOT / "benchmarks/results/photographs", ROOT / "docs/which-input.md"
    assert page.read_text().endswith((results / "found.md").read_text())
    assert (results / "vaes.md").read_text() in page.read_text()


@pytest.mark.slow
def test_the_tables_of_photographs_are_those_of_their_figures(tmp_path):
    results = ROOT / "benchmarks/results/photographs"
    for name in ("found.json", "found.npz"):
        shutil.copy(results / name, tmp_path)
    (tmp_path / "no_sets").mkdir()
    subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks/compare_on_photographs.py"),
            *(f"--root={tmp_path}/no_sets", f"--output={tmp_path}/found.json"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "found.md").read_text() == (results / "found.md").read_text()
