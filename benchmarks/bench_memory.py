"""Peak resident memory of reading a folder and training one epoch on it, by its number of images.

python benchmarks/bench_memory.py
"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from absl import app, flags
from made_images import write_folders
from measure import HERE, alternate, environment, report, spread, spread_of_ratios

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["1000", "4000", "16000"], "Numbers of images.")
flags.DEFINE_integer("image_size", 256, "Pixels.")
flags.DEFINE_integer("rounds", 3, "Turns of each number.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/memory.json", "The JSON file.")
COLUMNS = ("images", "peak, MB", "of the smallest")


def main(_):
    """Measures and reports."""
    counts = sorted(map(int, FLAGS.counts))
    bar = ProgressBar(len(counts) * FLAGS.rounds)
    with tempfile.TemporaryDirectory() as root:
        write_folders(Path(root), counts, FLAGS.image_size)
        sides = {count: partial(_peak, Path(root), count) for count in counts}
        taken = alternate(sides, FLAGS.rounds, lambda count: bar.advance(1, f"{count} images"))
    bar.close()
    rows = [
        {"images": count, "peak, MB": spread(peaks)}
        | {"of the smallest": spread_of_ratios(peaks, taken[counts[0]])}
        for count, peaks in taken.items()
    ]
    report("Memory of a training epoch", COLUMNS, rows, Path(FLAGS.output))


def _peak(root, count):
    """Peak resident megabytes of a process of its own."""
    arguments = (root / str(count), root / "cache.npy", str(FLAGS.image_size))
    process = subprocess.Popen(
        [sys.executable, HERE / "train_folder.py", *arguments], env=environment()
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"Expected a training that ends well. Received: status {status}")
    return usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    app.run(main)
