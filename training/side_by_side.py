"""The branches of a search as tasks beside each other."""

import functools
import shutil
from pathlib import Path

from awl_vae.callbacks.branch_event_writer import branch_dir
from awl_vae.callbacks.search.plan import OfStage
from awl_vae.callbacks.search.rows import EpochRow
from awl_vae.callbacks.snapshot import read_snapshot, restore
from awl_vae.system import as_file_name
from awl_vae.system.tasks import Engine, Task
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.images import RunImages
from awl_vae.training.runtime import computing
from awl_vae.training.search_training import SearchTraining, Where, search_plan
from awl_vae.training.trainer import Trainer


def train_side_by_side(
    training: SearchTraining,
    images: RunImages[LossAdaptedConfig],
    seed: int,
    where: Where,
    engine: Engine,
    bar: ProgressBar,
) -> None:
    """Trains all that is left of a search, the branches of a stage beside each other.

    Each leg is a task with a checkpoint of its own, which begins with the model that a search in
    sequence would start the leg from. What is left here is what such a search leaves, the same kept
    models and the same checkpoint, and either goes on from it.

    Args:
        training: the search.
        images: the images.
        seed: of the training.
        where: its files.
        engine: what the tasks run on.
        bar: the progress bar.
    """
    search, resume, model = training.search, training.resume, training.trainer.model
    training.begin()
    legs_dir = where.checkpoint / "legs"
    while legs := search.plan.side_by_side(search.rows):
        checkpoints = {leg: _checkpoint(legs_dir, leg) for leg in legs}
        _begin(training, checkpoints)
        tasks = [
            _task(training, images, seed, leg, path, where) for leg, path in checkpoints.items()
        ]
        engine.run(tasks, bar)
        count = len(search.rows)
        for path in checkpoints.values():
            state, arrays = read_snapshot(path / resume.path.name)
            restore(model, arrays)
            rows = [EpochRow.from_json(row) for row in state["callbacks"][0]["rows"]]
            search.take(rows[count:])
        resume.write(resume.path, len(search.rows))
        shutil.rmtree(legs_dir)


def _checkpoint(legs_dir: Path, leg: OfStage) -> Path:
    """The directory of a leg's checkpoint."""
    return legs_dir / as_file_name("-".join(map(str, leg)))


def _begin(training: SearchTraining, checkpoints: dict[OfStage, Path]) -> None:
    """Writes what legs begin with, where they are not begun."""
    search, resume = training.search, training.resume
    starts = {leg: search.plan.start(search.rows, *leg[:2]) for leg in checkpoints}
    # The one that goes on from the model of the moment, if any, before that is another.
    for leg in sorted(starts, key=lambda leg: starts[leg] is not None):
        path, start = checkpoints[leg] / resume.path.name, starts[leg]
        if path.exists():
            continue
        if start is not None:
            search.restore_model(start)
        resume.write(path, len(search.rows))


def _task(
    training: SearchTraining,
    images: RunImages[LossAdaptedConfig],
    seed: int,
    leg: OfStage,
    checkpoint: Path,
    where: Where,
) -> Task:
    stage, branch, end = leg
    begin = (0, *training.search.plan.ends)[stage - 1]
    return Task(
        f"seed {seed}, stage {stage}, {branch}",
        train_leg,
        (images, seed, leg, Where(where.events, checkpoint, checkpoint / where.branches.name)),
        units=(end - begin) * training.trainer.batches.steps_per_epoch,
        num_threads=images.config.num_threads,
        paths=(checkpoint, branch_dir(where.events, stage, branch)),
    )


def train_leg(
    images: RunImages[LossAdaptedConfig],
    seed: int,
    leg: OfStage,
    where: Where,
    *,
    bar: ProgressBar,
) -> None:
    """Trains one leg of a search; its checkpoint is what it gives."""
    with computing(images.config.num_threads):
        plan = search_plan(images.config).of_leg(leg)
        SearchTraining(images, seed, plan, where, bar, _trainer(images, seed)).fit()


@functools.lru_cache(maxsize=2)
def _trainer(images: RunImages[LossAdaptedConfig], seed: int) -> Trainer:
    """The model of a seed, traced once in a process; each leg sets all that is in it."""
    return Trainer(images.config, images.data, seed)
