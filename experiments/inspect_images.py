r"""Inspects images with a trained detector.

    awl-vae inspect --images=photographs --output_dir=inspection \
        --model_dir=runs/auc_adapted/folder/auc_adapted/seed-1

Writes a line of CSV for each image as it goes: path, score, verdict (normal, anomalous or
unreadable), the ten largest anomalous regions as JSON lists [x, y, width, height, area, peak] in
pixels of the image, why a file is unreadable, the file's size and time of change, and in what the
image is unlike those of the calibration. With --output_dir the lines, an overlay of each finding
and a page report.html are kept there, and the same command goes on where it was cut off. An image
that has changed since is inspected again; its last line counts. Links to directories are not
followed.

Exit status: 0 all normal, 1 some anomalous, 3 none anomalous but some unreadable, 2 not run.
"""

if not __package__:
    import checkout  # noqa: F401

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from awl_vae.data.remote import File
    from awl_vae.data.roi import RegionsOfInterest
    from awl_vae.detection import Detector
    from awl_vae.detection.listing import Listing

from awl_vae.detection.saved import find_detector
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.detector_flags import define_model_dir, define_tiles, detector_from_flags
from awl_vae.experiments.flags import define_engine
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import engine_of
from awl_vae.system.terminal import discard_stdout, silent_stderr
from awl_vae.system.words import quantity, with_first

FLAGS = flags.FLAGS

ALL_NORMAL, SOME_ANOMALOUS, NOT_RUN, SOME_UNREADABLE = range(4)
SETTLE_SECONDS = 1.0


def main() -> int:
    """Inspects what the flags ask for; returns the exit status."""
    from awl_vae.detection.listing import Listing, located

    source = None if FLAGS.images == "-" else located(FLAGS.images)
    output_dir = Path(os.path.abspath(FLAGS.output_dir)) if FLAGS.output_dir else None
    _check(source, output_dir)
    find_detector(Path(FLAGS.model_dir))
    engine = engine_of(FLAGS.on)
    files, passed_over = Listing(()), ""
    if not FLAGS.watch:
        files, passed_over = _files(source, output_dir)
    detector, _ = detector_from_flags()
    if FLAGS.tiles:
        detector = detector.in_tiles(FLAGS.tiles)
        height, width = detector.image_size
        _say(
            f"Each image is brought to {height}x{width} pixels (height x width), whatever its "
            "proportions, and judged in tiles: expect the false alarms below of each tile."
        )
    rois = _rois(detector, source, files)
    from awl_vae.detection import describe
    from awl_vae.detection.finding import ANOMALOUS, NORMAL, UNREADABLE
    from awl_vae.detection.inspection import Inspector
    from awl_vae.detection.output import Output
    from awl_vae.detection.watch import Watcher

    output = None
    if output_dir is not None:
        roi_mask = rois.source if rois else None
        output = Output(
            detector,
            output_dir,
            root=_root(source),
            roi_mask=roi_mask,
            with_shards=FLAGS.on is not None,
        )
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # A name may be no UTF-8.
    _say(describe(detector.threshold))
    if passed_over:
        _say(passed_over)
    inspector = Inspector(
        detector, FLAGS.batch_size, FLAGS.num_threads, _write, _say, rois=rois, engine=engine
    )
    # Image libraries write of broken files themselves; our one line says it better.
    with silent_stderr() as stderr, contextlib.redirect_stderr(stderr):
        if FLAGS.watch and isinstance(source, Path) and output is not None:
            watcher = Watcher(source, output.known, settle=SETTLE_SECONDS, excluded=output_dir)
            counts = inspector.watch(watcher, output, _stop_by_signals())
        else:
            counts = inspector.inspect(files, output)
    verdicts = counts.verdicts
    text = (
        f"{quantity(verdicts.total(), 'image')}: {verdicts[NORMAL]} normal, "
        f"{verdicts[ANOMALOUS]} anomalous, {verdicts[UNREADABLE]} unreadable."
    )
    _say(f"{text} Unlike the calibration images: {counts.unlike}." if counts.unlike else text)
    if output_dir:
        _say(f"Report: {output_dir / 'report.html'}")
    if verdicts[ANOMALOUS]:
        return SOME_ANOMALOUS
    return SOME_UNREADABLE if verdicts[UNREADABLE] else ALL_NORMAL


