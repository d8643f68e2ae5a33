"""Peak anonymous memory of `awl-vae fit`, by the number of images.

    python benchmarks/bench_fit_memory.py

Anonymous is what has no file behind it: of the files of decoded images and of features the system
keeps in memory what there is room for. Linux alone tells it.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags
from made_images import write_folders
from measure import environment, report

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["100", "1000", "10000"], "Numbers of images.")
flags.DEFINE_integer("image_size", 256, "Pixels.", lower_bound=32)
flags.DEFINE_string("output", "benchmarks/results/fit_memory.json", "The JSON file.")
COLUMNS = ("images", "peak, MB", "of the smallest")

SECONDS = 0.05
"""From one look at the memory to the next."""


def main(_):
    """Measures and reports."""
    counts = sorted(map(int, FLAGS.counts))
    rows = []
    bar = ProgressBar(len(counts))
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_folders(root, counts, FLAGS.image_size)
        for count in counts:
            peak = _peak(root / str(count), root / f"detector_{count}")
            of_smallest = peak / rows[0]["peak, MB"] if rows else 1.0
            rows.append({"images": count, "peak, MB": peak, "of the smallest": of_smallest})
            bar.advance(1, f"{count} images")
    bar.close()
    report("Memory of fitting a detector", COLUMNS, rows, Path(FLAGS.output))


def _peak(folder, model_dir):
    """Peak anonymous megabytes of a process of its own."""
    command = [Path(sys.executable).with_name("awl-vae"), "fit", folder, f"--model_dir={model_dir}"]
    peak = 0.0
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    ) as process:
        while process.poll() is None:
            peak = max(peak, _anonymous(process.pid))
            time.sleep(SECONDS)
    if process.returncode:
        raise RuntimeError(f"Expected a fit that ends well. Received: {process.returncode}")
    return peak


def _anonymous(pid):
    """The megabytes of a process that no file is behind; 0 when it has ended."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        found = None
    return int(found[1]) * 1024 / 1e6 if found else 0.0


if __name__ == "__main__":
    app.run(main)
