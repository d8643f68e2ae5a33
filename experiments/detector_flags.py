"""The flags of the commands that work with a trained detector."""

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from awl_vae.detection.saved import find_detector
from awl_vae.experiments.command import define_path
from awl_vae.experiments.flags import define_setting
from awl_vae.training.settings import Grid

if TYPE_CHECKING:
    from awl_vae.detection import Detector

FLAGS = flags.FLAGS
# What is defined here counts as a flag of the command that asks for it.
flags.disclaim_key_flags()


def define_model_dir() -> None:
    """Defines the flag that says which detector."""
    define_path(
        "model_dir", None, "A directory <method>/seed-<s> of a run, or a detector.", required=True
    )


def define_tiles(about: str) -> None:
    """Defines the flag that says in how many tiles an image is seen."""
    define_setting("tiles", Grid(about), default="one")


def detector_from_flags() -> tuple["Detector", Path]:
    """The detector that `--model_dir` names, and its directory.

    Raises:
        UserError: If there is none, or more than one.
    """
    directory = find_detector(Path(FLAGS.model_dir))
    from awl_vae.system import quiet_tensorflow  # noqa: F401, I001
    from awl_vae.detection import Detector

    return Detector.load(directory), directory
