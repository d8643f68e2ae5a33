"""All runs of one command, in one run directory."""

import json

import numpy as np

from callbacks import NonFiniteError, ProgressBar
from data import SPLITS, DataError, count_steps, load_dataset, prepare
from evaluation import auroc
from experiments import silent_stderr
from experiments.methods import TITLES
from experiments.outcome import evaluate
from experiments.run_directory import RunDirectory, note_environment
from experiments.runtime import set_up
from experiments.summary import summarize, to_markdown
from experiments.training import CHECKPOINT, F_UPDATE, train
from storage import write_json, write_text

CACHE = "cache.npy"
"""The decoded images, for as long as there are runs to do."""


def run_experiment(directory: RunDirectory) -> bool:
    """Trains whatever is not finished, then writes and prints the summary.

    Args:
        directory: the run directory with its configuration.

    Returns:
        Whether every run ended with finite numbers.
    """
    config, path = directory.config, directory.path
    runs = [(method, seed) for seed in config.seeds for method in F_UPDATE]
    pending = [run for run in runs if directory.is_new or _read_result(path, *run) is None]
    if pending:
        _execute(directory, pending, len(runs))
    else:
        print(f"All {len(runs)} runs are finished; no image was read again.")
    for passing in (path / CACHE, *path.glob(f"*/*/{CHECKPOINT}")):
        passing.unlink(missing_ok=True)
    results = {
        method: [_read_result(path, method, seed) for seed in config.seeds] for method in F_UPDATE
    }
    baseline = json.loads((path / "baseline.json").read_text(encoding="utf-8"))
    summary = summarize(config, results, baseline["mean_intensity"])
    write_json(path / "summary.json", summary)
    text = to_markdown(summary, baseline["counts"])
    write_text(path / "summary.md", text)
    print(f"\n{text}\nFiles: {path}. Curves and images: tensorboard --logdir {path}")
    return not any("failed" in row for rows in results.values() for row in rows)


def _execute(directory, pending, num_runs):
    config, path = directory.config, directory.path
    if not directory.is_new:
        print(f"Going on in {path}: {num_runs - len(pending)} of {num_runs} runs are finished.")
    data = _prepare(directory)
    for difference in note_environment(path / "environment.json", set_up(config.num_threads)):
        print(f"Warning: not the environment that the run was begun in; {difference}")
    if config.epochs <= 2 * config.f_update:
        print("Note: the weights can change after epoch 2 · f_update only, which is not reached.")
    _note_baseline(path / "baseline.json", data)
    bar = ProgressBar(len(pending) * config.epochs * _num_steps(config, data))
    for method, seed in pending:
        _execute_run(path, config, data, method, seed, bar)
    bar.close()


def _execute_run(path, config, data, method, seed, bar):
    """Trains and evaluates; `result.json` is written last, so where it is, the run is finished."""
    directory = path / method / f"seed-{seed}"
    try:
        best_epoch = train(directory, config, data, method=method, seed=seed, bar=bar)
    except NonFiniteError as error:
        # The same seed would end there again: the run counts as finished, the others go on.
        failed = {"epoch": error.epoch, "term": error.term}
        write_json(directory / "result.json", {"seed": seed, "failed": failed})
        bar.skip((config.epochs - error.epoch) * _num_steps(config, data))
        bar.say(f"error: {method} seed {seed} stopped: {error} What it wrote is in {directory}")
        return
    title = f"{config.dataset}, {TITLES[method]}, seed {seed}"
    result = evaluate(directory, config, data, seed=seed, epoch=best_epoch, title=title)
    write_json(directory / "result.json", result)


def _read_result(path, method, seed):
    file = path / method / f"seed-{seed}" / "result.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _num_steps(config, data):
    num_images = len(data.positions["train"])
    return count_steps(num_images, batch_size=config.batch_size, repeats=config.repeats)


def _prepare(directory):
    """The decoded images. Where they are not as they must be, a new run_dir is left empty."""
    config, path = directory.config, directory.path
    dataset = load_dataset(
        config.dataset,
        config.image_size,
        num_train=config.num_train,
        num_adapt=config.num_adapt,
        protocol=config.protocol,
        resize=config.resize,
        data_dir=config.data_dir,
    )
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
        f"{split} {_counted(data.labels[split])}" for split in SPLITS if len(data.labels[split])
    ]
    text = f"Images: {', '.join(counts)}."
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
