"""The flags of the commands that work with a trained detector."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from awl_vae.detection.saved import find_detector
from awl_vae.experiments.command import define_path
from awl_vae.experiments.flags import define_setting
from awl_vae.training.settings import Setting

if TYPE_CHECKING:
    from awl_vae.detection import Detector

FLAGS = flags.FLAGS
# What is defined here counts as a flag of the command that asks for it.
flags.disclaim_key_flags()


MOST_TILES = 20


def define_model_dir() -> None:
    """Defines the flag that says which detector."""
    define_path(
        "model_dir", None, "A directory <method>/seed-<s> of a run, or a detector.", required=True
    )


def define_tiles(about: str) -> None:
    """Defines the flag that says in how many tiles an image is seen."""
    define_setting("tiles", _Grid(about), default="one")


class _Grid(Setting):
    """Rows and columns."""

    @property
    def expected(self) -> str:
        return f"RxC, rows and columns of tiles, each at most {MOST_TILES},"

    def parse(self, value: Any) -> Any:
        found = re.fullmatch(r"(\d+)x(\d+)", str(value))
        return tuple(map(int, found.groups())) if found else value

    def is_valid(self, value: object) -> bool:
        return isinstance(value, tuple) and all(1 <= number <= MOST_TILES for number in value)

    def show(self, value: Any) -> str:
        return "x".join(map(str, value))


def detector_from_flags() -> tuple["Detector", Path]:
    """The detector that `--model_dir` names, and its directory.

    Raises:
        UserError: If there is none, or more than one.
    """
    directory = find_detector(Path(FLAGS.model_dir))
    from awl_vae.system import quiet_tensorflow  # noqa: F401, I001
    from awl_vae.detection import Detector

    return Detector.load(directory), directory
