"""A fitted model ready for use: preprocessing, score and threshold in one saved thing."""

import copy
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast, overload

import keras
import numpy as np
import tensorflow as tf

import awl_vae.models.projection
import awl_vae.models.vae  # noqa: F401 (so that Keras knows what is in both)
from awl_vae.data.images import CHANNELS, RESIZE_MODES, resize, to_float
from awl_vae.data.reading import Bytes, Source, is_path, read_image
from awl_vae.data.roi import read_roi
from awl_vae.detection.finding import Finding
from awl_vae.detection.judging import find
from awl_vae.detection.likeness import Likeness
from awl_vae.detection.rescore import with_score
from awl_vae.detection.saved import (
    COLUMNS,
    FORMAT,
    DetectorError,
    check_agreement,
    check_replaceable,
    find_detector,
    likeness_of,
    read_calibration,
    read_settings,
    threshold_of,
)
from awl_vae.detection.thresholds import Threshold
from awl_vae.evaluation import FeatureScorer, Scorer, TiledScorer
from awl_vae.evaluation.tiles import LEAST_SIDE, has_room
from awl_vae.system import atomic_directory, write_csv, write_json
from awl_vae.system.ahead import batches_ahead, num_cores
from awl_vae.system.errors import FileError, did_you_mean

BATCH_SIZE = 32
"""Images that go through the network at a time."""

SHAPES = ((), (1,), (3,), (4,))
"""What may follow the height and width of an image."""

Image = Source | np.ndarray
"""An image: a path, the bytes of a file, or an array; see `Detector`."""

Images = Sequence[Image] | np.ndarray
"""Several of them; an array (N, h, w) is such a sequence."""

Masks = Sequence[Image | None] | np.ndarray
"""Of each of several images, the mask of its region of interest, or None."""


NARROW = 8
"""An array (n, h, w) of a smaller width is taken for one image of so many channels."""

_PROCESS = os.getpid()
"""Where this module was imported; a process that was forked has it without an import."""

NO_REGION = "Expected a detector that was trained with roi_mask. Received: another, and a roi_mask."


