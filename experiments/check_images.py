"""Tells what is wrong with a folder of images before training, or what a detector is.

    awl-vae check photographs --output_dir=check

The folder has the layout that --data_dir takes (train/good, test/good, test/<defect>,
ground_truth/<defect>), or holds images itself, which are normal then. What is there and what is to
be looked at is printed; with --output_dir it is also written to a page check.html there, with the
images that it is about. No image is changed.

Of the directory of a detector, or of a run's method and seed, it tells whether it is whole, and
what its threshold promises.

Exit status: 0 nothing found, 1 something to look at, 2 not run.
"""

if not __package__:
    import checkout  # noqa: F401

from contextlib import closing
from pathlib import Path

from absl import flags

from awl_vae.detection.saved import holds_detector
from awl_vae.detection.thresholds import FALSE_ALARM_RATE
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.flags import define_settings
from awl_vae.system.terminal import ProgressBar, silent_stderr
from awl_vae.training.resolve import resolve

FLAGS = flags.FLAGS

ALL_WELL, SOMETHING_FOUND, NOT_RUN = range(3)
SETTINGS = ("profile", "image_size", "resize", "num_threads")


def main(folder: str) -> int:
    """Checks a folder as the flags ask for; returns the exit status."""
    if holds_detector(Path(folder)):
        return _check_detector(Path(folder))
    given = {name: FLAGS[name].value for name in SETTINGS}
    config = resolve("baselines", {"dataset": "folder", "data_dir": folder, **given})
    from awl_vae.data.check import Survey, check_page, write_page
    from awl_vae.training.check import check

    page = Path(FLAGS.output_dir) / "check.html" if FLAGS.output_dir else None
    if page:
        check_page(page)

    # Image libraries write of broken files themselves; our lines say it better.
    with silent_stderr() as stderr, closing(ProgressBar(0, stderr)) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.advance(1, "reading images")

        seen = Survey.of(
            Path(folder),
            config.image_size,
            config.resize,
            num_threads=config.num_threads,
            progress=progress,
        )
    report = check(seen, FLAGS.false_alarm_rate)
    for line in report.lines():
        print(line)
    if page:
        write_page(page, report, seen.picture)
        print(f"\nPage: {page}")
    return SOMETHING_FOUND if report.concerns else ALL_WELL


def _check_detector(directory: Path) -> int:
    from awl_vae.system import quiet_tensorflow  # noqa: F401, I001
    from awl_vae.detection import Detector, describe

    detector = Detector.load(directory)
    size = "x".join(map(str, detector.image_size))
    print(f"A whole detector: score {detector.scorer.score}, images {size} ({detector.resize}).")
    print(describe(detector.threshold))
    return ALL_WELL


if __name__ == "__main__":
    define_settings("baselines", SETTINGS)
    flags.DEFINE_float(
        "false_alarm_rate",
        FALSE_ALARM_RATE,
        "The rate of false alarms that a threshold is wanted for, between 0 and 1.",
    )
    flags.register_validator(
        "false_alarm_rate",
        lambda rate: 0.0 < rate < 1.0,
        "Expected a number between 0 and 1 as --false_alarm_rate.",
    )
    define_path("output_dir", None, "Where the page check.html goes. Default: no page.")
    run(main, error_status=NOT_RUN, word="FOLDER")
