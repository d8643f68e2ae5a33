"""Fits a detector to the good images of a folder, and reports what is to be expected of it.

    awl-vae fit photographs --model_dir=detector

The folder holds good images, or the layout that --data_dir takes; what is in test/ is reported on,
beside PaDiM, PatchCore and PCA, and chooses nothing. Images are seen in colours, through a small
frozen network. Good images are held out in turn, which gives the threshold for the wanted rate of
false alarms. --model_dir becomes the directory of a detector, for awl-vae inspect, calibrate and
export, with a page report.html. The same command goes on where it was cut off.
"""

if not __package__:
    import checkout  # noqa: F401

import os
from pathlib import Path

from absl import flags

from awl_vae.detection.thresholds import FALSE_ALARM_RATE
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.detector_flags import define_tiles
from awl_vae.features.backbones import BACKBONES
from awl_vae.system.ahead import num_cores
from awl_vae.system.errors import check_path
from awl_vae.system.terminal import silent_stderr

FLAGS = flags.FLAGS

DONE, NOT_DONE = 0, 1


def main(folder: str) -> int:
    """Fits what the flags ask for; returns the exit status."""
    check_path("model_dir", FLAGS.model_dir)
    from awl_vae.system import quiet_tensorflow  # noqa: F401, I001
    from awl_vae.detection import describe
    from awl_vae.training.fitting.fit import FitSettings, fit
    from awl_vae.training.fitting.folder import read_list

    root = Path(os.path.abspath(folder))
    model_dir = Path(os.path.abspath(FLAGS.model_dir))
    exclude = read_list(Path(FLAGS.exclude), root) if FLAGS.exclude else []
    settings = FitSettings(
        str(root),
        tuple(exclude),
        false_alarm_rate=FLAGS.false_alarm_rate,
        short_side=FLAGS.short_side,
        grid=FLAGS.tiles or (1, 1),
        backbone=FLAGS.backbone,
        precise=FLAGS.precise,
        num_threads=FLAGS.num_threads or num_cores(),
    )
    # Image libraries write of broken files themselves; our one line says it better.
    with silent_stderr() as stderr:
        detector = fit(settings, model_dir, stderr)
    print(describe(detector.threshold))
    print(f"Report: {model_dir / 'report.html'}")
    return DONE


if __name__ == "__main__":
    define_path("model_dir", None, "Where the detector and its report go.", required=True)
    define_path(
        "exclude",
        None,
        "A text file with the names of good images to leave out, one a line, as the report has "
        "them, such as train/good/17.png, or their paths.",
    )
    flags.DEFINE_float(
        "false_alarm_rate",
        FALSE_ALARM_RATE,
        "The share of good images that may be called anomalous, above 0 and below 0.5.",
    )
    flags.register_validator(
        "false_alarm_rate",
        lambda rate: 0.0 < rate < 0.5,
        "Expected a number above 0 and below 0.5 as --false_alarm_rate.",
    )
    flags.DEFINE_integer(
        "short_side",
        224,
        "Pixels of the shorter side that images, or their tiles, are brought to; their proportions "
        "are kept.",
        32,
        2048,
    )
    define_tiles("Large images are seen in so many overlapping tiles, each as --short_side says.")
    about = "; ".join(f"{name}: {row.about}" for name, row in BACKBONES.items())
    flags.DEFINE_enum("backbone", "efficientnet_lite0", list(BACKBONES), f"The network. {about}.")
    flags.DEFINE_bool(
        "precise",
        False,
        "See each image a second time, mirrored, for which the network takes twice as long.",
    )
    flags.DEFINE_integer("num_threads", None, "CPU threads. Default: the machine's cores.", 1, 1024)
    run(main, error_status=NOT_DONE, word="FOLDER", goes_on=lambda: True)
