"""The images of a run directory: read once, told from others, and what they tell by themselves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from awl_vae.data import (
    SPLITS,
    Dataset,
    ImageCache,
    PreparedData,
    load_dataset,
    prepare,
    synthetic_copies,
)
from awl_vae.evaluation import auroc
from awl_vae.system import write_json
from awl_vae.system.terminal import ProgressBar, silent_stderr
from awl_vae.training.config import Config
from awl_vae.training.experiment import Experiment
from awl_vae.training.run_directory import RunDirectory

DARK = 0.25
"""Share of the range of levels below which images are said to use little of it."""

CACHE = "cache.npy"
"""The decoded images, for as long as there are runs to do."""


def load_images(experiment: Experiment, config: Config) -> Dataset:
    """The dataset of a configuration; no image is read.

    Raises:
        DataError: If the images are not there.
    """
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


def prepare_images(directory: RunDirectory, experiment: Experiment) -> PreparedData:
    """The decoded images; a directory is new, and another run in it gone, once they are read."""
    config, path = directory.config, directory.path
    dataset = load_images(experiment, config)
    dataset = replace(dataset, synthetic=synthetic_copies(dataset.calibration))
    # Image libraries write of broken files themselves; our one line says it better.
    with directory.begin() as files, silent_stderr() as stderr:
        bar = ProgressBar(len(dataset.items()), stderr)
        prepared = prepare(
            dataset,
            cache_path=files / CACHE,
            manifest_path=files / "dataset.json",
            num_threads=config.num_threads,
            progress=lambda: bar.advance(1, "reading images"),
        )
        bar.close()
    data = PreparedData(dataset, ImageCache(path / CACHE), prepared.duplicates)
    print(_describe(config, data, dataset.notes))
    return data


def _describe(config: Config, data: PreparedData, notes: Sequence[str]) -> str:
    source = config.dataset
    if config.data_dir is not None:
        in_place = "" if config.dataset == "folder" else " in the place of generated ones"
        source += f", {config.data_dir}{in_place}"
    counts = [
        f"{split} {_counted(data.labels[split])}"
        for split in SPLITS
        if len(data.labels[split]) and split != "synthetic"
    ]
    text = f"Images of {source}: {', '.join(counts)}."
    num_synthetic = len(data.items["synthetic"])
    text += f"\nSynthetic defects on copies of calibration images: {num_synthetic}."
    if not len(data.labels["adapt"]):
        text += "\nToo few labelled images, normal or anomalous, for an AUC of real defects."
    if data.duplicates:
        left_out, same = next(iter(data.duplicates.items()))
        text += (
            f"\nIn several splits, and used in one: {len(data.duplicates)} images are left out "
            f"(first: {left_out}, the same as {same})."
        )
    brightest = max(
        float(data.images("train", np.array([i])).max()) for i in range(len(data.labels["train"]))
    )
    if brightest < DARK:
        bits = 8 * data.cache.dtype.itemsize
        text += (
            f"\nWarning: the training images use the lowest {100 * brightest:.2g} % of the range "
            f"of {bits} bits; times {int(1 / max(brightest, 1e-4))} they would use all of it, and "
            "the loss would see their defects better."
        )
    return "\n".join([text, *notes])


def _counted(labels: np.ndarray) -> str:
    num_anomalous = int(labels.sum())
    normal = f"{len(labels) - num_anomalous} normal"
    return f"{normal} + {num_anomalous} anomalous" if num_anomalous else normal


def note_baseline(path: Path, data: PreparedData) -> None:
    """How much the mean intensity alone tells of the labels, and how many labels there are."""
    splits = [split for split in ("adapt", "test") if len(data.labels[split])]
    aucs = {}
    for split in splits:
        intensity = [
            data.images(split, np.array([i])).mean() for i in range(len(data.labels[split]))
        ]
        aucs[split] = auroc(data.labels[split], np.array(intensity))
    counts = {split: np.bincount(data.labels[split], minlength=2).tolist() for split in splits}
    write_json(path, {"mean_intensity": aucs, "counts": counts})