class Detector:
    """Finds anomalous images.

    Example:
        ```python
        detector = Detector.load("runs/auc_adapted/bellows/auc_adapted/seed-1")
        detector.inspect("part.png").verdict  # "normal"
        detector.score(["part.png", cv2.imread("other.png")])  # array([0.004, 0.031])
        ```

    An image is the path of a file or its bytes, read as `awl_vae.data.read_image` says, or an array
    as that returns it: (h, w) or (h, w, 1) gray, (h, w, 3) BGR or (h, w, 4) BGRA of uint8 (0 to
    255) or uint16 (0 to 65535). Images may be of any sizes.

    Args:
        scorer: the model with its score, of pixels or of features.
        resize: how images are brought to its size: "stretch", "pad" or "crop".
        threshold: of the scores.
        pixel_threshold: value of an anomaly map that normal images hardly reach; regions are where
            a map is at least this.
        calibration: rows of `image`, `split`, `label`, `score`, and maybe of other scores: the
            images that thresholds are found on.
        likeness: what those images looked like, or None where that is not known: then none is
            said to be unlike them.

    Raises:
        DetectorError: If there is no such way to resize.
    """

    def __init__(
        self,
        scorer: Scorer | FeatureScorer | TiledScorer,
        *,
        resize: str,
        threshold: Threshold,
        pixel_threshold: float,
        calibration: Sequence[Mapping[str, object]],
        likeness: Likeness | None = None,
    ):
        if resize not in RESIZE_MODES:
            meant = did_you_mean(str(resize), RESIZE_MODES)
            raise DetectorError(
                f"Expected a resize among {', '.join(RESIZE_MODES)}{meant}. Received: {resize!r}"
            )
        self.scorer = scorer
        self.resize = resize
        self.threshold = threshold
        self.pixel_threshold = pixel_threshold
        self.calibration = list(calibration)
        self.likeness = likeness
        self._process = os.getpid()

    def __setstate__(self, state: Mapping[str, object]) -> None:
        self.__dict__.update(state)
        if os.getpid() == _PROCESS:  # Unpickled in a process that was started, and not forked.
            self._process = _PROCESS

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) in pixels that images are brought to."""
        return self.scorer.image_size

    @property
    def roi(self) -> np.ndarray | None:
        """Its region of interest (H, W) bool, outside of which nothing counts; None for all."""
        return self.scorer.roi.numpy() > 0 if self.scorer.has_roi else None

    @overload  # a text is a sequence of texts, too
    def inspect(  # type: ignore[overload-overlap]
        self, images: Image, *, roi_mask: Image | None = None
    ) -> Finding: ...
    @overload
    def inspect(
        self, images: Sequence[Image], *, roi_mask: Masks | None = None
    ) -> list[Finding]: ...
    def inspect(
        self, images: Image | Images, *, roi_mask: Image | Masks | None = None
    ) -> Finding | list[Finding]:
        """What it finds in an image, or in each of several, as the command `inspect` does.

        Args:
            images: the image, or several.
            roi_mask: the mask of its region of interest, or of each; see `analyze`.

        Returns:
            The finding with score, verdict and regions, or a list of them. What cannot be read has
            the verdict "unreadable" and says why.

        Raises:
            ValueError: If that are no images, or masks for a detector without regions.
        """
        if _is_one(images):
            return self.inspect([cast(Image, images)], roi_mask=[cast(Image | None, roi_mask)])[0]
        self._check(images, roi_mask)
        sources = _with_masks(cast(Images, images), cast(Masks | None, roi_mask))
        return list(find(self, sources, batch_size=BATCH_SIZE, num_threads=num_cores()))

    def _check(self, images: object, masks: object) -> None:
        """Checks what is given as several images, before anything is made of them."""
        several = isinstance(images, Sequence | np.ndarray)
        others = (
            [one for one in cast(Images, images) if not _is_image(one)] if several else [images]
        )
        if others:
            raise ValueError(
                "Expected an image (its path, its bytes or an array), or a sequence of them. "
                f"Received: {type(others[0]).__name__}."
            )
        if isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] < NARROW:
            raise ValueError(
                "Expected (h, w), (h, w, 3) or (h, w, 4), or several of them. "
                f"Received: shape={images.shape}."
            )
        given = masks if isinstance(masks, Sequence | np.ndarray) else ()
        if self.roi is None and any(mask is not None for mask in given):
            raise ValueError(NO_REGION)

    def score(self, images: Images, *, roi_mask: Masks | None = None) -> np.ndarray:
        """Anomaly scores (N,) float32 of images; larger is more anomalous."""
        return self.analyze(images, roi_mask=roi_mask)[0]

    def predict(self, images: Images, *, roi_mask: Masks | None = None) -> np.ndarray:
        """Verdicts (N,) bool of images: True is anomalous."""
        return self.is_anomalous(self.score(images, roi_mask=roi_mask))

    def anomaly_map(self, images: Images, *, roi_mask: Masks | None = None) -> np.ndarray:
        """Anomaly maps (N, H, W) float32 of images, of the detector's size, at least 0."""
        return self.analyze(images, roi_mask=roi_mask)[1]

    def analyze(
        self, images: Images, *, roi_mask: Masks | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores (N,) and anomaly maps (N, H, W), float32, from one pass through the network.

        Args:
            images: the images.
            roi_mask: of a detector that was trained with regions of interest, the mask of each
                image, read as one; None, for all or for one, where the detector's own counts.

        Raises:
            ValueError: If an image or a mask cannot be read, or there are not as many masks.
        """
        if _is_one(images):
            shape = f", {images.shape}" if isinstance(images, np.ndarray) else ""
            raise ValueError(f"Expected a sequence of images. Received: one{shape}.")
        self._check(images, roi_mask)
        parts = [(np.empty(0, np.float32), np.empty((0, *self.image_size), np.float32))]
        for batch in batches_ahead(
            lambda pair: self.preprocess(*pair),
            _with_masks(images, roi_mask),
            batch_size=min(BATCH_SIZE, self.scorer.batch_size),
            num_threads=num_cores(),
        ):
            parts.append(self.analyze_batch(np.stack(batch)))
        scores, maps = zip(*parts, strict=True)
        return np.concatenate(scores), np.concatenate(maps)

    def analyze_batch(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for images (N, H, W), or (N, H, W, C), float32 that `preprocess` made.

        Raises:
            RuntimeError: In a process that was forked, where TensorFlow would wait for ever.
        """
        if os.getpid() != self._process:
            raise RuntimeError(
                "Expected a detector that was loaded in this process. Received: that of the "
                'process which forked it; start workers by "spawn", or load a detector in each.'
            )
        x = x if x.ndim == 4 else x[..., None]
        most = self.scorer.batch_size
        parts = [
            self.scorer.score_and_map(tf.constant(x[start : start + most]))
            for start in range(0, len(x), most)
        ]
        scores, maps = zip(*parts, strict=True)
        return np.concatenate(scores), np.concatenate(maps)

    def preprocess(self, image: Image, roi_mask: Image | None = None) -> np.ndarray:
        """One image, see above, to float32 in [0, 1], as the network sees it.

        (H, W) gray, or (H, W, 3) RGB for a detector that sees colours. For one with a region of
        interest one more channel, with the region: that of a mask, or its own.

        Raises:
            ValueError: If it cannot be read, or the array is of another shape or type; or if the
                mask cannot be used.
        """
        if not isinstance(image, np.ndarray):
            image = read_image(image)
        if image.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"Expected uint8 or uint16. Received: dtype={image.dtype}.")
        if image.ndim not in (2, 3) or image.shape[2:] not in SHAPES or not image.size:
            raise ValueError(
                f"Expected (h, w), (h, w, 3) or (h, w, 4). Received: shape={image.shape}."
            )
        seen = CHANNELS[self.scorer.channels](image)
        x = to_float(resize(seen, self.image_size, self.resize))
        roi = self.roi
        if roi_mask is not None:
            if roi is None:
                raise ValueError(NO_REGION)
            roi = read_roi(roi_mask, image.shape[:2], self.image_size, self.resize)
        if roi is None:
            return x
        inside = roi.astype(np.float32)
        return np.dstack([x, np.ones_like(inside)]) * inside[..., None]

    def is_anomalous(self, scores: np.ndarray) -> np.ndarray:
        """Verdicts (N,) bool of scores (N,); what is not a number is anomalous."""
        return ~(np.asarray(scores, np.float64) < self.threshold.value)

    def with_score(
        self, score: str, threshold: str | None = None, setting: float | None = None
    ) -> "Detector":
        """The detector that the same network is by another score; this one stays as it is.

        It is the one that a run with that score gives wherever it ends with the same network, to
        the bit: threshold, pixel threshold and calibration. No image is read: the calibration of a
        run has the scores by all of `SCORES`.

        Args:
            score: a key of `SCORES`.
            threshold: a key of `THRESHOLDS`; None for that of this detector, with its setting.
            setting: the number of a threshold that takes one; see `calibrate`.

        Raises:
            DetectorError: If there is no such score, or the calibration is of 0.1.0 and knows one
                score alone, or `threshold` is None where it was given by hand.
            CalibrationError: If the threshold cannot be found.
        """
        return with_score(self, score, threshold, setting)

    def in_tiles(self, grid: tuple[int, int]) -> "Detector":
        """The detector that sees an image in a grid (rows, columns) of overlapping tiles.

        Each tile is judged as a whole image by this detector, whose threshold stays; so an image of
        many tiles is called anomalous more often. What images look like is no longer compared.

        Raises:
            DetectorError: If this detector sees pixels, or tiles, or is too small for tiles.
        """
        if not isinstance(self.scorer, FeatureScorer):
            raise DetectorError(
                "Expected a detector of features of whole images with tiles. "
                f"Received: one of the score {self.scorer.score}, "
                f"{'in tiles already' if isinstance(self.scorer, TiledScorer) else 'of pixels'}"
            )
        if not has_room(self.image_size, grid):
            raise DetectorError(
                f"Expected rows and columns of tiles of at least {LEAST_SIDE} pixels. Received: "
                f"{'x'.join(map(str, grid))} of {'x'.join(map(str, self.image_size))}"
            )
        found = copy.copy(self)
        found.scorer, found.likeness = TiledScorer(self.scorer, grid), None
        return found

    def save(self, directory: Path) -> None:
        """Writes `scorer.keras`, `calibration.csv` and `detector.json`, whole or not at all.

        Raises:
            UserError: If the directory holds anything but a detector.
        """
        directory = Path(directory)
        check_replaceable(directory)
        with atomic_directory(directory) as temporary:
            self.write(temporary)

    def write(self, directory: Path) -> None:
        """Writes these files into a directory, one after the other."""
        self.scorer.save(directory / "scorer.keras")
        columns = dict.fromkeys([*COLUMNS, *(self.calibration or [{}])[0]])
        write_csv(directory / "calibration.csv", [*columns], self.calibration)
        self.save_settings(directory)

    def save_settings(self, directory: Path) -> None:
        """Writes `detector.json` alone, with the present threshold, beside the other files."""
        settings: dict[str, object] = {
            "format": FORMAT,
            "image_size": list(self.image_size),
            "resize": self.resize,
            "score": self.scorer.score,
            "threshold": asdict(self.threshold),
            "pixel_threshold": self.pixel_threshold,
        }
        if self.likeness is not None:
            settings["likeness"] = self.likeness.ranges
        write_json(Path(directory) / "detector.json", settings)

    @classmethod
    def load(cls, directory: str | Path) -> "Detector":
        """Reads a saved detector.

        Args:
            directory: its directory, or that of a method and seed of a run.

        Nothing in it is code: Keras loads the network in safe mode, the rest is JSON and CSV.

        Raises:
            DetectorError: If the directory holds no detector that this version can read.
        """
        directory = find_detector(Path(directory))
        try:
            settings = read_settings(directory)
            threshold, likeness = threshold_of(settings), likeness_of(settings, directory)
            calibration = read_calibration(directory)
            check_agreement(threshold, calibration, directory)
        except FileError as error:
            raise DetectorError(str(error)) from error
        except OSError as error:
            raise DetectorError(
                "Expected the files of a detector. "
                f"Received: {error.strerror or error}, {error.filename or directory}"
            ) from error
        scorer = _read_scorer(directory / "scorer.keras")
        found = (getattr(scorer, name, None) for name in ("score", "image_size"))
        wanted = settings["score"], tuple(settings["image_size"])
        if not isinstance(scorer, Scorer | FeatureScorer | TiledScorer) or tuple(found) != wanted:
            raise DetectorError(
                "Expected a scorer.keras of the score and image_size in detector.json. "
                f"Received: another model, {directory}"
            )
        return cls(
            scorer,
            resize=settings["resize"],
            threshold=threshold,
            pixel_threshold=settings["pixel_threshold"],
            calibration=calibration,
            likeness=likeness,
        )


def _read_scorer(path: Path) -> object:
    """The Keras model of a file."""
    if not zipfile.is_zipfile(path):  # Keras would say that it is not there.
        found = "which is cut off or no archive" if path.exists() else "which is not there"
        raise DetectorError(f"Expected the network of a detector. Received: {path}, {found}")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Whatever damage does to a library.
        text = " ".join(str(error).split()) or type(error).__name__
        raise DetectorError(
            f"Expected the directory of a detector. Received: {path} ({text})"
        ) from error


def _is_image(image: object) -> bool:
    return isinstance(image, np.ndarray | Bytes | Traversable) or is_path(image)


def _is_one(images: object) -> bool:
    """Whether that is one image, and not several."""
    if isinstance(images, np.ndarray):
        return images.ndim < 3 or (images.ndim == 3 and images.shape[-1] in (1, 3, 4))
    return isinstance(images, Bytes) or is_path(images)


def _with_masks(images: Images, masks: Masks | None) -> Iterator[tuple[Image, Image | None]]:
    """Images, each with its mask."""
    if masks is None:
        masks = [None] * len(images)
    if len(masks) != len(images):
        raise ValueError(f"Expected a mask for each image. Received: {len(masks)}, {len(images)}.")
    return zip(images, masks, strict=True)
