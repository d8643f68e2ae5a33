r"""Exports a trained detector as a graph for other programs.

    awl-vae export --format=onnx --output=detector.onnx \
        --model_dir=runs/auc_adapted/bellows/auc_adapted/seed-1

The graph takes gray images (N, height, width) of uint8 or uint16, brings them to the detector's
size, and gives `score` (N,) and `anomaly_map` (N, H, W). The threshold and how it was found are in
a JSON file beside it. The export is run on images of all kinds and compared with the detector; if a
score or a map differs by more than a thousandth, nothing is left.
"""

if not __package__:
    import checkout  # noqa: F401

from pathlib import Path

from absl import flags

from awl_vae.detection.export_formats import EXPORTED, FORMATS
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.detector_flags import define_model_dir, detector_from_flags
from awl_vae.experiments.flags import define_setting
from awl_vae.training.settings import Size

FLAGS = flags.FLAGS


def main() -> int:
    """Exports what the flags ask for; returns the exit status."""
    detector, directory = detector_from_flags()
    from awl_vae.detection.export import export

    path = Path(FLAGS.output or directory.with_name(EXPORTED + FORMATS[FLAGS.format].suffix))
    difference = export(
        detector,
        path,
        format=FLAGS.format,
        input_size=FLAGS.input_size or detector.image_size,
        dtype=FLAGS.input_dtype,
    )
    print(
        f"{path}: scores and maps within {difference:.1g} of the detector's. Threshold: {path}.json"
    )
    return 0


if __name__ == "__main__":
    define_model_dir()
    formats = "; ".join(f"{name}: {each.about}" for name, each in FORMATS.items())
    flags.DEFINE_enum("format", "saved_model", list(FORMATS), f"Of the graph. {formats}.")
    define_path(
        "output", None, "The file, or the directory of a SavedModel. Default: in the model_dir."
    )
    size = Size("Height and width of the images, N or HxW in pixels.", divisor=1)
    define_setting("input_size", size, default="the detector's")
    flags.DEFINE_enum("input_dtype", "uint8", ["uint8", "uint16"], "Type of the images.")
    run(main)
