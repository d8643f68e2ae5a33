r"""Finds another threshold for a trained detector, and says what to expect of it.

    python experiments/calibrate_detector.py --threshold=quantile --setting=0.01 \
        --model_dir=runs/loss_adapted/folder/loss_adapted/seed-1

quantile    a rate of false alarms (--setting, default 0.01), from normal images alone
k_sigma     mean plus k standard deviations of normal scores (--setting is k, default 3)
manual      the threshold itself (--setting)
youden      the largest sensitivity + specificity − 1 on the labelled adapt images
f1          the largest F1 on them
sensitivity all anomalies among them caught, at the fewest false alarms

The normal images are the calibration images, which nothing was trained on; their scores, and those
of the adapt images, are kept with the detector, so no picture is read.
"""

from absl import flags

import awl_vae.experiments.detector_flags
from awl_vae.detection import calibrate, describe
from awl_vae.detection.calibration import SETTINGS
from awl_vae.experiments.command import run

FLAGS = flags.FLAGS


def main() -> int:
    """Calibrates as the flags ask for; returns the exit status."""
    detector, directory = experiments.detector_flags.detector_from_flags()
    setting = FLAGS.setting
    if setting is None:
        setting = SETTINGS.get(FLAGS.threshold)
    before = detector.threshold
    detector.threshold = calibrate(detector.calibration, FLAGS.threshold, setting)
    detector.save_settings(directory)
    print(describe(detector.threshold))
    print(f"It takes the place of {before.value:.6g} ({before.method}) in {directory}.")
    return 0


if __name__ == "__main__":
    experiments.detector_flags.define_calibration_flags()
    flags.adopt_module_key_flags(experiments.detector_flags)
    run(main)
