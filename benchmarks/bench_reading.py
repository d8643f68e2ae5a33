"""Seconds to read and prepare a folder of images for training, beside version 0.1.0.

    git worktree add ../awl-vae-0.1.0 d0efafa
    python benchmarks/bench_reading.py --before=../awl-vae-0.1.0

The images are those of bellows, enlarged; in colour their channels differ. The files are in the
system's cache, so it is decoding, conversion to gray, resizing and writing that is measured.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from absl import app, flags
from made_images import made_images, write_images
from measure import HERE, Worker, alternate, report, spread, spread_of_ratios

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_string("before", None, "A checkout of version 0.1.0.", required=True)
flags.DEFINE_integer("num_images", 1000, "Number of images.", lower_bound=20)
flags.DEFINE_integer("side", 320, "Their height and width in pixels.", lower_bound=16)
flags.DEFINE_integer("rounds", 5, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/reading.json", "The JSON file.")

KINDS = {
    "gray PNG": (".png", False),
    "gray JPEG": (".jpg", False),
    "colour PNG": (".png", True),
    "colour JPEG": (".jpg", True),
}
COLUMNS = ("images", "seconds", "seconds of 0.1.0", "ratio")


def main(_):
    """Measures and reports."""
    rows = []
    bar = ProgressBar(len(KINDS) * 2 * FLAGS.rounds)
    images = [*made_images(FLAGS.num_images, FLAGS.side)]
    for kind, (suffix, is_colour) in KINDS.items():
        with tempfile.TemporaryDirectory() as directory:
            write_images(images, Path(directory) / "train/good", suffix, is_colour=is_colour)
            taken = _measure(directory, lambda name, kind=kind: bar.advance(1, f"{kind}: {name}"))
        rows.append(
            {"images": kind, "seconds": spread(taken["now"])}
            | {"seconds of 0.1.0": spread(taken["before"])}
            | {"ratio": spread_of_ratios(taken["now"], taken["before"])}
        )
    bar.close()
    title = f"Reading {FLAGS.num_images} images of {FLAGS.side}x{FLAGS.side} pixels"
    report(title, COLUMNS, rows, Path(FLAGS.output))


def _measure(data_dir, note):
    """By side, the seconds of each turn."""
    checkouts = {"now": HERE.parent, "before": Path(FLAGS.before).resolve()}
    with ExitStack() as stack:
        workers = {
            side: stack.enter_context(Worker("read_folder.py", checkout, data_dir))
            for side, checkout in checkouts.items()
        }
        return alternate(workers, FLAGS.rounds, note)


if __name__ == "__main__":
    app.run(main)
