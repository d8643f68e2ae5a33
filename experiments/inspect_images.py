r"""Inspects pictures with a trained detector.

    python experiments/inspect_images.py --images=pictures --output_dir=inspection \
        --model_dir=runs/auc_adapted/folder/auc_adapted/seed-1

Writes a line of CSV for each picture as it goes: path, score, verdict (normal, anomalous or
unreadable), the ten largest anomalous regions as JSON lists [x, y, width, height, area, peak] in
pixels of the picture, and why a file is unreadable. With --output_dir the lines, a picture of each
finding and a page report.html are kept there, and the same command goes on where it was cut off.

Exit status: 0 all normal, 1 some anomalous, 3 none anomalous but some unreadable, 2 not run.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from absl import flags

import experiments.flags
from callbacks import ProgressBar
from data import DataError
from detection import describe
from detection.inspection import ANOMALOUS, COLUMNS, NORMAL, UNREADABLE, csv_line, inspect
from detection.output import Output
from detection.watch import Watcher, pictures
from experiments.command import run

FLAGS = flags.FLAGS

ALL_NORMAL, SOME_ANOMALOUS, NOT_RUN, SOME_UNREADABLE = range(4)
LOOK_SECONDS = 0.5
SETTLE_SECONDS = 1.0


def main() -> int:
    """Inspects what the flags ask for; returns the exit status."""
    detector, _ = experiments.flags.detector_from_flags()
    source = None if FLAGS.images == "-" else Path(FLAGS.images)
    if source is not None and not source.exists():
        raise DataError(f"Expected a picture or a directory. Received: images={source}")
    if FLAGS.watch and not (FLAGS.output_dir and source is not None and source.is_dir()):
        raise DataError(
            "Expected a directory in --images, and --output_dir, with --watch. "
            f"Received: images={FLAGS.images}, output_dir={FLAGS.output_dir}"
        )
    print(describe(detector.threshold), file=sys.stderr)
    output = Output(detector, FLAGS.output_dir and Path(FLAGS.output_dir), root=source)
    if output.num_known:
        print(f"Going on: {output.num_known} pictures have their line.", file=sys.stderr)
    if FLAGS.output_dir is None:
        _print(csv_line(COLUMNS))
    if FLAGS.watch:
        _watch(detector, source, output)
    else:
        _inspect_all(detector, list(_paths(source)), output)
    counts = output.finish()
    print(
        f"{sum(counts.values())} pictures: {counts[NORMAL]} normal, {counts[ANOMALOUS]} anomalous, "
        f"{counts[UNREADABLE]} unreadable.",
        file=sys.stderr,
    )
    if FLAGS.output_dir:
        print(f"Report: {Path(FLAGS.output_dir) / 'report.html'}", file=sys.stderr)
    if counts[ANOMALOUS]:
        return SOME_ANOMALOUS
    return SOME_UNREADABLE if counts[UNREADABLE] else ALL_NORMAL


def _paths(source) -> Iterator[Path]:
    if source is None:
        yield from (Path(line) for line in sys.stdin.read().splitlines() if line)
    elif source.is_dir():
        yield from pictures(source)
    else:
        yield source


def _inspect_all(detector, paths, output):
    paths = [path for path in dict.fromkeys(paths) if not output.is_known(path)]
    bar = ProgressBar(len(paths))
    for finding in _findings(detector, paths):
        _print(output.add(finding))
        bar.advance(1, str(finding.path.name))
    bar.close()


def _findings(detector, paths):
    return inspect(detector, paths, batch_size=FLAGS.batch_size, num_threads=FLAGS.num_threads)


def _watch(detector, directory, output):
    """Inspects what is there and what arrives, until SIGINT or SIGTERM."""
    watcher = Watcher(directory, output.known, settle=SETTLE_SECONDS)
    print(f"Watching {directory}; Ctrl-C ends it and writes the report.", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            ready = watcher.look()
            for finding in _findings(detector, ready):
                _print(output.add(finding))
            if not ready:
                time.sleep(LOOK_SECONDS)


def _print(line):
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    experiments.flags.define_inspection_flags()
    flags.adopt_module_key_flags(experiments.flags)
    run(main, error_status=NOT_RUN)
