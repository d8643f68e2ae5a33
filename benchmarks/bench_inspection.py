"""Milliseconds an image of `awl-vae inspect`, in one process and on Ray.

    python benchmarks/bench_inspection.py

An image's time is the difference between commands with many images and with few, so that what it
takes to start does not count. Workers on Ray have a thread each; one process is held to one core,
or has all.
"""

import os
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from absl import app, flags
from made_images import write_folders
from measure import AWL_VAE, alternate, environment, report, spread, spread_of_ratios

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_integer("image_size", 256, "Pixels.", lower_bound=32)
flags.DEFINE_list("counts", ["200", "2200"], "Few and many images.")
flags.DEFINE_integer("rounds", 2, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/inspection.json", "The JSON file.")

ONE = "one process on one core"
SIDES = {
    ONE: ([], 1),
    "one process on all cores": ([], None),
    "Ray, a worker for each core": (["--on=ray"], None),
}
"""By name the flags, and how many cores it may use."""

COLUMNS = ("where", "ms an image", "start, s", f"{ONE}, over this")


def main(_):
    """Measures and reports."""
    few, many = sorted(map(int, FLAGS.counts))
    bar = ProgressBar(len(SIDES) * FLAGS.rounds)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_folders(root, [few, many], FLAGS.image_size)
        fit = [AWL_VAE, "fit", root / str(few), f"--model_dir={root / 'detector'}"]
        subprocess.run(fit, check=True, capture_output=True, env=environment())
        starts = {name: [] for name in SIDES}

        def turn(name):
            short, long = (_seconds(root, count, *SIDES[name]) for count in (few, many))
            slope = (long - short) / (many - few)
            starts[name].append(short - few * slope)
            return 1e3 * slope

        sides = {name: partial(turn, name) for name in SIDES}
        taken = alternate(sides, FLAGS.rounds, lambda name: bar.advance(1, name))
    bar.close()
    rows = [
        {
            "where": name,
            "ms an image": spread(taken[name]),
            "start, s": spread(starts[name]),
            COLUMNS[-1]: spread_of_ratios(taken[ONE], taken[name]),
        }
        for name in SIDES
    ]
    report(f"Inspection of images of {FLAGS.image_size}²", COLUMNS, rows, Path(FLAGS.output))


def _seconds(root, count, more, cores):
    """Seconds of one command."""
    command = [AWL_VAE, "inspect", f"--images={root / str(count)}", "--num_threads=1", *more]
    command += [f"--model_dir={root / 'detector'}"]
    own = sorted(os.sched_getaffinity(0))[:cores]
    with tempfile.TemporaryDirectory(dir=root) as output_dir:
        start = time.perf_counter()
        process = subprocess.run(
            [*command, f"--output_dir={output_dir}/inspection"],
            capture_output=True,
            env=environment(),
            preexec_fn=lambda: os.sched_setaffinity(0, own),
        )
        if process.returncode not in (0, 1):
            raise RuntimeError(f"Expected an inspection. Received: {process.stderr.decode()}")
        return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
