r"""Exports a trained detector as a graph for other programs.

    awl-vae export --format=onnx --output=detector.onnx \
        --model_dir=runs/auc_adapted/bellows/auc_adapted/seed-1

The graph takes gray images (N, height, width), or RGB ones (N, height, width, 3) where the detector
sees colours, of uint8 or uint16, brings them to the detector's size, and gives `score` (N,),
`anomaly_map` (N, H, W) and `is_anomalous` (N,). The threshold and how it was found are in a JSON
file beside it. The export is run on images of all kinds, and on those that the detector was fitted
to if they are still there, and compared with the detector; if a verdict is another, or a score or a
map differs by more than a thousandth (a hundredth in float16), nothing is left.
"""

if not __package__:
    import checkout  # noqa: F401

from pathlib import Path

from absl import flags

from awl_vae.detection.export_formats import EXPORTED, FORMATS
from awl_vae.detection.saved import read_calibration
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.detector_flags import define_model_dir, detector_from_flags
from awl_vae.experiments.flags import define_setting
from awl_vae.system import read_json
from awl_vae.training.settings import Size

FLAGS = flags.FLAGS

ANY = "any"
"""What --input_size is where the graph takes images of every size."""


class _InputSize(Size):
    """A size, or any."""

    @property
    def expected(self) -> str:
        return f"{super().expected} or {ANY!r}"

    def parse(self, value: object) -> object:
        return value if value == ANY else super().parse(value)

    def is_valid(self, value: object) -> bool:
        return value == ANY or super().is_valid(value)


def main() -> int:
    """Exports what the flags ask for; returns the exit status."""
    detector, directory = detector_from_flags()
    from awl_vae.detection.export import export

    size = FLAGS.input_size or detector.image_size
    images = _fitted(directory)
    path = Path(FLAGS.output or directory.with_name(EXPORTED + FORMATS[FLAGS.format].suffix))
    difference = export(
        detector,
        path,
        format=FLAGS.format,
        input_size=None if size == ANY else size,
        dtype=FLAGS.input_dtype,
        images=images,
    )
    verdicts = f" The same verdicts on {len(images)} images." if images else ""
    print(
        f"{path}: scores and maps within {difference:.1g} of the detector's.{verdicts} "
        f"Threshold: {path}.json"
    )
    return 0


def _fitted(directory: Path) -> list[Path]:
    """The images that a detector was fitted to, as far as they are still there."""
    path = directory / "fit.json"
    if not path.exists():
        return []
    folder = Path(read_json(path, {"settings": {"folder": str}})["settings"]["folder"])
    found = (folder / row["image"] for row in read_calibration(directory))
    return [file for file in found if file.is_file()]


if __name__ == "__main__":
    define_model_dir()
    formats = "; ".join(f"{name}: {each.about}" for name, each in FORMATS.items())
    flags.DEFINE_enum("format", "saved_model", list(FORMATS), f"Of the graph. {formats}.")
    define_path(
        "output", None, "The file, or the directory of a SavedModel. Default: beside the detector."
    )
    size = _InputSize("Height and width of the images, N or HxW in pixels, or any.", divisor=1)
    define_setting("input_size", size, default="the detector's")
    flags.DEFINE_enum("input_dtype", "uint8", ["uint8", "uint16"], "Type of the images.")
    run(main)
