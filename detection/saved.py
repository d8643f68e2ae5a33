"""What a saved detector says of itself, checked before anything relies on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from awl_vae.data.images import RESIZE_MODES
from awl_vae.detection.false_alarms import FalseAlarms
from awl_vae.detection.likeness import MEASURES, Likeness
from awl_vae.detection.thresholds import THRESHOLDS, Threshold
from awl_vae.evaluation.scores import FEATURE_SCORES, SCORES
from awl_vae.system import read_csv, read_json
from awl_vae.system.errors import UserError
from awl_vae.system.files import is_finite
from awl_vae.system.kinds import NUMBER, OPTIONAL_NUMBER, difference

FORMAT = 1
ALARMS = {"rate": NUMBER, "low": NUMBER, "high": NUMBER, "num_normal": int, "count": int}
KINDS = {
    "format": int,
    "image_size": [int],
    "resize": str,
    "score": str,
    "threshold": {
        "value": NUMBER,
        "method": str,
        "setting": OPTIONAL_NUMBER,
        "false_alarms": ALARMS,
    },
    "pixel_threshold": NUMBER,
    "likeness": dict | None,
}
"""Of `detector.json`."""

COLUMNS = ("image", "split", "label", "score")
"""Of `calibration.csv`."""


FILES = ("scorer.keras", "calibration.csv", "detector.json")
"""In the directory of a detector."""


class DetectorError(UserError, ValueError):
    """A directory holds no detector, or one of a newer version."""


def find_detector(directory: Path) -> Path:
    """Where a detector lies: in a directory, or below that of a method and seed of a run.

    Raises:
        DetectorError: If there is none, or it is the directory of more.
    """
    if found := _found(directory):
        return found
    text = f"Expected the directory of a detector. Received: {directory}"
    if more := sorted(directory.glob("**/detector/detector.json")):
        names = ", ".join(str(path.parent.parent.relative_to(directory)) for path in more)
        text += f", which holds those of {names}"
    raise DetectorError(text)


def holds_detector(directory: Path) -> bool:
    """Whether `find_detector` finds one."""
    return _found(directory) is not None


def _found(directory: Path) -> Path | None:
    places = directory, directory / "detector"
    return next((place for place in places if (place / "detector.json").is_file()), None)


def check_replaceable(directory: Path) -> None:
    """Checks that files of these names are those of a detector, and nobody else's.

    Raises:
        DetectorError: If they are not.
        FileError: If `detector.json` is none of ours.
    """
    found = [name for name in FILES if (directory / name).exists()]
    if found and "detector.json" not in found:
        raise DetectorError(
            "Expected an empty directory, or that of a detector. "
            f"Received: {directory}, with {found[0]} and no detector.json"
        )
    if found:
        read_settings(directory)


def read_settings(directory: Path) -> dict[str, Any]:
    """The content of `detector.json`.

    Raises:
        DetectorError: If it is of another format, or a value is none that it can have.
        FileError: If it is no such file.
        OSError: If it cannot be read.
    """
    path = directory / "detector.json"
    settings = read_json(path, KINDS)
    if settings["format"] != FORMAT:
        raise DetectorError(
            f"Expected a detector of format {FORMAT}. "
            f"Received: format {settings['format']}, {directory}"
        )
    threshold = settings["threshold"]
    method, setting = THRESHOLDS.get(threshold["method"]), threshold.get("setting")
    alarms = threshold["false_alarms"]
    scores = [*SCORES, *FEATURE_SCORES]
    for is_right, expected, value in (
        (settings["score"] in scores, f"a score among {', '.join(scores)}", settings["score"]),
        (
            settings["resize"] in RESIZE_MODES,
            f"a resize among {', '.join(RESIZE_MODES)}",
            settings["resize"],
        ),
        (method is not None, f"a threshold among {', '.join(THRESHOLDS)}", threshold["method"]),
        (method is None or method.takes(setting), f"a setting of {threshold['method']}", setting),
        (
            threshold["method"] != "manual" or setting == threshold["value"],
            "a manual threshold whose value is its setting",
            f"{threshold['value']} and {setting}",
        ),
        (settings["pixel_threshold"] > 0, "a pixel_threshold above 0", settings["pixel_threshold"]),
        (alarms["num_normal"] >= 1, "a num_normal of at least 1", alarms["num_normal"]),
        (alarms["count"] >= 0, "a count of at least 0", alarms["count"]),
        (
            0 <= alarms["low"] <= alarms["rate"] <= alarms["high"] <= 1,
            "a rate of false alarms in [0, 1], between its low and high",
            alarms["rate"],
        ),
    ):
        if not is_right:
            raise DetectorError(f"Expected {expected}. Received: {value}, {path}")
    return settings


def read_threshold(directory: Path) -> Threshold:
    """The threshold of a saved detector, without reading its network."""
    return threshold_of(read_settings(directory))


def threshold_of(settings: Mapping[str, Any]) -> Threshold:
    """The threshold that `detector.json` holds."""
    found = settings["threshold"]
    alarms = FalseAlarms(**{name: found["false_alarms"][name] for name in ALARMS})
    return Threshold(found["value"], found["method"], found.get("setting"), alarms)


def likeness_of(settings: Mapping[str, Any], directory: Path) -> Likeness | None:
    """What the calibration images looked like; None of a detector of 0.1.0, which kept nothing.

    Raises:
        DetectorError: If a range is none, or of nothing that is measured.
    """
    ranges, path = settings.get("likeness"), directory / "detector.json"
    if ranges is None:
        return None
    if wrong := difference(ranges, {...: [NUMBER]}, "likeness"):
        raise DetectorError(f"{wrong}, {path}")
    for name, bounds in ranges.items():
        if name not in MEASURES:
            raise DetectorError(
                f"Expected likeness of {', '.join(MEASURES)}. Received: {name!r:.80}, {path}"
            )
        if len(bounds) != 2 or not 0 < bounds[0] <= bounds[1]:
            raise DetectorError(
                f"Expected a smallest and a largest value above 0 as likeness.{name}. "
                f"Received: {bounds!r:.80}, {path}"
            )
    return Likeness({name: (low, high) for name, (low, high) in ranges.items()})


def read_calibration(directory: Path) -> list[dict[str, str]]:
    """The rows of `calibration.csv`.

    Raises:
        DetectorError: If there is none, or a score is no number, or a label none of its split.
        FileError: If it is no such file.
        OSError: If it cannot be read.
    """
    path = directory / "calibration.csv"
    rows = read_csv(path, COLUMNS)
    if not any(row["split"] == "calibration" for row in rows):
        raise DetectorError(f"Expected images of the split calibration. Received: none in {path}")
    for row in rows:
        labels = ("0",) if row["split"] == "calibration" else ("0", "1")
        if not is_finite(row["score"]) or row["label"] not in labels:
            raise DetectorError(
                f"Expected a number as score and {' or '.join(labels)} as label of the split "
                f"{row['split']!r:.80}. "
                f"Received: score={row['score']}, label={row['label']}, {path}"
            )
    return rows


def check_agreement(
    threshold: Threshold, rows: Sequence[Mapping[str, str]], directory: Path
) -> None:
    """Checks that a threshold is of the calibration beside it.

    Raises:
        DetectorError: If there are more or fewer images than it knows, or it calls more or fewer of
            them anomalous.
    """
    alarms = threshold.false_alarms
    scores = [float(row["score"]) for row in rows if row["split"] == "calibration"]
    called = sum(score >= threshold.value for score in scores)
    for name, known, found in (
        ("num_normal", alarms.num_normal, len(scores)),
        ("count", alarms.count, called),
    ):
        if known != found:
            raise DetectorError(
                f"Expected threshold.false_alarms.{name}={found}, as in calibration.csv. "
                f"Received: {known}, {directory / 'detector.json'}"
            )
