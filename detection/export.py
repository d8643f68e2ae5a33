"""The detector as one graph for other programs: images in, scores and anomaly maps out."""

import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from absl import logging
from keras import ops

from awl_vae.data.images import HALF, Placement
from awl_vae.detection.detector import Detector
from awl_vae.detection.export_formats import FORMATS, SAVED_MODEL
from awl_vae.system import foreign_file, naming, read_json, temporary_path, write_json
from awl_vae.system.errors import FileError, UserError, check_name, install_hint

TOLERANCE = 1e-3
"""Largest difference from the detector's of a score, as its share, and of a map, as its largest
value's."""

NUM_CHECKED = 16


class ExportError(UserError, RuntimeError):
    """An exported model does not do what the detector does."""


class ExportedDetector(keras.Model):
    """Gray images of one size to scores and anomaly maps, with the preprocessing in the graph.

    Args:
        detector: the detector.
        input_size: (h, w) of the images.
        dtype: "uint8" or "uint16" of the images.
    """

    def __init__(self, detector: Detector, input_size: tuple[int, int], dtype: str):
        super().__init__()
        self.scorer = detector.scorer
        self.largest = float(np.iinfo(dtype).max)
        self.matrices = None
        if tuple(input_size) != detector.image_size:
            self.matrices = _resampling(input_size, detector.image_size, detector.resize)
        self.built = True

    def call(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Images (N, h, w) to `score` (N,) and `anomaly_map` (N, H, W), float32."""
        x = ops.cast(images, "float32")
        if self.matrices is not None:
            rows, columns = self.matrices
            # To whole gray levels, as the images of the training were.
            x = ops.clip(ops.floor(rows @ x @ ops.transpose(columns) + HALF), 0.0, self.largest)
        x = (x / self.largest)[..., None]
        if self.scorer.has_roi:
            x = ops.concatenate([x, ops.ones_like(x) * self.scorer.roi[..., None]], axis=-1)
        score, anomaly_map = self.scorer.call(x)
        return {"score": score, "anomaly_map": anomaly_map}


def export(
    detector: Detector,
    path: Path,
    *,
    format: str,  # noqa: A002 (Keras' name)
    input_size: tuple[int, int],
    dtype: str,
) -> float:
    """Writes the detector as a graph, and runs it beside the detector before it is left there.

    Args:
        detector: the detector.
        path: the file, or the directory of a SavedModel. The threshold and how it was found go
            beside it, with the suffix .json.
        format: a key of `FORMATS`.
        input_size: (h, w) of the images.
        dtype: "uint8" or "uint16" of the images.

    Returns:
        The largest difference of a score, as its share, and of a map, as its largest value's.

    Raises:
        ExportError: If there is no such format or dtype, if the difference is more than
            `TOLERANCE`, if a package is missing, or if something else than an earlier export is
            there; then nothing is written.
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
            difference = _write(detector, temporary, format, input_size, dtype)
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
    detector: Detector, path: Path, format_name: str, input_size: tuple[int, int], dtype: str
) -> float:
    """Writes the graph and runs it; returns how much it differs from the detector."""
    signature = [keras.InputSpec(shape=(None, *input_size), dtype=dtype, name="images")]
    with _quiet():
        ExportedDetector(detector, input_size, dtype).export(
            str(path),
            format=FORMATS[format_name].keras_name,
            input_signature=signature,
            verbose=False,
        )
    images = _test_images(input_size, dtype)
    difference = _difference(detector.analyze(images), FORMATS[format_name].run(path)(images))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"Expected scores and maps within {TOLERANCE:g} of the detector's. "
            f"Received: a difference of {difference:.2g}, --format={format_name}."
        )
    return difference


def _settings(
    detector: Detector, format_name: str, input_size: tuple[int, int], dtype: str
) -> dict[str, object]:
    """What the file beside the graph holds: how it is called, and the threshold."""
    images = {"name": "images", "shape": ["N", *input_size], "dtype": dtype, "content": "gray"}
    return {
        "format": format_name,
        "input": images,
        "output": {"score": ["N"], "anomaly_map": ["N", *detector.image_size]},
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


def _resampling(shape: tuple[int, int], image_size: tuple[int, int], mode: str) -> list[np.ndarray]:
    """Matrices R (H, h) and C (W, w) with which `resize` is R · image · Cᵀ, before rounding."""
    placement = Placement.of(shape, image_size, mode)
    matrices = []
    for old, size, new, offset in zip(
        shape, placement.size, image_size, placement.offset, strict=True
    ):
        # What OpenCV makes of each unit vector.
        unit = np.eye(old, dtype=np.float32)
        resized = cv2.resize(unit, (old, size), interpolation=placement.interpolation)
        matrix = np.zeros((new, old), np.float32)
        matrix[max(offset, 0) : offset + size] = resized[max(-offset, 0) : new - offset]
        matrices.append(matrix)
    return matrices


def _test_images(size: tuple[int, int], dtype: str) -> np.ndarray:
    """Images (N, h, w) of all kinds: flat, gradients, stripes, blobs and noise."""
    rng = np.random.RandomState(0)
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    images = []
    for index in range(NUM_CHECKED):
        flat = rng.uniform(0, 1) * np.ones(size)
        wave = 0.5 + 0.5 * np.sin(x * rng.uniform(0.05, 0.5) + y * rng.uniform(0.0, 0.5))
        noise = rng.uniform(0, 1, size)
        images.append((flat, wave, noise, 0.5 * wave + 0.5 * flat)[index % 4])
    return np.rint(np.stack(images) * np.iinfo(dtype).max).astype(dtype)


def _difference(
    expected: tuple[np.ndarray, np.ndarray], exported: tuple[np.ndarray, np.ndarray]
) -> float:
    """The largest difference between scores (N,) and maps (N, H, W); see `export`."""
    (scores, maps), (exported_scores, exported_maps) = expected, exported
    of_scores = np.abs(exported_scores - scores) / np.maximum(np.abs(scores), 1e-12)
    largest = np.maximum(maps.max(axis=(1, 2)), 1e-12)  # (N, H, W) -> (N,)
    of_maps = np.abs(exported_maps - maps).max(axis=(1, 2)) / largest
    return float(max(of_scores.max(), of_maps.max()))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
