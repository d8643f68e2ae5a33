"""The images of a run directory: read once, told from others, and what they tell by themselves."""

from collections.abc import Iterator, Sequence
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
from awl_vae.data.check import Concern, range_concern
from awl_vae.data.prepare import synthetic_version
from awl_vae.data.synthetic_defects import VERSION
from awl_vae.detection.thresholds import FALSE_ALARM_RATE
from awl_vae.evaluation import auroc
from awl_vae.system import write_json
from awl_vae.system.terminal import ProgressBar, silent_stderr
from awl_vae.system.words import with_first
from awl_vae.training.check import calibration_concerns, separation_concerns, separations
from awl_vae.training.config import Config
from awl_vae.training.experiment import Experiment
from awl_vae.training.run_directory import RunDirectory

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
        roi_mask=config.roi_mask,
    )


def prepare_images(directory: RunDirectory, experiment: Experiment) -> PreparedData:
    """The decoded images; a directory is new, and another run in it gone, once they are read."""
    config, path = directory.config, directory.path
    dataset = load_images(experiment, config)
    version = _synthetic_version(directory)
    dataset = replace(
        dataset,
        synthetic=synthetic_copies(dataset.calibration, version),
        synthetic_version=version,
    )
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


def _synthetic_version(directory: RunDirectory) -> int:
    """That of the synthetic defects which the directory was begun with, or the newest."""
    manifest = directory.path / "dataset.json"
    if directory.is_new or not manifest.exists():
        return VERSION
    version = synthetic_version(manifest)
    if version < VERSION:
        print(
            "It goes on with the synthetic defects that it was begun with, some of which can "
            "hardly be seen; another --run_dir has those of this version."
        )
    return version


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
    if data.has_roi:
        share = data.mean_roi.mean()
        text += f"\nRegion of interest, {config.roi_mask}: {share:.1%} of the pixels count."
    if not len(data.labels["adapt"]):
        text += "\nToo few labelled images, normal or anomalous, for an AUC of real defects."
    if data.duplicates:
        left_out, same = next(iter(data.duplicates.items()))
        text += (
            "\nIn several splits, and used in one; left out: "
            f"{with_first(len(data.duplicates), 'image', f'{left_out}, the same as {same}')}."
        )
    warnings = [f"Warning: {concern.text}." for concern in _concerns(data, config)]
    if empty := _empty_masks(data) if config.data_dir is not None else []:
        warnings.append(
            "Warning: a mask that marks nothing counts as none: "
            f"{with_first(len(empty), 'image', empty[0])}."
        )
    return "\n".join([text, *warnings, *notes])


def _concerns(data: PreparedData, config: Config) -> Iterator[Concern]:
    """What `awl-vae check` would say, as far as the decoded images and the files' sizes tell it."""
    brightest = max(float(data.pixels("train", i).max()) for i in range(len(data.labels["train"])))
    yield from range_concern(brightest, 8 * data.cache.dtype.itemsize)
    if config.data_dir is None:
        return  # what is made, or comes in a package, is not the user's to mend
    if len(data.items["adapt"]):
        yield from separation_concerns(separations(*_labelled(data)))
    if not config.uses_labels:
        yield from calibration_concerns(len(data.items["calibration"]), FALSE_ALARM_RATE)


def _empty_masks(data: PreparedData) -> list[str]:
    """The anomalous images of whose mask no pixel is marked at the size of training."""
    return [
        item.name
        for split in ("adapt", "test")
        for item in data.items[split]
        if item.label and item.load_mask and not item.load_mask().any()
    ]


def _labelled(data: PreparedData) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Labels (N,) of the labelled images, and numbers (N,) of them that know no product."""
    splits = ("adapt", "test")
    levels = np.array(
        [
            (pixels.mean(), pixels.std())
            for split in splits
            for pixels in (data.pixels(split, i) for i in range(len(data.items[split])))
        ]
    )
    files = [item.file for split in splits for item in data.items[split] if item.file]
    numbers = {
        "brightness": levels[:, 0],
        "contrast": levels[:, 1],
        "file size in bytes": np.array([file.stat().st_size for file in files]),
    }
    labels = np.concatenate([data.labels[split] for split in splits])
    return labels, numbers


def _counted(labels: np.ndarray) -> str:
    num_anomalous = int(labels.sum())
    normal = f"{len(labels) - num_anomalous} normal"
    return f"{normal} + {num_anomalous} anomalous" if num_anomalous else normal


def note_baseline(path: Path, data: PreparedData) -> None:
    """How much the mean intensity alone tells of the labels, and how many labels there are."""
    splits = [split for split in ("adapt", "test") if len(data.labels[split])]
    aucs = {}
    for split in splits:
        intensity = [data.pixels(split, i).mean() for i in range(len(data.labels[split]))]
        aucs[split] = auroc(data.labels[split], np.array(intensity))
    counts = {split: np.bincount(data.labels[split], minlength=2).tolist() for split in splits}
    write_json(path, {"mean_intensity": aucs, "counts": counts})
