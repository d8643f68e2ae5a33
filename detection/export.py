"""The detector as one graph for other programs: images in, scores and anomaly maps out."""

import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from keras import ops

from awl_vae.data.images import CHANNELS, resize
from awl_vae.data.reading import read_image
from awl_vae.detection.detector import Detector
from awl_vae.detection.export_formats import FORMATS, SAVED_MODEL, Runner
from awl_vae.detection.resampling import resized
from awl_vae.system import foreign_file, naming, read_json, temporary_path, write_json
from awl_vae.system.errors import FileError, UserError, check_name, install_hint
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import in_one_line

NUM_CHECKED = 16
"""Images that are made to compare a graph with the detector."""

ANY_SIZE = (64, 100)
"""Of these, where the graph takes every size."""


class ExportError(UserError, RuntimeError):
    """An exported model does not do what the detector does."""


class ExportedDetector(keras.Model):
    """Images to scores, anomaly maps and verdicts, with the preprocessing in the graph.

    Args:
        detector: the detector.
        input_size: (h, w) of the images, or None for any.
        dtype: "uint8" or "uint16" of the images.
    """

    def __init__(self, detector: Detector, input_size: tuple[int, int] | None, dtype: str):
        super().__init__()
        self.scorer, self.resize = detector.scorer, detector.resize
        self.largest = float(np.iinfo(dtype).max)
        self.resizes = input_size != detector.image_size
        # What is below this as a float32 is below the threshold, and nothing else is.
        self.threshold = np.float32(detector.threshold.value)
        if self.threshold < detector.threshold.value:
            self.threshold = np.nextafter(self.threshold, np.float32(np.inf))
        self.built = True

    def call(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Images (N, h, w) gray, or (N, h, w, 3) RGB, to `OUTPUTS`."""
        x = ops.cast(images, "float32")
        x = x if len(x.shape) == 4 else x[..., None]
        if self.resizes:
            x = resized(x, self.scorer.image_size, self.resize, self.largest)
        x /= self.largest
        if self.scorer.has_roi:
            x = ops.concatenate(
                [x, ops.ones_like(x[..., :1]) * self.scorer.roi[..., None]], axis=-1
            )
        score, anomaly_map = self.scorer.call(x)
        # What is not a number is anomalous.
        is_anomalous = ops.logical_not(score < self.threshold)
        return {"score": score, "anomaly_map": anomaly_map, "is_anomalous": is_anomalous}


def export(
    detector: Detector,
    path: Path,
    *,
    format: str,  # noqa: A002 (Keras' name)
    input_size: tuple[int, int] | None,
    dtype: str,
    images: Sequence[Path] = (),
) -> float:
    """Writes the detector as a graph, and runs it beside the detector before it is left there.

    Args:
        detector: the detector.
        path: the file, or the directory of a SavedModel. The threshold and how it was found go
            beside it, with the suffix .json.
        format: a key of `FORMATS`.
        input_size: (h, w) of the images, or None for any.
        dtype: "uint8" or "uint16" of the images.
        images: files on which the graph is to give the same verdicts, besides images of all kinds.

    Returns:
        The largest difference of a score, as its share, and of a map, as its largest value's.

    Raises:
        ExportError: If there is no such format or dtype, if the difference is more than the
            format's tolerance, if a verdict is another, if a package is missing, or if something
            else than an earlier export is there; then nothing is written.
    """
    check_name("a format", format, FORMATS, ExportError)
    check_name("a dtype", dtype, ("uint8", "uint16"), ExportError)
    path = Path(os.path.realpath(path))
    settings_path = path.with_name(path.name + ".json")
    _check_replaceable(path, settings_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path.with_name(path.name + FORMATS[format].suffix), "awl_vae.new")
    _remove(temporary)
    try:
        with naming(path, tf.errors.OpError):
            difference = _write(detector, temporary, format, input_size, dtype, images)
        settings = _settings(detector, format, input_size, dtype) | {"difference": difference}
        # A cut between these leaves a threshold without a model, but no model with another's.
        _remove(path)
        write_json(settings_path, settings)
        temporary.rename(path)
    except ModuleNotFoundError as error:
        raise ExportError(
            f"Expected the packages of exports. Received: no {error.name}; {install_hint('export')}"
        ) from error
    finally:
        _remove(temporary)
    return difference


def _check_replaceable(path: Path, settings_path: Path) -> None:
    """Checks that what is there is an earlier export, by its content and not by its name."""
    others: list[object] = []
    if path.is_dir() and (name := foreign_file(path, SAVED_MODEL)):
        others.append(name)
    if settings_path.exists():
        try:
            known = read_json(settings_path)
        except FileError:
            known = {}
        if not {"format", "input", "threshold"} <= known.keys():
            others.append(settings_path.name)
    elif path.exists():
        others.append(path.name)
    if others:
        raise ExportError(
            "Expected a new path, or that of an earlier export with its .json and nothing else. "
            f"Received: --output={path}, where {others[0]} is something else"
        )


def _write(
    detector: Detector,
    path: Path,
    format_name: str,
    input_size: tuple[int, int] | None,
    dtype: str,
    files: Sequence[Path],
) -> float:
    """Writes the graph and runs it; returns how much it differs from the detector."""
    chosen = FORMATS[format_name]
    shape = (None, *(input_size or (None, None)), *_colors(detector))
    with _quiet():
        ExportedDetector(detector, input_size, dtype).export(
            str(path),
            format=chosen.keras_name,
            input_signature=[keras.InputSpec(shape=shape, dtype=dtype, name="images")],
            verbose=False,
            **chosen.options(),
        )
    run = chosen.run(path)
    made = _test_images((*(input_size or ANY_SIZE), *_colors(detector)), dtype)
    difference = _difference(detector, run, made)
    with contextlib.closing(ProgressBar(len(files))) as bar:
        for file in files:
            image = CHANNELS[detector.scorer.channels](read_image(file))
            if image.dtype != dtype:
                image = (image * 257.0 if dtype == "uint16" else image / 257.0).astype(dtype)
            if input_size is not None:
                image = resize(image, input_size, detector.resize)
            difference = max(difference, _difference(detector, run, image[None], str(file)))
            bar.advance(1, in_one_line(file.name))
    if not difference <= chosen.tolerance:
        raise ExportError(
            f"Expected scores and maps within {chosen.tolerance:g} of the detector's. "
            f"Received: a difference of {difference:.2g}, --format={format_name}."
        )
    return difference


def _colors(detector: Detector) -> tuple[int, ...]:
    """What follows the height and width of an image."""
    return () if detector.scorer.channels == "gray" else (3,)


def _settings(
    detector: Detector, format_name: str, input_size: tuple[int, int] | None, dtype: str
) -> dict[str, object]:
    """What the file beside the graph holds: how it is called, and the threshold."""
    images = {
        "name": "images",
        "shape": ["N", *(input_size or ("h", "w")), *_colors(detector)],
        "dtype": dtype,
        "content": detector.scorer.channels,
    }
    return {
        "format": format_name,
        "input": images,
        "output": {
            "score": ["N"],
            "anomaly_map": ["N", *detector.image_size],
            "is_anomalous": ["N"],
        },
        "score": detector.scorer.score,
        "threshold": asdict(detector.threshold),
        "pixel_threshold": detector.pixel_threshold,
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the converters tell of their work."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)


def _test_images(size: tuple[int, ...], dtype: str) -> np.ndarray:
    """Images (N, h, w) or (N, h, w, 3) of all kinds: flat, gradients, stripes, blobs and noise."""
    rng = np.random.RandomState(0)
    y, x, *_ = np.indices(size)
    images = []
    for index in range(NUM_CHECKED):
        flat = rng.uniform(0, 1) * np.ones(size)
        wave = 0.5 + 0.5 * np.sin(x * rng.uniform(0.05, 0.5) + y * rng.uniform(0.0, 0.5))
        noise = rng.uniform(0, 1, size)
        images.append((flat, wave, noise, 0.5 * wave + 0.5 * flat)[index % 4])
    return np.rint(np.stack(images) * np.iinfo(dtype).max).astype(dtype)


def _difference(detector: Detector, run: Runner, images: np.ndarray, file: str = "") -> float:
    """The largest difference between scores (N,) and maps (N, H, W); see `export`.

    Of a file the verdict has to be the same, too.
    """
    colors = [image[..., ::-1] if image.ndim == 3 else image for image in images]
    scores, maps = detector.analyze(colors)
    exported_scores, exported_maps, verdicts = run(images)
    if file and verdicts.tolist() != detector.is_anomalous(scores).tolist():
        raise ExportError(
            f"Expected the detector's verdict, with a score of {scores[0]:.6g}. "
            f"Received: another, with {exported_scores[0]:.6g}, {file}"
        )
    of_scores = np.abs(exported_scores - scores) / np.maximum(np.abs(scores), 1e-12)
    largest = np.maximum(maps.max(axis=(1, 2)), 1e-12)  # (N, H, W) -> (N,)
    of_maps = np.abs(exported_maps - maps).max(axis=(1, 2)) / largest
    return float(max(of_scores.max(), of_maps.max()))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
