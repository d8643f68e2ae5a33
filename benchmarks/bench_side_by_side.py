"""Seconds of a search with three terms in sequence and on Ray, with a thread for each training.

    python benchmarks/bench_side_by_side.py

Both are the whole command on the same images, with all that it writes and the start of the cluster.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags
from measure import HERE, alternate, environment, report, spread, spread_of_ratios

from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", "comb", "The dataset.")
flags.DEFINE_integer("rounds", 2, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/side_by_side.json", "The JSON file.")
SIDES = {"in sequence": [], "on Ray, this machine": ["--on=ray"]}
COLUMNS = ("dataset", "search", "seconds", "in sequence over this")


def main(_):
    """Measures and reports."""
    bar = ProgressBar(len(SIDES) * FLAGS.rounds)
    runs = {name: lambda flags=more: _seconds(flags) for name, more in SIDES.items()}
    taken = alternate(runs, FLAGS.rounds, lambda name: bar.advance(1, name))
    bar.close()
    rows = [
        {"dataset": FLAGS.dataset, "search": name, "seconds": spread(seconds)}
        | {"in sequence over this": spread_of_ratios(taken["in sequence"], seconds)}
        for name, seconds in taken.items()
    ]
    report("A search side by side", COLUMNS, rows, Path(FLAGS.output))


def _seconds(more):
    command = [sys.executable, HERE.parent / "experiments/run_loss_adapted.py"]
    command += [f"--dataset={FLAGS.dataset}", "--num_threads=1", *more]
    with tempfile.TemporaryDirectory() as run_dir:
        start = time.perf_counter()
        subprocess.run(
            [*command, f"--run_dir={run_dir}/run"],
            check=True,
            capture_output=True,
            env=environment(),
        )
        return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
