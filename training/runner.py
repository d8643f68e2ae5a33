"""All runs of one command, in one run directory."""

import json
import shutil
from pathlib import Path

from awl_vae.data import (
    check_images,
    count_steps,
)
from awl_vae.detection import describe, read_threshold
from awl_vae.system import write_json, write_text
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.environment import note_environment
from awl_vae.training.evaluate import evaluate
from awl_vae.training.experiment import CHECKPOINT, Experiment
from awl_vae.training.images import CACHE, load_images, note_baseline, prepare_images
from awl_vae.training.methods import TITLES
from awl_vae.training.run_directory import RunDirectory
from awl_vae.training.run_figures import plot_synthetic
from awl_vae.training.runtime import set_up
from awl_vae.training.summary import summarize
from awl_vae.training.summary_tables import to_markdown


def run_experiment(experiment: Experiment, directory: RunDirectory) -> int:
    """Trains whatever is not finished, then writes and prints the summary.

    Args:
        experiment: what to train.
        directory: the run directory with its configuration.

    Returns:
        The exit status: 0, or 1 where a run ended with a number that is not finite.
    """
    config, path = directory.config, directory.path
    runs = [(methods, seed) for seed in config.seeds for methods in experiment.runs(config)]
    pending = [run for run in runs if directory.is_new or not _is_finished(path, *run)]
    if pending:
        _execute(experiment, directory, pending, len(runs))
    else:
        if config.data_dir is not None and Path(config.data_dir).is_dir():
            check_images(load_images(experiment, config), path / "dataset.json")
        print(f"All {len(runs)} runs are finished; no image was read again.")
    (path / CACHE).unlink(missing_ok=True)
    _remove_checkpoints(path)
    all_methods = [method for methods in experiment.runs(config) for method in methods]
    results = {
        method: [_read_result(path, method, seed) for seed in config.seeds]
        for method in all_methods
    }
    baseline = json.loads((path / "baseline.json").read_text(encoding="utf-8"))
    summary = summarize(config, results, baseline["mean_intensity"])
    write_json(path / "summary.json", summary)
    text = to_markdown(summary, baseline["counts"])
    write_text(path / "summary.md", text)
    has_events = next(path.glob("**/events.out.*"), None) is not None
    curves = f" Curves and images: tensorboard --logdir {path}" if has_events else ""
    print(f"\n{text}\nFiles: {path}.{curves}")
    model_dir = path / all_methods[-1] / f"seed-{config.seeds[0]}"
    if (model_dir / "detector").is_dir():
        print(f"Inspect: python experiments/inspect_images.py --model_dir={model_dir} --images=DIR")
        print(describe(read_threshold(model_dir / "detector")))
    return int(any("failed" in row for rows in results.values() for row in rows))


def _execute(experiment, directory, pending, num_runs):
    config, path = directory.config, directory.path
    if not directory.is_new:
        print(f"Going on in {path}: {num_runs - len(pending)} of {num_runs} runs are finished.")
    data = prepare_images(directory, experiment)
    for difference in note_environment(path / "environment.json", set_up(config.num_threads)):
        print(f"Warning: not the environment that the run was begun in; {difference}")
    steps_per_epoch = _num_steps(config, data)
    for line in experiment.announce(config, steps_per_epoch):
        print(line)
    note_baseline(path / "baseline.json", data)
    plot_synthetic(path / "synthetic_defects.png", data, f"{config.dataset}, synthetic defects")
    units = experiment.count_epochs(config) * steps_per_epoch
    bar = ProgressBar(len(pending) * units)
    for count, (methods, seed) in enumerate(pending, 1):
        bar.later = (len(pending) - count) * units
        trained = experiment.train(path, config, data, methods=methods, seed=seed, bar=bar)
        bar.expect(0)
        for method in methods:
            _finish(
                path / method / f"seed-{seed}", config, data, method, seed, trained[method], bar
            )
        _remove_checkpoints(path)
    bar.close()


def _finish(directory, config, data, method, seed, trained, bar):
    """Evaluates; `result.json` is written last, so where it is, the method is finished."""
    if trained.failed is not None:
        # The same seed would end there again: the method counts as finished, the others go on.
        failed = {"epoch": trained.epoch, "term": trained.failed}
        write_json(directory / "result.json", {"seed": seed, "failed": failed} | trained.notes)
        bar.say(
            f"error: {method} seed {seed} stopped. Expected finite numbers. Received: "
            f"{trained.failed} in epoch {trained.epoch}. What it wrote is in {directory}"
        )
        return
    title = f"{config.dataset}, {TITLES[method]}, seed {seed}"
    if trained.epoch:
        title += f", epoch {trained.epoch}"
    result = evaluate(directory, config, data, seed=seed, epoch=trained.epoch, title=title)
    write_json(directory / "result.json", result | trained.notes)


def _is_finished(path, methods, seed):
    return all(_read_result(path, method, seed) is not None for method in methods)


def _read_result(path, method, seed):
    file = path / method / f"seed-{seed}" / "result.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _remove_checkpoints(path):
    """Removes the checkpoints of finished runs."""
    for checkpoint in path.glob(f"*/*/{CHECKPOINT}"):
        if (checkpoint.parent / "result.json").exists():
            shutil.rmtree(checkpoint)


def _num_steps(config, data):
    num_images = len(data.positions["train"])
    return count_steps(num_images, batch_size=config.batch_size, repeats=config.repeats)
