"""Peak resident memory of reading a folder and training one epoch on it, by its number of images.

python benchmarks/bench_memory.py
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from absl import app, flags
from measure import HERE, report

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["1000", "4000", "16000"], "Numbers of images.")
flags.DEFINE_integer("image_size", 256, "Pixels.")
flags.DEFINE_string("output", "benchmarks/results/memory.json", "The JSON file.")
COLUMNS = ("images", "peak, MB", "of the smallest", "seconds")


def main(_):
    """Measures and reports."""
    rows = []
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root) / "photographs/train/good"
        directory.mkdir(parents=True)
        written = 0
        for count in sorted(map(int, FLAGS.counts)):
            for index in range(written, count):
                _write(directory / f"{index:05d}.png", index)
            written = count
            peak, seconds = _epoch(Path(root) / "photographs", Path(root) / "cache.npy")
            rows.append({"images": count, "peak, MB": peak / 1e6, "seconds": seconds})
            rows[-1]["of the smallest"] = peak / 1e6 / rows[0]["peak, MB"]
    report("Memory of a training epoch", COLUMNS, rows, Path(FLAGS.output))


def _write(path, index):
    rng = np.random.RandomState(index)
    size = (FLAGS.image_size, FLAGS.image_size)
    image = 128 + 400 * cv2.GaussianBlur(rng.normal(0, 1, size), (0, 0), 8) + rng.normal(0, 3, size)
    cv2.imwrite(str(path), np.clip(np.rint(image), 0, 255).astype(np.uint8))


def _epoch(folder, cache):
    """(peak resident bytes, seconds) of a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, HERE / "train_folder.py", folder, cache, str(FLAGS.image_size)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"Expected a training that ends well. Received: status {status}")
    return usage.ru_maxrss * 1024, time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
