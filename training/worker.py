"""A worker that takes part in the trainings of a chief, and leaves all files to it."""

import contextlib
import dataclasses
import io
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from awl_vae.system import read_json
from awl_vae.system.tasks import InSequence
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.distribution import strategy_of, wait_for_workers
from awl_vae.training.experiment import CHECKPOINT, EXPERIMENTS
from awl_vae.training.images import RunImages, open_images
from awl_vae.training.resolve import resolve
from awl_vae.training.run_directory import (
    CONFIG,
    RUN_DIR,
    RunDirectoryError,
    differing_settings,
)
from awl_vae.training.runner import lost_workers, runs_of, unfinished
from awl_vae.training.runtime import computing


def run_as_worker(name: str, given: Mapping[str, object], *, run_dir: str | Path | None) -> int:
    """Trains what a chief with the same settings trains, step by step with it.

    Args:
        name: a key of `EXPERIMENTS`.
        given: by setting, what it is to be.
        run_dir: the chief's, which is read.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If the settings are not the chief's, or a worker is lost.
    """
    config, experiment = resolve(name, given), EXPERIMENTS[name].load()
    path = Path(run_dir or RUN_DIR.format(experiment=name, dataset=config.dataset))
    with computing(config.num_threads), lost_workers():
        strategy_of(config.distribute)
        wait_for_workers(config.distribute)  # until the chief has prepared the images
        known = type(config).from_json(read_json(path / CONFIG))
        config = dataclasses.replace(config, num_threads=known.num_threads)
        if others := differing_settings(known.to_json(), config.to_json()):
            raise RunDirectoryError(
                f"Expected the settings of {path / CONFIG}. Received: {', '.join(others)}"
            )
        pending = unfinished(path, runs_of(experiment, known))
        images = open_images(path, known)
        with tempfile.TemporaryDirectory() as scratch:
            own = RunImages(Path(scratch), known, images.data, images.version)
            for checkpoint in path.glob(f"*/seed-*/{CHECKPOINT}"):
                shutil.copytree(checkpoint, own.path / checkpoint.relative_to(path))
            for methods, seed in pending:
                print(f"Taking part in {' and '.join(methods)}, seed {seed}.", flush=True)
                with contextlib.closing(ProgressBar(0, io.StringIO())) as bar:
                    experiment.train(own, methods=methods, seed=seed, bar=bar, engine=InSequence())
        wait_for_workers(config.distribute)  # until the chief has written everything
    return 0
