"""Images a second of one epoch: ours, PyTorch and alibi-detect, taking turns.

    pip install 'awl-vae[benchmark]' && python benchmarks/bench_training.py

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
from contextlib import ExitStack
from pathlib import Path

from absl import app, flags
from measure import Worker, alternate, report, spread, spread_of_ratios
from operations import count_operations

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.models.shapes import feature_maps
from awl_vae.system.terminal import ProgressBar

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
ALIBI = "alibi-detect"
COLUMNS = ("size", "likelihood", "latent", "dtype", "side", "images/s", "share", "ours / side")


def main(_):
    """Measures and reports."""
    cases = {case: _sides(*case) for case in _cases()}
    turns = [len(sides) * (FLAGS.rounds + 1) + FLAGS.rounds for sides in cases.values()]
    bar = ProgressBar(sum(turns))
    rows = []
    with Worker("matmul.py") as matmul:
        for case, sides in cases.items():
            rows += _rows(case, _measure(case, sides, matmul, bar))
    bar.close()
    report("Training, images a second", COLUMNS, rows, Path(FLAGS.output))


def _cases():
    """(size, likelihood, latent) of each comparison; the two precisions take turns in one."""
    sizes, latent_dims = (map(int, values) for values in (FLAGS.sizes, FLAGS.latent_dims))
    return itertools.product(sizes, FLAGS.likelihoods, latent_dims)


def _sides(size, likelihood, latent_dim):
    """By (dtype, name), the script of a side and its arguments."""
    sides = {}
    counts = (BATCH_SIZE, _num_images(size))
    for dtype in FLAGS.dtypes:
        arguments = (size, likelihood, latent_dim, dtype, *counts)
        sides[dtype, "ours"] = ("train_ours.py", *arguments, "cache")
        sides[dtype, "ours, one batch"] = ("train_ours.py", *arguments, "batch")
        for way in ("eager", "channels_last", "compile"):
            sides[dtype, f"PyTorch {way}"] = ("train_torch.py", *arguments, way)
        if FLAGS.alibi_env and likelihood == "bernoulli" and dtype == "float32":
            maps = feature_maps((size, size))
            filters = ",".join(str(filters) for _, _, filters in maps)
            own = (size, latent_dim, *counts, filters, maps[-1][0])
            sides[dtype, ALIBI] = ("train_alibi.py", *own)
    return sides


def _measure(case, sides, matmul, bar):
    """By side, what each of its turns took; of `matmul`, its rates."""

    def note(side):
        bar.advance(1, " ".join(map(str, (*case, *side))))

    with ExitStack() as stack:
        workers = {("", "matmul"): matmul}
        for side, (script, *arguments) in sides.items():
            python = alibi_python(Path(FLAGS.alibi_env)) if side[1] == ALIBI else sys.executable
            workers[side] = stack.enter_context(Worker(script, *arguments, python=python))
            note(side)
        return alternate(workers, FLAGS.rounds, note)


def _rows(case, taken):
    size, likelihood, latent_dim = case
    num_maps = 1 if likelihood == "bernoulli" else 2
    _, step = count_operations((size, size), latent_dim=latent_dim, num_maps=num_maps)
    rates = taken.pop(("", "matmul"))
    for (dtype, name), seconds in taken.items():
        speeds = [_num_images(size) / second for second in seconds]
        share = spread_of_ratios([speed * step for speed in speeds], rates)
        yield (
            {"size": size, "likelihood": likelihood, "latent": latent_dim, "dtype": dtype}
            | {"side": name, "images/s": spread(speeds), "share": share}
            | {"ours / side": spread_of_ratios(seconds, taken[dtype, "ours"])}
            | {"matmul": spread(rates), "seconds": seconds}
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
