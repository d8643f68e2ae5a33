"""What a saved detector says of itself, checked before anything relies on it."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from awl_vae.data.images import RESIZE_MODES
from awl_vae.detection.false_alarms import FalseAlarms
from awl_vae.detection.thresholds import THRESHOLDS, Threshold, takes
from awl_vae.evaluation.scores import SCORES
from awl_vae.system.errors import UserError

FORMAT = 1
COLUMNS = ("image", "split", "label", "score")
"""Of `calibration.csv`."""


class DetectorError(UserError, ValueError):
    """A directory holds no detector, or one of a newer version."""


def find_detector(directory: Path) -> Path:
    """Where a detector lies: in a directory, or below that of a method and seed of a run.

    Raises:
        DetectorError: If there is none, or it is the directory of more.
    """
    for found in (directory, directory / "detector"):
        if (found / "detector.json").is_file():
            return found
    text = f"Expected the directory of a detector. Received: {directory}"
    if more := sorted(directory.glob("**/detector/detector.json")):
        names = ", ".join(str(path.parent.parent.relative_to(directory)) for path in more)
        text += f", which holds those of {names}"
    raise DetectorError(text)


def read_settings(directory: Path) -> dict[str, Any]:
    """The content of `detector.json`.

    Raises:
        DetectorError: If it is of another format, or a value is none that it can have.
        OSError, ValueError, KeyError, TypeError: If it is no such file.
    """
    settings: dict[str, Any] = json.loads((directory / "detector.json").read_text(encoding="utf-8"))
    if settings["format"] != FORMAT:
        raise DetectorError(
            f"Expected a detector of format {FORMAT}. "
            f"Received: format {settings['format']}, {directory}"
        )
    for name, names in (("score", SCORES), ("resize", RESIZE_MODES)):
        if settings[name] not in names:
            raise DetectorError(
                f"Expected a {name} among {', '.join(names)}. "
                f"Received: {settings[name]}, {directory}"
            )
    threshold = settings["threshold"]
    for name, value in (
        ("threshold", threshold["value"]),
        ("pixel_threshold", settings["pixel_threshold"]),
        *(threshold["false_alarms"].items()),
    ):
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise DetectorError(
                f"Expected a finite number as {name}. Received: {value!r}, {directory}"
            )
    if threshold["method"] not in THRESHOLDS:
        raise DetectorError(
            f"Expected a threshold among {', '.join(THRESHOLDS)}. "
            f"Received: {threshold['method']}, {directory}"
        )
    if not takes(THRESHOLDS[threshold["method"]], threshold["setting"]):
        raise DetectorError(
            f"Expected a setting that the threshold {threshold['method']} takes. "
            f"Received: {threshold['setting']!r}, {directory}"
        )
    return settings


def read_threshold(directory: Path) -> Threshold:
    """The threshold of a saved detector, without reading its network."""
    return threshold_of(read_settings(directory))


def threshold_of(settings: Mapping[str, Any]) -> Threshold:
    """The threshold that `detector.json` holds."""
    found = settings["threshold"]
    return Threshold(**found | {"false_alarms": FalseAlarms(**found["false_alarms"])})


def check_calibration(rows: Sequence[Mapping[str, str]], directory: Path) -> None:
    """Checks the rows of `calibration.csv`.

    Raises:
        DetectorError: If a column is missing, or a score or label is no number.
    """
    for row in rows:
        lacking = [name for name in COLUMNS if row.get(name) is None]
        is_number = (
            not lacking and math.isfinite(float(row["score"])) and row["label"] in ("0", "1")
        )
        if not is_number:
            raise DetectorError(
                f"Expected {', '.join(COLUMNS)} in each row of calibration.csv, with numbers. "
                f"Received: {dict(row)}, {directory}"
            )
