"""The images of a run directory: read once, told from others, and what they tell by themselves."""

import functools
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

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
from awl_vae.data.check import Concern, image_concerns, mask_concerns, range_concern
from awl_vae.data.measure import Measured
from awl_vae.data.prepare import synthetic_version
from awl_vae.data.synthetic_defects import VERSION
from awl_vae.detection.thresholds import FALSE_ALARM_RATE
from awl_vae.evaluation import auroc
from awl_vae.evaluation.whitening import standardization
from awl_vae.features import FeatureInputs, cache_features, extractor, feature_path
from awl_vae.features.backbones import traced
from awl_vae.system import DirectoryLock, read_json, write_json
from awl_vae.system.terminal import ProgressBar, silent_stderr
from awl_vae.system.words import with_first
from awl_vae.training.check import calibration_concerns, separation_concerns, separations_of
from awl_vae.training.config import Config
from awl_vae.training.experiment import EXPERIMENTS, Experiment
from awl_vae.training.fitting.explaining import batches
from awl_vae.training.run_directory import CONFIG, RunDirectory

CACHE = "cache.npy"
"""The decoded images, for as long as there are runs to do."""

AConfig = TypeVar("AConfig", bound=Config)

MOST_WARNINGS = 5
"""Lines."""


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
        channels=config.channels,
    )


class RunImages(Generic[AConfig]):
    """The images of a run directory. A process that they are handed to opens them for itself.

    Attributes:
        path: the run directory.
        config: its configuration.
        data: the images.
        version: of the synthetic defects.
    """

    def __init__(self, path: Path, config: AConfig, data: PreparedData, version: int):
        self.path = path
        self.config = config
        self.data = data
        self.version = version

    def __reduce__(self) -> tuple[object, ...]:
        return _open, (self.path, self.config, self.version)


@functools.lru_cache(maxsize=1)
def _open(path: Path, config: Config, version: int) -> RunImages:
    """The images, once in a process; decoded anew on a machine that does not see the directory."""
    dataset = _with_synthetic(load_images(EXPERIMENTS[config.experiment].load(), config), version)
    is_shared = (path / CONFIG).exists()
    with nullcontext() if is_shared else DirectoryLock(path, waits=True), silent_stderr():
        data = prepare(
            dataset,
            cache_path=path / CACHE,
            manifest_path=path / "dataset.json",
            num_threads=config.num_threads,
        )
        if config.input == "features":
            data.inputs = _feature_inputs(path, config, data)
    return RunImages(path, config, data, version)


def open_images(path: Path, config: AConfig) -> RunImages[AConfig]:
    """The images of a run directory that another process has prepared."""
    return _open(path, config, synthetic_version(path / "dataset.json"))


def prepare_images(directory: RunDirectory, experiment: Experiment) -> RunImages:
    """The decoded images; a directory is new, and another run in it gone, once they are read."""
    config, path, is_new = directory.config, directory.path, directory.is_new
    version = _synthetic_version(directory)
    dataset = _with_synthetic(load_images(experiment, config), version)
    # Image libraries write of broken files themselves; our one line says it better.
    with (
        directory.begin() as files,
        silent_stderr() as stderr,
        closing(ProgressBar(len(dataset.items()), stderr)) as bar,
    ):
        prepared = prepare(
            dataset,
            cache_path=files / CACHE,
            manifest_path=files / "dataset.json",
            num_threads=config.num_threads,
            progress=lambda: bar.advance(1, "reading images"),
        )
    data = PreparedData(dataset, ImageCache(path / CACHE), prepared.duplicates)
    print(_describe(config, data, dataset.notes))
    if is_new:  # else they were told
        print("".join(f"{line}\n" for line in _warnings(data, config)), end="")
    if config.input == "features":
        data.inputs = _feature_inputs(path, config, data)
    return RunImages(path, config, data, version)


def _with_synthetic(dataset: Dataset, version: int) -> Dataset:
    copies = synthetic_copies(dataset.calibration, version)
    return replace(dataset, synthetic=copies, synthetic_version=version)


def _feature_inputs(path: Path, config: Config, data: PreparedData) -> FeatureInputs:
    """What models of features see of the images; standardized by those that are trained on."""
    network = extractor(config.backbone, config.image_size)
    crc32 = read_json(path / "dataset.json")["crc32"]
    with silent_stderr() as stderr, closing(ProgressBar(len(data.cache), stderr)) as bar:
        rows = cache_features(
            feature_path(path, config.backbone, config.image_size, crc32),
            traced(network),
            network.output_shape[1:],
            data.cache.read,
            len(data.cache),
            progress=lambda count: bar.advance(count, "computing features"),
        )
    raw = FeatureInputs(rows, network)
    return raw.standardized(standardization(map(raw.read, batches(data.positions["train"]))))


def remove_caches(path: Path) -> None:
    """Removes the decoded images, and the features, of a run directory that is finished."""
    for file in (path / CACHE, *path.glob("features-*.npy")):
        file.unlink(missing_ok=True)


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
    return "\n".join([text, *notes])


def _warnings(data: PreparedData, config: Config) -> Iterator[str]:
    """What is to be looked at, in `MOST_WARNINGS` lines at most."""
    concerns = list(_concerns(data, config))
    num_told = len(concerns) if len(concerns) <= MOST_WARNINGS else MOST_WARNINGS - 1
    yield from (f"Warning: {concern}." for concern in concerns[:num_told])
    if more := len(concerns) - num_told:
        yield f"Warning: {more} more things to look at; {_check_command(config)} tells all."


def _check_command(config: Config) -> str:
    """What looks at the same images in the same way."""
    size = "x".join(map(str, config.image_size))
    return f"awl-vae check {shlex.quote(str(config.data_dir))} --image_size={size}"


def _concerns(data: PreparedData, config: Config) -> Iterator[Concern]:
    """What `awl-vae check` would say of the images that are used."""
    seen = list(_measured(data))
    if not seen:  # what is made, or comes in a package, is not the user's to mend
        train = range(len(data.labels["train"]))
        brightest = max(float(data.pixels("train", index).max()) for index in train)
        yield from range_concern(brightest, 8 * data.cache.dtype.itemsize)
        return
    yield from image_concerns(seen)
    yield from mask_concerns(_marked(data))
    yield from separation_concerns(separations_of(seen))
    if not config.uses_labels:
        yield from calibration_concerns(len(data.items["calibration"]), FALSE_ALARM_RATE)


def _measured(data: PreparedData) -> Iterator[Measured]:
    """What was seen of the images that are files; with regions, of their levels inside."""
    for split, items in data.items.items():
        for index, item in enumerate(items):
            if item.measured is None:
                continue
            one = item.measured()
            if data.has_roi:
                pixels = data.pixels(split, index)
                one = replace(
                    one,
                    brightness=float(pixels.mean()),
                    contrast=float(pixels.std()),
                    border=0.0,
                    black=float(np.mean(pixels == 0.0)),
                    white=float(np.mean(pixels == 1.0)),
                    brightest=float(pixels.max()),
                )
            yield one


def _marked(data: PreparedData) -> dict[str, float]:
    """By anomalous image with a mask, the share of its pixels that count which it marks."""
    shares = {}
    for split in ("adapt", "test"):
        for item in data.items[split]:
            if item.label and item.load_mask:
                marked = item.load_mask()
                counted = marked[item.load_roi()] if item.load_roi else marked
                shares[item.name] = float(counted.mean())
    return shares


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
