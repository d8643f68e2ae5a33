r"""Exports a trained detector as a graph for other programs.

    python experiments/export_model.py --format=onnx --output=detector.onnx \
        --model_dir=runs/auc_adapted/bellows/auc_adapted/seed-1

The graph takes gray pictures (N, height, width) of uint8 or uint16, brings them to the detector's
size, and gives `score` (N,) and `anomaly_map` (N, H, W). The threshold and how it was found are in
a JSON file beside it. The export is run on pictures of all kinds and compared with the detector; if
a score or a map differs by more than a thousandth, nothing is left.
"""

from pathlib import Path

from absl import flags

import awl_vae.experiments.detector_flags
from awl_vae.detection.export import SUFFIXES, export
from awl_vae.experiments.command import run
from awl_vae.experiments.flags import size_from_flag

FLAGS = flags.FLAGS


def main() -> int:
    """Exports what the flags ask for; returns the exit status."""
    detector, directory = experiments.detector_flags.detector_from_flags()
    path = Path(FLAGS.output or directory.with_name(f"exported{SUFFIXES[FLAGS.format]}"))
    difference = export(
        detector,
        path,
        format=FLAGS.format,
        input_size=size_from_flag("input_size") or detector.image_size,
        dtype=FLAGS.input_dtype,
    )
    print(
        f"{path}: scores and maps within {difference:.1g} of the detector's. Threshold: {path}.json"
    )
    return 0


if __name__ == "__main__":
    experiments.detector_flags.define_export_flags()
    flags.adopt_module_key_flags(experiments.detector_flags)
    run(main)