def _check(source: "File | None", output_dir: Path | None) -> None:
    if source is not None and not source.exists():
        raise UserError(f"Expected an image or a directory. Received: --images={source}")
    if FLAGS.watch and not (output_dir and isinstance(source, Path) and source.is_dir()):
        raise UserError(
            "Expected a directory of this machine in --images, and --output_dir, with --watch. "
            f"Received: --images={FLAGS.images}, --output_dir={FLAGS.output_dir}"
        )
    if FLAGS.watch and FLAGS.on:
        raise UserError(f"Expected --watch without --on. Received: --on={FLAGS.on}")


def _rois(
    detector: "Detector", source: "File | None", files: "Listing"
) -> "RegionsOfInterest | None":
    """The regions of interest that the flags ask for; says for which images there are none."""
    if FLAGS.roi_mask is None:
        return None
    from awl_vae.data.roi import RegionsOfInterest

    path = Path(os.path.abspath(FLAGS.roi_mask))
    if detector.roi is None:
        raise UserError(
            "Expected a detector that was trained with --roi_mask. "
            f"Received: --model_dir={FLAGS.model_dir}, and --roi_mask={path}"
        )
    is_among = isinstance(source, Path) and path.is_relative_to(source)
    if path.is_dir() and (FLAGS.watch or is_among):
        raise UserError(
            "Expected a directory as --roi_mask without --watch, and outside of --images. "
            f"Received: --roi_mask={path}"
        )
    rois = RegionsOfInterest(path, detector.image_size, detector.resize)
    if note := rois.note(files):
        _say(note)
    return rois


def _files(source: "File | None", output_dir: Path | None) -> "tuple[Listing, str]":
    """The images that are asked for, and what is said of other files that lie among them."""
    from awl_vae.data.reading import SUFFIXES
    from awl_vae.detection.listing import Listing, files_below, is_to_be_inspected, listed

    num_others, first = 0, ""

    def images(directory: "File") -> "Iterator[File]":
        nonlocal num_others, first
        for file in files_below(directory, excluded=output_dir):
            if is_to_be_inspected(file):
                yield file
            else:
                num_others += 1
                first = first or os.path.relpath(str(file), str(directory))

    if source is None:
        files = Listing(listed(sys.stdin.buffer))
    else:
        files = Listing(images(source) if source.is_dir() else [source])
    if not files:
        where = source or "standard input"
        raise UserError(f"Expected images ({', '.join(SUFFIXES)}). Received: none in {where}")
    if not num_others:
        return files, ""
    others = with_first(num_others, "file", ascii(first)[1:-1])
    return files, f"Passed over, no images by their names: {others}."


def _root(source: "File | None") -> "File | None":
    """The directory of the images, which the names of their overlays leave out."""
    if source is None or source.is_dir():
        return source
    return source.parent


def _stop_by_signals() -> threading.Event:
    """What SIGINT and SIGTERM set."""
    # A KeyboardInterrupt is lost where it meets a weak reference's callback.
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _write(line: str) -> None:
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on; the verdict and what is kept in a directory are still wanted.
        discard_stdout()


if __name__ == "__main__":
    define_model_dir()
    define_path(
        "images",
        None,
        "An image, a directory (all below it), or - for those on standard input, one a line; by "
        "paths, or by addresses such as s3://bucket/parts of stores that fsspec knows.",
        required=True,
    )
    define_path("output_dir", None, "Where findings, overlays and the report are kept.")
    define_path(
        "roi_mask",
        None,
        "Regions of interest in the place of the detector's own: a mask for all images, or a "
        "directory of masks by the images' names.",
    )
    define_tiles(
        "See each image in so many overlapping tiles, each of which is judged as an image; for a "
        "detector that was fitted to images like a tile. One that was fitted with --tiles has its "
        "own."
    )
    flags.DEFINE_bool(
        "watch", False, "Follow the directory as images arrive, until interrupted (Ctrl-C)."
    )
    flags.DEFINE_integer("batch_size", 32, "Images that are scored at a time.", 1, 1 << 16)
    flags.DEFINE_integer(
        "num_threads",
        2,
        "Images that are decoded at a time; with --on, threads of each worker.",
        1,
        1024,
    )
    define_engine("in this process")
    run(main, error_status=NOT_RUN, goes_on=lambda: FLAGS.output_dir is not None)
