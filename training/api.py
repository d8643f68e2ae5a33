"""Training from Python: what the commands do, with keywords in the place of flags."""

import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from awl_vae.detection.detector import Detector
from awl_vae.system.ahead import num_cores
from awl_vae.system.errors import UserError, check_name, files_error
from awl_vae.system.tasks import Engine, engine_of
from awl_vae.training.config import ConfigError
from awl_vae.training.experiment import EXPERIMENTS, Experiment
from awl_vae.training.fitting.fit import FitSettings, fit as fit_detector
from awl_vae.training.run_directory import RunDirectory, open_run_directory
from awl_vae.training.runner import main_detector, run_experiment


def train(
    images: str | Path | None = None,
    *,
    run_dir: str | Path | None = None,
    experiment: str = "auc_adapted",
    overwrite: bool = False,
    on: str | None = None,
    **settings: Any,
) -> Detector:
    """Trains as a command does: the same files, the same bits, and on from where it was cut off.

    Example:
        ```python
        detector = train("photographs", run_dir="runs/photographs", rule="climb")
        detector.predict([image])
        ```

    It is `awl-vae auc-adapted --dataset=folder --data_dir=photographs --run_dir=runs/photographs
    --rule=climb`.

    Args:
        images: directory of one's own images: train/good/*, and where there are labels test/good/*
            and test/<defect>/*. None where `dataset` names other images.
        run_dir: where the files go; None for `runs/<experiment>/<dataset>`.
        experiment: a key of `EXPERIMENTS`.
        overwrite: whether to start anew in a run_dir of another configuration.
        on: where it runs, "ray" or "ray:ADDRESS"; None for here, one thing after the other.
        **settings: the other flags of the experiment's command, such as `epochs` or `rule`.

    Returns:
        The detector of the experiment's own method (the AUC-adapted or loss-adapted VAE, or PCA),
        by the first seed.

    Raises:
        UserError: If a command would end with one line of error.
    """
    check_name("an experiment", experiment, EXPERIMENTS, ConfigError, flag="--experiment=")
    if images is not None:
        settings = {"dataset": "folder", "data_dir": images} | settings
    try:
        with open_run_directory(
            experiment, settings, run_dir=run_dir, overwrite=overwrite
        ) as directory:
            return _run(EXPERIMENTS[experiment].load(), directory, engine_of(on))
    except OSError as error:
        raise files_error(error, run_dir) from error


def fit(
    images: str | Path, *, model_dir: str | Path, exclude: Iterable[str] = (), **settings: Any
) -> Detector:
    """Fits a detector to good images as `awl-vae fit` does: the same files, and the same numbers.

    Example:
        ```python
        detector = fit("good_images", model_dir="detector")
        detector.inspect("part.png").verdict
        ```

    Args:
        images: directory of good images, or one in the layout of MVTec AD.
        model_dir: where the detector and its report go.
        exclude: names of good images that are left out, as the report has them.
        **settings: `false_alarm_rate`, `short_side`, `grid` (rows and columns of tiles),
            `backbone`, `precise` and `num_threads`; see `FitSettings`.

    Returns:
        The detector.

    Raises:
        UserError: If the command would end with one line of error.
    """
    known = [field.name for field in dataclasses.fields(FitSettings)]
    for name in settings:
        check_name("settings of fit", name, known, ConfigError, flag="--")
    threads = {"num_threads": num_cores()}
    asked = FitSettings(os.path.abspath(images), tuple(exclude), **threads | settings)
    try:
        return fit_detector(asked, Path(os.path.abspath(model_dir)), sys.stderr)
    except OSError as error:
        raise files_error(error, model_dir) from error


def _run(experiment: Experiment, directory: RunDirectory, engine: Engine) -> Detector:
    run_experiment(experiment, directory, engine)
    detector_dir = main_detector(experiment, directory)
    if not detector_dir.is_dir():
        raise UserError(
            "Expected a training that ends with finite numbers. "
            f"Received: none, see {detector_dir.parent / 'result.json'}"
        )
    return Detector.load(detector_dir)
