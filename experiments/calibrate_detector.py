r"""Finds another threshold for a trained detector, or by another score, and what to expect of it.

    awl-vae calibrate --threshold=quantile --false_alarm_rate=0.01 \
        --model_dir=runs/loss_adapted/folder/loss_adapted/seed-1

The normal images are the calibration images, which nothing was trained on; their scores, and those
of the labelled adapt images, are kept with the detector, so no image is read. With --score it
becomes the detector that a run with that score gives wherever it ends with the same network; the
threshold is found as before unless one is asked for.
"""

if not __package__:
    import checkout  # noqa: F401

import sys

from absl import flags

from awl_vae.detection.thresholds import THRESHOLDS, NormalMethod
from awl_vae.evaluation.scores import SCORES
from awl_vae.experiments.command import run
from awl_vae.experiments.detector_flags import define_model_dir, detector_from_flags
from awl_vae.experiments.flags import define_setting
from awl_vae.system.errors import UserError
from awl_vae.training.settings import Choice

FLAGS = flags.FLAGS
NUMBERS = {name: method for name, method in THRESHOLDS.items() if isinstance(method, NormalMethod)}


def main() -> int:
    """Calibrates as the flags ask for; returns the exit status."""
    setting = _setting()
    detector, directory = detector_from_flags()
    from awl_vae.detection import calibrate, describe

    before = detector.threshold
    if FLAGS.score is None:
        detector.threshold = calibrate(detector.calibration, FLAGS.threshold, setting)
        detector.save_settings(directory)
    else:
        is_asked = setting is not None or not FLAGS["threshold"].using_default_value
        threshold = FLAGS.threshold if is_asked else None
        detector = detector.with_score(FLAGS.score, threshold, setting)
        detector.save(directory)
    print(describe(detector.threshold))
    print(f"It takes the place of {before.value:.6g} ({before.method}) in {directory}.")
    return 0


def _setting() -> float | None:
    """The number that the threshold's own flag gives, or `--setting`, as it was called in 0.1.0."""
    method = NUMBERS.get(FLAGS.threshold)
    for other in NUMBERS.values():
        is_other = method is None or other.flag != method.flag
        if is_other and FLAGS[other.flag].value is not None:
            wanted = f"--{method.flag}" if method else "no number"
            raise UserError(
                f"Expected {wanted} with --threshold={FLAGS.threshold}. "
                f"Received: --{other.flag}={FLAGS[other.flag].value:g}"
            )
    if method is None:
        return FLAGS.setting
    own: float | None = FLAGS[method.flag].value
    if FLAGS.setting is not None:
        print(f"Warning: --setting is now --{method.flag}.", file=sys.stderr)
        own = FLAGS.setting if own is None else own
    return own


if __name__ == "__main__":
    define_model_dir()
    define_setting(
        "score", Choice("The anomaly score that it is to have.", SCORES), default="its own"
    )
    methods = "; ".join(f"{name}: {method.about}" for name, method in THRESHOLDS.items())
    flags.DEFINE_enum(
        "threshold", "quantile", list(THRESHOLDS), f"How the threshold is found. {methods}."
    )
    for flag, method in {method.flag: method for method in NUMBERS.values()}.items():
        names = " and ".join(name for name, row in NUMBERS.items() if row.flag == flag)
        default = "" if method.default is None else f" Default: {method.default:g}."
        flags.DEFINE_float(flag, None, f"Of --threshold={names}: {method.number}.{default}")
    flags.DEFINE_float("setting", None, "What these three were called in 0.1.0.")
    run(main)
