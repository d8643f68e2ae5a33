r"""Inspects pictures with a trained detector.

    python experiments/inspect_images.py --images=pictures --output_dir=inspection \
        --model_dir=runs/auc_adapted/folder/auc_adapted/seed-1

Writes a line of CSV for each picture as it goes: path, score, verdict (normal, anomalous or
unreadable), the ten largest anomalous regions as JSON lists [x, y, width, height, area, peak] in
pixels of the picture, why a file is unreadable, and the file's size and time of change. With
--output_dir the lines, a picture of each finding and a page report.html are kept there, and the
same command goes on where it was cut off. A picture that has changed since is inspected again; its
last line counts. Links to directories are not followed.

Exit status: 0 all normal, 1 some anomalous, 3 none anomalous but some unreadable, 2 not run.
"""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from absl import flags

import awl_vae.experiments.detector_flags
from awl_vae.callbacks import ProgressBar
from awl_vae.data import DataError
from awl_vae.data.images import SUFFIXES
from awl_vae.detection import describe
from awl_vae.detection.inspection import (
    ANOMALOUS,
    COLUMNS,
    NORMAL,
    UNREADABLE,
    FileState,
    csv_line,
    inspect,
)
from awl_vae.detection.output import Output
from awl_vae.detection.watch import Watcher, pictures
from awl_vae.experiments.command import run

FLAGS = flags.FLAGS

ALL_NORMAL, SOME_ANOMALOUS, NOT_RUN, SOME_UNREADABLE = range(4)
LOOK_SECONDS = 0.5
SETTLE_SECONDS = 1.0


def main() -> int:
    """Inspects what the flags ask for; returns the exit status."""
    detector, _ = experiments.detector_flags.detector_from_flags()
    source = None if FLAGS.images == "-" else _absolute(FLAGS.images)
    if source is not None and not source.exists():
        raise DataError(f"Expected a picture or a directory. Received: images={source}")
    if FLAGS.watch and not (FLAGS.output_dir and source is not None and source.is_dir()):
        raise DataError(
            "Expected a directory in --images, and --output_dir, with --watch. "
            f"Received: images={FLAGS.images}, output_dir={FLAGS.output_dir}"
        )
    output_dir = _absolute(FLAGS.output_dir) if FLAGS.output_dir else None
    paths = [] if FLAGS.watch else list(_paths(source, output_dir))
    if not paths and not FLAGS.watch:
        where = source or "standard input"
        raise DataError(f"Expected pictures ({', '.join(SUFFIXES)}). Received: none in {where}")
    output = None
    if output_dir is not None:
        root = source if source is None or source.is_dir() else source.parent
        output = Output(detector, output_dir, root=root)
    sys.stdout.reconfigure(errors="surrogateescape")  # A name may be no UTF-8.
    print(describe(detector.threshold), file=sys.stderr)
    if output is not None and output.known:
        print(f"Going on: {len(output.known)} pictures have their line.", file=sys.stderr)
    _print(csv_line(COLUMNS))
    if output is None:
        counts = Counter()
        _inspect(detector, paths, lambda finding: _count(counts, finding))
    else:
        if FLAGS.watch:
            watcher = Watcher(source, output.known, settle=SETTLE_SECONDS, excluded=output_dir)
            _watch(detector, watcher, output)
        else:
            new = [path for path in paths if not _is_known(path, output.known)]
            _inspect(detector, new, output.add)
        counts = output.finish()
    print(
        f"{sum(counts.values())} pictures: {counts[NORMAL]} normal, {counts[ANOMALOUS]} anomalous, "
        f"{counts[UNREADABLE]} unreadable.",
        file=sys.stderr,
    )
    if output_dir:
        print(f"Report: {output_dir / 'report.html'}", file=sys.stderr)
    if counts[ANOMALOUS]:
        return SOME_ANOMALOUS
    return SOME_UNREADABLE if counts[UNREADABLE] else ALL_NORMAL


def _absolute(path):
    return Path(os.path.abspath(path))


def _paths(source, output_dir) -> Iterator[Path]:
    if source is None:
        lines = sys.stdin.buffer.read().split(b"\n")
        yield from dict.fromkeys(_absolute(os.fsdecode(line)) for line in lines if line)
    elif source.is_dir():
        yield from pictures(source, excluded=output_dir)
    else:
        yield source


def _is_known(path, known):
    return str(path) in known and known[str(path)] == FileState.of(path)


def _count(counts, finding):
    counts[finding.verdict] += 1
    return finding.to_csv()


def _inspect(detector, paths, keep):
    bar = ProgressBar(len(paths))
    for finding in _findings(detector, paths):
        _print(keep(finding))
        bar.advance(1, ascii(finding.path.name)[1:-1])
    bar.close()


def _findings(detector, paths):
    return inspect(detector, paths, batch_size=FLAGS.batch_size, num_threads=FLAGS.num_threads)


def _watch(detector, watcher, output):
    """Inspects what is there and what arrives, until SIGINT or SIGTERM."""
    # A KeyboardInterrupt is lost where it meets a weak reference's callback.
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"Watching {watcher.directory}; Ctrl-C ends it and writes the report.", file=sys.stderr)
    while not stop.is_set():
        ready = watcher.look()
        for finding in _findings(detector, ready):
            _print(output.add(finding))
            if stop.is_set():
                break
        if not ready:
            stop.wait(LOOK_SECONDS)


def _print(line):
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on; the verdict and what is kept in a directory are still wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    experiments.detector_flags.define_inspection_flags()
    flags.adopt_module_key_flags(experiments.detector_flags)
    run(main, error_status=NOT_RUN)
