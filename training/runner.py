"""All runs of one command, in one run directory."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from awl_vae.data import check_images, count_steps
from awl_vae.detection import describe, read_threshold
from awl_vae.system import write_json, write_text
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import Engine, Task
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity
from awl_vae.training.config import Config
from awl_vae.training.distribution import strategy_of, wait_for_workers
from awl_vae.training.environment import note_environment
from awl_vae.training.evaluate import evaluate
from awl_vae.training.experiment import CHECKPOINT, EXPERIMENTS, Experiment, TrainingResult
from awl_vae.training.images import (
    RunImages,
    load_images,
    note_baseline,
    prepare_images,
    remove_caches,
)
from awl_vae.training.methods import title_of, warning_of_emptiness
from awl_vae.training.results import read_baseline, read_results, result_path
from awl_vae.training.run_directory import RunDirectory
from awl_vae.training.run_figures import plot_synthetic
from awl_vae.training.runtime import computing, cpu_note, own_settings, precision_note, set_up
from awl_vae.training.summary import summarize
from awl_vae.training.summary_tables import to_markdown

MethodsAndSeed = tuple[tuple[str, ...], int]
"""What a run trains."""


@own_settings()
def run_experiment(experiment: Experiment, directory: RunDirectory, engine: Engine) -> int:
    """Trains whatever is not finished, then writes and prints the summary.

    Args:
        experiment: what to train.
        directory: the run directory with its configuration.
        engine: what the runs, and the branches of a search, run on.

    Returns:
        The exit status: 0, or 1 where a run ended with a number that is not finite.

    Raises:
        UserError: If the images are not as they must be, or it takes more memory than there is.
    """
    config, path = directory.config, directory.path
    runs = runs_of(experiment, config)
    pending = runs if directory.is_new else unfinished(path, runs)
    if pending:
        try:
            with lost_workers():
                _execute(experiment, directory, pending, len(runs), engine)
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            raise UserError(
                "Expected a run that fits into the memory, as with a smaller --image_size, "
                f"--latent_dim or --batch_size. Received: {config.image_size[0]}x"
                f"{config.image_size[1]}, {config.latent_dim} and {config.batch_size}"
            ) from error
    else:
        if config.data_dir is not None and Path(config.data_dir).is_dir():
            check_images(load_images(experiment, config), path / "dataset.json")
        print(f"Finished: {quantity(len(runs), 'run')}; no image was read again.")
    remove_caches(path)
    _remove_checkpoints(path)
    methods = [method for methods in experiment.runs(config) for method in methods]
    results = read_results(path, config, methods)
    print(f"\n{_write_summary(path, config, results)}\nFiles: {path}.{_curves(path)}")
    detector_dir = main_detector(experiment, directory)
    if detector_dir.is_dir():
        print(f"Inspect: awl-vae inspect --model_dir={detector_dir.parent} --images=DIR")
        print(describe(read_threshold(detector_dir)))
    return int(any("failed" in row for rows in results.values() for row in rows))


def main_detector(experiment: Experiment, directory: RunDirectory) -> Path:
    """The directory of the detector that the experiment is about: its last method's, first seed."""
    method = experiment.runs(directory.config)[-1][-1]
    return _directory(directory.path, method, directory.config.seeds[0]) / "detector"


def _write_summary(path: Path, config: Config, results: dict[str, list[dict[str, Any]]]) -> str:
    baseline = read_baseline(path)
    summary = summarize(config, results, baseline["mean_intensity"])
    write_json(path / "summary.json", summary)
    text = to_markdown(summary, baseline["counts"])
    write_text(path / "summary.md", text)
    return text


def _curves(path: Path) -> str:
    has_events = next(path.glob("**/events.out.*"), None) is not None
    return f" Curves and images: tensorboard --logdir {path}" if has_events else ""


