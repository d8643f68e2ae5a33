"""All runs of one command, in one run directory."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from awl_vae.callbacks import ProgressBar
from awl_vae.data import (
    SPLITS,
    DataError,
    check_images,
    count_steps,
    damaged_copies,
    load_dataset,
    prepare,
)
from awl_vae.detection import describe, read_threshold
from awl_vae.evaluation import auroc
from awl_vae.experiments import silent_stderr
from awl_vae.training.experiment import CHECKPOINT, Experiment
from awl_vae.training.run_figures import plot_damaged
from awl_vae.training.methods import TITLES
from awl_vae.training.evaluate import evaluate
from awl_vae.training.run_directory import RunDirectory, note_environment
from awl_vae.training.runtime import set_up
from awl_vae.training.summary import summarize
from awl_vae.training.summary_tables import to_markdown
from awl_vae.system import write_json, write_text

CACHE = "cache.npy"
"""The decoded images, for as long as there are runs to do."""


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
            check_images(_load(experiment, config), path / "dataset.json")
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
    data = _prepare(directory, experiment)
    for difference in note_environment(path / "environment.json", set_up(config.num_threads)):
        print(f"Warning: not the environment that the run was begun in; {difference}")
    steps_per_epoch = _num_steps(config, data)
    for line in experiment.announce(config, steps_per_epoch):
        print(line)
    _note_baseline(path / "baseline.json", data)
    plot_damaged(path / "synthetic_defects.png", data, f"{config.dataset}, synthetic defects")
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


def _load(experiment, config):
    return load_dataset(
        config.dataset,
        config.image_size,
        num_train=config.num_train,
        num_adapt=config.num_adapt,
        protocol=config.protocol,
        resize=config.resize,
        data_dir=config.data_dir,
        needs_labels=experiment.needs_labels(config),
    )


def _prepare(directory, experiment):
    """The decoded images. Where they are not as they must be, a new run_dir is left empty."""
    config, path = directory.config, directory.path
    dataset = _load(experiment, config)
    dataset = replace(dataset, damaged=damaged_copies(dataset.calibration))
    directory.begin()
    try:
        # Image libraries write of broken files themselves; our one line says it better.
        with silent_stderr() as stderr:
            bar = ProgressBar(len(dataset.items()), stderr)
            data = prepare(
                dataset,
                cache_path=path / CACHE,
                manifest_path=path / "dataset.json",
                num_threads=config.num_threads,
                progress=lambda: bar.advance(1, "reading images"),
            )
            bar.close()
    except (DataError, OSError):
        if directory.is_new:
            directory.clear()
        raise
    directory.record()
    print(_describe(data, dataset.ignored))
    return data


def _describe(data, ignored):
    counts = [
        f"{split} {_counted(data.labels[split])}"
        for split in SPLITS
        if len(data.labels[split]) and split != "damaged"
    ]
    text = f"Images: {', '.join(counts)}."
    text += f"\nSynthetic defects on {len(data.items['damaged'])} copies of calibration images."
    if not len(data.labels["adapt"]):
        text += "\nToo few labelled images, normal or anomalous, for an AUC of real defects."
    if ignored:
        text += f"\nNot in the layout, and ignored: {len(ignored)} files (first: {ignored[0]})."
    return text


def _counted(labels):
    num_anomalous = int(labels.sum())
    normal = f"{len(labels) - num_anomalous} normal"
    return f"{normal} + {num_anomalous} anomalous" if num_anomalous else normal


def _note_baseline(path, data):
    """How much the mean intensity alone tells of the labels, and how many labels there are."""
    splits = [split for split in ("adapt", "test") if len(data.labels[split])]
    aucs = {}
    for split in splits:
        intensity = [data.images(split, [i]).mean() for i in range(len(data.labels[split]))]
        aucs[split] = auroc(data.labels[split], np.array(intensity))
    counts = {split: np.bincount(data.labels[split], minlength=2).tolist() for split in splits}
    write_json(path, {"mean_intensity": aucs, "counts": counts})
