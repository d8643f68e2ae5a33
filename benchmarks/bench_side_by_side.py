"""Seconds of searches with three terms, one branch after the other and side by side on Ray.

    python benchmarks/bench_side_by_side.py

Both are the whole command for two seeds, with all that it evaluates and writes, and with the start
of the cluster; each training has one thread. A stage of three terms has seven branches, which two
workers train in four turns: the second seed fills up what would be left free.
"""

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from absl import app, flags
from measure import HERE, alternate, environment, report, spread, spread_of_ratios

from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", "comb", "The dataset, one of three terms.")
flags.DEFINE_list("ends", ["2", "6", "10"], "Last epochs of the stages.")
flags.DEFINE_integer("rounds", 2, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/side_by_side.json", "The JSON file.")

SIDES = {"in sequence": [], "on Ray": ["--on=ray"]}
COLUMNS = ("dataset", "searches", "seconds", "in sequence over this")


def main(_):
    """Measures and reports."""
    bar = ProgressBar(len(SIDES) * FLAGS.rounds)
    sides = {name: partial(_seconds, more) for name, more in SIDES.items()}
    taken = alternate(sides, FLAGS.rounds, lambda name: bar.advance(1, name))
    bar.close()
    rows = [
        {
            "dataset": FLAGS.dataset,
            "searches": name,
            "seconds": spread(seconds),
            COLUMNS[-1]: spread_of_ratios(taken["in sequence"], seconds),
        }
        for name, seconds in taken.items()
    ]
    report("Branches side by side", COLUMNS, rows, Path(FLAGS.output))


def _seconds(more):
    command = [sys.executable, HERE.parent / "experiments/run_loss_adapted.py", *more]
    command += [f"--dataset={FLAGS.dataset}", "--num_threads=1", "--seeds=1,10"]
    command += [f"--e{stage}={end}" for stage, end in enumerate(FLAGS.ends, 1)]
    with tempfile.TemporaryDirectory() as run_dir:
        start = time.perf_counter()
        command.append(f"--run_dir={run_dir}/run")
        subprocess.run(command, check=True, capture_output=True, env=environment())
        return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