def _execute(
    experiment: Experiment,
    directory: RunDirectory,
    pending: Sequence[MethodsAndSeed],
    num_runs: int,
    engine: Engine,
) -> None:
    config, path = directory.config, directory.path
    if not directory.is_new:
        finished = f"{num_runs - len(pending)} of {quantity(num_runs, 'run')}"
        print(f"Going on in {path}. Finished: {finished}.")
    devices = set_up(config.num_threads)
    if config.distribute == "multi_worker" and engine.is_parallel:
        raise UserError("Expected no --on with --distribute=multi_worker. Received: both")
    strategy_of(config.distribute)
    for note in (cpu_note(config.num_threads), precision_note(config.dtype_policy)):
        if note:
            print(note)
    images = prepare_images(directory, experiment)
    for difference in note_environment(path / "environment.json", devices):
        print(f"Warning: not the environment that the run was begun in; {difference}")
    steps_per_epoch = count_steps(
        len(images.data.positions["train"]), batch_size=config.batch_size, repeats=config.repeats
    )
    for line in (*directory.notes, *experiment.announce(config, steps_per_epoch)):
        print(line)
    note_baseline(path / "baseline.json", images.data)
    plot_synthetic(path / "synthetic_defects.png", config, images.data)
    units = experiment.count_epochs(config) * steps_per_epoch
    wait_for_workers(config.distribute)
    engine.run([_task(images, run, units, engine) for run in pending])
    wait_for_workers(config.distribute)


def _task(images: RunImages, run: MethodsAndSeed, units: int, engine: Engine) -> Task:
    methods, seed = run
    return Task(
        f"{' and '.join(methods)}, seed {seed}",
        _train,
        (images, methods, seed, engine),
        units=units,
        num_threads=images.config.num_threads,
        paths=tuple(_directory(images.path, method, seed) for method in methods),
    )


def _train(
    images: RunImages, methods: Sequence[str], seed: int, engine: Engine, *, bar: ProgressBar
) -> None:
    """Trains the methods of a run and evaluates them."""
    experiment = EXPERIMENTS[images.config.experiment].load()
    with computing(images.config.num_threads):
        trained = experiment.train(images, methods=methods, seed=seed, bar=bar, engine=engine)
        bar.expect(0)
        for method in methods:
            _finish(images, method, seed, trained[method], bar)
    for method in methods:
        shutil.rmtree(_directory(images.path, method, seed) / CHECKPOINT, ignore_errors=True)


def _directory(path: Path, method: str, seed: int) -> Path:
    return path / method / f"seed-{seed}"


def _finish(
    images: RunImages, method: str, seed: int, trained: TrainingResult, bar: ProgressBar
) -> None:
    """Evaluates; `result.json` is written last, so where it is, the method is finished."""
    config, directory = images.config, _directory(images.path, method, seed)
    if trained.failed is not None:
        # The same seed would end there again: the method counts as finished, the others go on.
        failed = {"epoch": trained.epoch, "term": trained.failed}
        write_json(directory / "result.json", {"seed": seed, "failed": failed, **trained.notes})
        bar.say(
            f"error: {method} seed {seed} stopped. Expected finite numbers. Received: "
            f"{trained.failed} in epoch {trained.epoch}. What it wrote is in {directory}"
        )
        return
    if trained.is_empty:
        bar.say(warning_of_emptiness(method, seed, trained.epoch))
    bar.show(f"{method} seed {seed}, evaluation")
    title = f"{config.dataset}, {title_of(method)}, seed {seed}"
    if trained.epoch:
        title += f", epoch {trained.epoch}"
    result = evaluate(directory, config, images.data, seed=seed, epoch=trained.epoch, title=title)
    result |= {"is_empty": trained.is_empty, **trained.notes}
    write_json(directory / "result.json", result)


@contextlib.contextmanager
def lost_workers() -> Iterator[None]:
    """Says in one line that another worker has ended, however it did."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
        raise UserError(
            "Expected all workers to live until the end; the same commands go on. "
            f"Received: {error.message.splitlines()[0]}"
        ) from error


def runs_of(experiment: Experiment, config: Config) -> list[MethodsAndSeed]:
    """The runs of a configuration, in their order."""
    return [(methods, seed) for seed in config.seeds for methods in experiment.runs(config)]


def unfinished(path: Path, runs: Sequence[MethodsAndSeed]) -> list[MethodsAndSeed]:
    """Those of some runs that are not trained and evaluated."""
    return [
        (methods, seed)
        for methods, seed in runs
        if not all(result_path(path, method, seed).exists() for method in methods)
    ]


def _remove_checkpoints(path: Path) -> None:
    """Removes the checkpoints of finished runs."""
    for checkpoint in path.glob(f"*/*/{CHECKPOINT}"):
        if (checkpoint.parent / "result.json").exists():
            shutil.rmtree(checkpoint)
