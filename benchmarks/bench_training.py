"""Images a second of one epoch: ours, PyTorch and alibi-detect, taking turns.

    pip install -e '.[benchmark]' && python benchmarks/bench_training.py

Each is a process of its own with two threads. PyTorch runs eagerly, with the layout
`channels_last`, and through `torch.compile` (which needs a C++ compiler). alibi-detect needs an
older TensorFlow: its environment is made on first use, in --alibi_env. The share is the
operations of the network, counted from its shapes, over what the machine's own float32
matrix multiplication does in that time. "One batch" is our epoch over a batch that is repeated:
what the network takes without the image cache.
"""

import itertools
import subprocess
import sys
from pathlib import Path

from absl import app, flags
from measure import Worker, alternate, report, spread, spread_of_ratios
from operations import count_operations

import experiments  # noqa: F401 (TensorFlow without the noise of its import)
from callbacks import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["64", "256"], "Image sizes in pixels.")
flags.DEFINE_list("likelihoods", ["bernoulli", "gaussian"], "Likelihoods.")
flags.DEFINE_list("latent_dims", ["100", "1000"], "Numbers of latent variables.")
flags.DEFINE_list("dtypes", ["float32", "mixed_bfloat16"], "Precisions of the hidden layers.")
flags.DEFINE_integer("rounds", 3, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/training.json", "The JSON file.")
flags.DEFINE_string("alibi_env", "runs/alibi-env", "Environment of alibi-detect, or '' for none.")

BATCH_SIZE = 32
NUM_IMAGES = {64: 1024, 256: 128}
COLUMNS = ("size", "likelihood", "latent", "dtype", "side", "images/s", "share", "ours / side")


def main(_):
    """Measures and reports."""
    cases = {}
    for size, *others in itertools.product(
        map(int, FLAGS.sizes), FLAGS.likelihoods, map(int, FLAGS.latent_dims), FLAGS.dtypes
    ):
        cases[size, *others] = _sides(size, *others)
    turns = [len(sides) * (FLAGS.rounds + 1) + FLAGS.rounds for sides in cases.values()]
    bar = ProgressBar(sum(turns))
    rows = []
    matmul = Worker("matmul.py")
    for case, sides in cases.items():
        taken = _measure(case, sides, matmul, bar)
        rows += _rows(case, taken)
    matmul.close()
    bar.close()
    report("Training, images a second", COLUMNS, rows, Path(FLAGS.output))


def _sides(size, likelihood, latent_dim, dtype):
    """By name, the script of a side, its arguments and its interpreter."""
    arguments = (size, likelihood, latent_dim, dtype, BATCH_SIZE, _num_images(size))
    sides = {
        "ours": ("train_ours.py", *arguments, "cache"),
        "ours, one batch": ("train_ours.py", *arguments, "batch"),
    }
    for way in ("eager", "channels_last", "compile"):
        sides[f"PyTorch {way}"] = ("train_torch.py", *arguments, way)
    if FLAGS.alibi_env and likelihood == "bernoulli" and dtype == "float32":
        sides["alibi-detect"] = ("train_alibi.py", size, latent_dim, *arguments[-2:])
    return sides


def _measure(case, sides, matmul, bar):
    """By side, what each of its turns took; of `matmul`, its rates."""

    def note(name):
        bar.advance(1, f"{' '.join(map(str, case))}: {name}")

    workers = {}
    for name, (script, *arguments) in sides.items():
        python = alibi_python(Path(FLAGS.alibi_env)) if name == "alibi-detect" else sys.executable
        workers[name] = Worker(script, *arguments, python=python)
        note(name)
    taken = alternate({"matmul": matmul} | workers, FLAGS.rounds, note)
    for worker in workers.values():
        worker.close()
    return taken


def _rows(case, taken):
    size, likelihood, latent_dim, dtype = case
    num_maps = 1 if likelihood == "bernoulli" else 2
    _, step = count_operations((size, size), latent_dim=latent_dim, num_maps=num_maps)
    rates = taken.pop("matmul")
    for name, seconds in taken.items():
        speeds = [_num_images(size) / second for second in seconds]
        share = spread_of_ratios([speed * step for speed in speeds], rates)
        yield (
            {"size": size, "likelihood": likelihood, "latent": latent_dim, "dtype": dtype}
            | {"side": name, "images/s": spread(speeds), "share": share}
            | {"ours / side": spread_of_ratios(seconds, taken["ours"]), "matmul": spread(rates)}
        )


def _num_images(size):
    return NUM_IMAGES.get(size, 256)


def alibi_python(directory: Path) -> str:
    """The interpreter of alibi-detect's environment, which is made where it is missing."""
    python = directory / "bin/python"
    if not (directory / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        packages = ["alibi-detect[tensorflow]==0.13.*", "setuptools<81"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (directory / "complete").touch()
    return str(python)


if __name__ == "__main__":
    app.run(main)
