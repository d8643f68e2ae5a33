"""Seconds of searches with three terms, one branch after the other and side by side on Ray.

    python benchmarks/bench_side_by_side.py

Both are the whole command, with all that it evaluates and writes, and with the start of the
cluster; each training has one thread. A stage of three terms has seven branches, which two workers
train in four turns: one search by itself cannot be faster than 7 / 4. With two, one fills up what
the other leaves free.
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
flags.DEFINE_list("ends", ["1", "5", "9"], "Last epochs of the stages.")
flags.DEFINE_integer("rounds", 1, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/side_by_side.json", "The JSON file.")

SEEDS = ("1", "1,10")
COLUMNS = ("searches", "where", "seconds", "in sequence over this")


def main(_):
    """Measures and reports."""
    sides = {
        (seeds, where): partial(_seconds, seeds, more)
        for seeds in SEEDS
        for where, more in (("in sequence", []), ("on Ray", ["--on=ray"]))
    }
    bar = ProgressBar(len(sides) * FLAGS.rounds)
    taken = alternate(sides, FLAGS.rounds, lambda side: bar.advance(1, " ".join(side)))
    bar.close()
    rows = [
        {
            "searches": 1 + seeds.count(","),
            "where": where,
            "seconds": spread(seconds),
            COLUMNS[-1]: spread_of_ratios(taken[seeds, "in sequence"], seconds),
        }
        for (seeds, where), seconds in taken.items()
    ]
    title = f"Branches side by side, {FLAGS.dataset}, two workers"
    report(title, COLUMNS, rows, Path(FLAGS.output))


def _seconds(seeds, more):
    command = [sys.executable, HERE.parent / "experiments/run_loss_adapted.py", *more]
    command += [f"--dataset={FLAGS.dataset}", "--num_threads=1", f"--seeds={seeds}"]
    command += [f"--e{stage}={end}" for stage, end in enumerate(FLAGS.ends, 1)]
    with tempfile.TemporaryDirectory() as run_dir:
        start = time.perf_counter()
        command.append(f"--run_dir={run_dir}/run")
        subprocess.run(command, check=True, capture_output=True, env=environment())
        return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
