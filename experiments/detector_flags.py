"""The flags of the commands that work with a trained detector."""

from pathlib import Path

from absl import flags

from awl_vae.detection import LABEL_FREE, LABELLED, Detector, DetectorError
from awl_vae.detection.export import SUFFIXES
from awl_vae.experiments.flags import is_any_size

FLAGS = flags.FLAGS


def define_model_flags() -> None:
    """Defines the flag that says which detector."""
    flags.DEFINE_string(
        "model_dir", None, "A directory <method>/seed-<s> of a run, or a detector.", required=True
    )


def define_inspection_flags() -> None:
    """Defines the flags of the command that inspects pictures."""
    define_model_flags()
    flags.DEFINE_string(
        "images",
        None,
        "A picture, a directory (all below it), or - for paths on standard input, one a line.",
        required=True,
    )
    flags.DEFINE_string("output_dir", None, "Where findings, pictures and the report are kept.")
    flags.DEFINE_bool(
        "watch", False, "Follow the directory as pictures arrive, until interrupted (Ctrl-C)."
    )
    flags.DEFINE_integer("batch_size", 32, "Pictures that are scored at a time.", lower_bound=1)
    flags.DEFINE_integer("num_threads", 2, "Pictures that are decoded at a time.", lower_bound=1)


def define_calibration_flags() -> None:
    """Defines the flags of the command that finds a threshold."""
    define_model_flags()
    flags.DEFINE_enum(
        "threshold", "quantile", [*LABEL_FREE, *LABELLED], "How the threshold is found; see above."
    )
    flags.DEFINE_float("setting", None, "The rate, the k, or the threshold; see above.")


def define_export_flags() -> None:
    """Defines the flags of the command that exports a detector."""
    define_model_flags()
    flags.DEFINE_enum(
        "format",
        "saved_model",
        list(SUFFIXES),
        "saved_model: TensorFlow; onnx: ONNX; litert: LiteRT (TensorFlow Lite).",
    )
    flags.DEFINE_string(
        "output", None, "The file, or the directory of a SavedModel. Default: in the model_dir."
    )
    flags.DEFINE_string(
        "input_size", None, "Pixels of the pictures, N or HxW. Default: the detector's."
    )
    flags.register_validator("input_size", is_any_size, "Expected N or HxW in pixels.")
    flags.DEFINE_enum("input_dtype", "uint8", ["uint8", "uint16"], "Type of the pictures.")


def detector_from_flags() -> tuple[Detector, Path]:
    """The detector that `--model_dir` names, and its directory.

    Raises:
        DetectorError: If there is none, or more than one.
    """
    directory = Path(FLAGS.model_dir)
    if (directory / "detector").is_dir():
        directory = directory / "detector"
    elif found := sorted(directory.glob("**/detector")):
        names = ", ".join(str(each.parent.relative_to(directory)) for each in found)
        raise DetectorError(
            f"Expected the directory of one detector. Received: model_dir={directory}, which holds "
            f"those of {names}"
        )
    return Detector.load(directory), directory
