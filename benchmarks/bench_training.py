"""Images a second of one epoch: ours, PyTorch and alibi-detect, taking turns.

    pip install -e '.[benchmark]' && python benchmarks/bench_training.py

Each is a process of its own with two threads. PyTorch runs eagerly, with the layout
`channels_last`, and through `torch.compile` (which needs a C++ compiler). alibi-detect needs an
older TensorFlow: its environment is made on first use, in --alibi_env. The share is the
operations of the network, counted from its shapes, over what the machine's own float32
matrix multiplication does in that time.
"""

import itertools
import subprocess
import sys
from pathlib import Path

from absl import app, flags
from measure import Worker, alternate, report, spread
from operations import count_operations

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["64", "256"], "Image sizes in pixels.")
flags.DEFINE_list("likelihoods", ["bernoulli", "gaussian"], "Likelihoods.")
flags.DEFINE_list("latent_dims", ["100", "1000"], "Numbers of latent variables.")
flags.DEFINE_list("dtypes", ["float32", "mixed_bfloat16"], "Precisions of the hidden layers.")
flags.DEFINE_integer("rounds", 5, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/training.json", "The JSON file.")
flags.DEFINE_string("alibi_env", "runs/alibi-env", "Environment of alibi-detect, or '' for none.")

BATCH_SIZE = 32
NUM_IMAGES = {64: 1024, 256: 128}
COLUMNS = ("size", "likelihood", "latent", "dtype", "side", "images/s", "share", "ours / side")


def main(_):
    """Measures and reports."""
    rows = []
    alibi = _alibi_python(Path(FLAGS.alibi_env)) if FLAGS.alibi_env else None
    matmul = Worker("matmul.py")
    combinations = itertools.product(
        map(int, FLAGS.sizes), FLAGS.likelihoods, map(int, FLAGS.latent_dims), FLAGS.dtypes
    )
    for size, likelihood, latent_dim, dtype in combinations:
        num_images = NUM_IMAGES.get(size, 256)
        arguments = (size, likelihood, latent_dim, dtype, BATCH_SIZE, num_images)
        sides = {"matmul": matmul, "ours": Worker("train_ours.py", *arguments)}
        sides["ours, one batch"] = Worker("train_ours.py", *arguments, "batch")
        for way in ("eager", "channels_last", "compile"):
            sides[f"PyTorch {way}"] = Worker("train_torch.py", *arguments, way)
        if alibi and likelihood == "bernoulli" and dtype == "float32":
            arguments = (size, latent_dim, BATCH_SIZE, num_images)
            sides["alibi-detect"] = Worker("train_alibi.py", *arguments, python=alibi)
        taken = alternate(sides, FLAGS.rounds)
        for name, worker in sides.items():
            if name != "matmul":
                worker.close()
        num_maps = 1 if likelihood == "bernoulli" else 2
        _, step = count_operations(size, latent_dim=latent_dim, num_maps=num_maps)
        rate = max(taken.pop("matmul"))
        for name, seconds in taken.items():
            speed = spread([num_images / second for second in seconds])
            ratios = [theirs / ours for theirs, ours in zip(seconds, taken["ours"], strict=True)]
            rows.append(
                {"size": size, "likelihood": likelihood, "latent": latent_dim, "dtype": dtype}
                | {"side": name, "images/s": speed, "share": speed["median"] * step / rate}
                | {"ours / side": spread(ratios)["median"], "matmul": rate}
            )
            print(*(rows[-1][column] for column in COLUMNS), file=sys.stderr)
    matmul.close()
    report("Training, images a second", COLUMNS, rows, Path(FLAGS.output))


def _alibi_python(directory):
    python = directory / "bin/python"
    if not (directory / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        packages = ["alibi-detect[tensorflow]==0.13.*", "setuptools<81"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (directory / "complete").touch()
    return str(python)


if __name__ == "__main__":
    app.run(main)
