"""From a folder of good images to a detector, in one call that can be killed and go on."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from awl_vae import __version__
from awl_vae.data.check import Survey
from awl_vae.detection import Detector, FalseAlarms
from awl_vae.detection.contact_sheet import SHEET
from awl_vae.detection.saved import FILES as DETECTOR_FILES
from awl_vae.features.backbones import BACKBONES
from awl_vae.system import (
    LOCK,
    DirectoryLock,
    atomic_directory,
    read_json,
    temporary_path,
    write_json,
)
from awl_vae.system.errors import FileError, UserError, check_name
from awl_vae.system.files import check_not_current
from awl_vae.training.fitting.folder import SHORT_SIDE, find_images
from awl_vae.training.fitting.labelled import Labelled, rate_labelled
from awl_vae.training.fitting.recipes import RECIPES
from awl_vae.training.fitting.report import Outcome, write_report
from awl_vae.training.fitting.sizes import FoundBySize
from awl_vae.training.fitting.work import Work
from awl_vae.training.runtime import computing, cpu_note, start_run
from awl_vae.training.settings import Grid

RECIPE = "low_rank"

RATE = "false_alarm_rate"
GRID = Grid("")

FILES = (*DETECTOR_FILES, "report.html", SHEET, "fit.json")
"""In the directory of a detector that was fitted."""


MOST_BYTES = 1 << 31
"""Of the covariances of all positions in float32; fitting them takes three times as much."""


@dataclass(frozen=True)
class FitSettings:
    """What a fit is asked for.

    Attributes:
        folder: the folder of images.
        exclude: names of good images that are left out.
        false_alarm_rate: share of good images that may be called anomalous.
        short_side: pixels of the shorter side that images, or their tiles, are brought to.
        grid: (rows, columns) of tiles that images are seen in, or "RxC".
        backbone: a key of `BACKBONES`.
        precise: whether images are seen a second time, mirrored.
        num_threads: CPU threads.
    """

    folder: str
    exclude: tuple[str, ...] = ()
    false_alarm_rate: float = 0.01
    short_side: int = SHORT_SIDE
    grid: tuple[int, int] = (1, 1)
    backbone: str = "efficientnet_lite0"
    precise: bool = False
    num_threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid", GRID.parse(self.grid))  # which is frozen
        for is_right, expected, name in (
            (0.0 < self.false_alarm_rate < 0.5, "a number above 0 and below 0.5", RATE),
            (32 <= self.short_side <= 2048, "32 to 2048 pixels", "short_side"),
            (GRID.is_valid(self.grid), GRID.expected, "grid"),
            (1 <= self.num_threads <= 1024, "1 to 1024 threads", "num_threads"),
        ):
            if not is_right:
                raise UserError(
                    f"Expected {expected} as --{name}. Received: --{name}={getattr(self, name)}"
                )
        check_name("a backbone", self.backbone, BACKBONES, flag="--backbone=")


def fit(settings: FitSettings, model_dir: Path, stream: TextIO) -> Detector:
    """Fits a detector to the good images of a folder, from where an earlier call was cut off.

    Args:
        settings: what is asked for.
        model_dir: the directory of the detector and its report. A detector that is there is
            replaced when the new one is whole.
        stream: where the progress is told.

    Returns:
        The detector.

    Raises:
        UserError: If the images are too few, one cannot be read, or the directory holds anything
            but a detector or is written to by another process.
    """
    model_dir = Path(os.path.realpath(model_dir))
    _check_replaceable(model_dir)
    folder = find_images(
        Path(settings.folder),
        settings.exclude,
        short_side=settings.short_side,
        grid=settings.grid,
    )
    asked: dict[str, Any] = {
        "version": __version__,
        "settings": {**asdict(settings), "exclude": sorted(settings.exclude)},
        "recipe": asdict(RECIPES[RECIPE]),
        "checksums": folder.checksums,
    }
    work_dir = temporary_path(model_dir, "awl_vae.fit")
    with _locked(work_dir, model_dir):
        is_whole = all((model_dir / name).exists() for name in FILES)
        if is_whole and _holds(model_dir / "fit.json", asked):
            print(f"Finished before: {model_dir}", file=stream)
            shutil.rmtree(work_dir)
            return Detector.load(model_dir)
        if _holds(work_dir / "fit.json", asked):
            print("Going on where it was cut off.", file=stream)
        else:
            _clear(work_dir)
            write_json(work_dir / "fit.json", asked)
        with computing(settings.num_threads):
            if note := cpu_note(settings.num_threads):
                print(note, file=stream)
            work = Work(
                folder,
                work_dir,
                backbone=settings.backbone,
                precise=settings.precise,
                num_threads=settings.num_threads,
                stream=stream,
            )
            _check_room(work.extractor.output_shape[1:], settings)
            start_run(work.seed)
            outcome = _outcome(work, settings)
        with atomic_directory(model_dir, earlier=FILES) as temporary:
            outcome.detector.write(temporary)
            write_report(temporary / "report.html", outcome)
            write_json(temporary / "fit.json", asked | {"result": _result(outcome)})
        shutil.rmtree(work_dir)
    for line in outcome.warnings:
        print(f"Warning: {line}.", file=stream)
    return outcome.detector


def _check_room(shape: tuple[int, int, int], settings: FitSettings) -> None:
    """Checks that the covariances of all positions fit into memory."""
    height, width, channels = shape
    needed = 4 * height * width * channels**2
    if needed > MOST_BYTES:
        raise UserError(
            f"Expected a --short_side whose {height} x {width} positions take at most "
            f"{MOST_BYTES / 1e9:.1f} GB for their covariances; --tiles sees large images in parts. "
            f"Received: --short_side={settings.short_side}, which takes {needed / 1e9:.1f} GB"
        )


def _outcome(work: Work, settings: FitSettings) -> Outcome:
    recipe = RECIPES[RECIPE]
    held_out = work.held_out(recipe)
    detector = work.detector(recipe, held_out, settings.false_alarm_rate)
    threshold = detector.threshold.value
    sizes = held_out.extents * work.scales(held_out.defects)
    found = FoundBySize.of(held_out.kinds, sizes, held_out.defect_scores >= threshold)
    labelled = rate_labelled(work, detector.scorer, held_out.scores, threshold)
    return Outcome(
        work,
        detector,
        held_out,
        found,
        labelled,
        excluded=settings.exclude,
        recipe=recipe.about,
        warnings=tuple(_warnings(work, labelled)),
    )


def _warnings(work: Work, labelled: Labelled | None) -> Iterator[str]:
    """What is to be looked at."""
    if labelled and labelled.changed:
        yield str(labelled.changed)
    folder = work.folder
    measured = (item.measured() for _, item in folder.dataset.items() if item.measured)
    survey = Survey(
        folder.layout,
        images=tuple(measured),
        unreadable={},
        masks=(),
        masks_of=folder.masks_of,
        wrong="",
    )
    yield from map(str, survey.concerns())


def _result(outcome: Outcome) -> Mapping[str, object]:
    """What `fit.json` tells of what came of it."""
    result: dict[str, object] = {
        "num_images": len(outcome.work.items),
        "image_size": list(outcome.work.folder.image_size),
        "warnings": list(outcome.warnings),
        "strangest": [outcome.work.items[i].name for i in outcome.held_out.strangest],
        "synthetic_defects": {"found": outcome.defects.share}
        | {f"half_of_{kind}_from": outcome.defects.smallest(kind) for kind in outcome.defects.rows},
    }
    if outcome.labelled is not None:
        result["labelled"] = _labelled(outcome.labelled)
    return result


def _labelled(labelled: Labelled) -> Mapping[str, object]:
    methods = {}
    for rated in labelled.rated:
        figures = {"auroc": rated.auroc}
        if rated.pixels is not None:
            figures["pixel_auroc"], figures["aupro"] = rated.pixels
        methods[rated.title] = {
            name: [interval.mean, interval.low, interval.high] for name, interval in figures.items()
        }
    return {
        "methods": methods,
        "anomalous": _called(labelled.found),
        "good": _called(labelled.alarms),
        "good_images_have_changed": asdict(labelled.changed) if labelled.changed else None,
    }


def _called(found: FalseAlarms | None) -> Mapping[str, float] | None:
    """How many images of a class are called anomalous."""
    if found is None:
        return None
    rates = {name: getattr(found, name) for name in ("rate", "low", "high")}
    return {"images": found.num_normal, "called_anomalous": found.count} | rates


def _check_replaceable(model_dir: Path) -> None:
    if model_dir.exists() and not model_dir.is_dir():
        raise UserError(
            f"Expected a directory as --model_dir. Received: --model_dir={model_dir}, a file"
        )
    children = model_dir.iterdir() if model_dir.exists() else ()
    name = next((child.name for child in children if child.name not in FILES), None)
    if name is not None:
        raise UserError(
            "Expected a new --model_dir, or that of a detector and nothing else. "
            f"Received: --model_dir={model_dir}, which holds {name}"
        )
    check_not_current(model_dir)


def _holds(path: Path, asked: Mapping[str, Any]) -> bool:
    """Whether a file says that its directory is of the same settings and images."""
    try:
        known = read_json(path)
    except (FileError, FileNotFoundError):
        return False
    wanted = json.loads(json.dumps(asked))  # lists for tuples, as they come back from a file
    return all(known.get(name) == value for name, value in wanted.items())


def _locked(work_dir: Path, model_dir: Path) -> DirectoryLock:
    try:
        return DirectoryLock(work_dir)
    except BlockingIOError:
        raise UserError(
            "Expected a --model_dir that no other process writes to. "
            f"Received: --model_dir={model_dir}"
        ) from None


def _clear(directory: Path) -> None:
    """Removes all that is in a directory but its lock."""
    for child in directory.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name != LOCK:
            child.unlink()
