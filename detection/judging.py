"""From images to findings: taken in one by one, scored together, judged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from awl_vae.data.images import split_roi, to_color, to_float
from awl_vae.data.reading import NotReadError, Source, is_path, read_image
from awl_vae.data.remote import File, RemoteFile, StoreError
from awl_vae.detection.finding import (
    ANOMALOUS,
    NORMAL,
    UNREADABLE,
    FileState,
    Finding,
    OverlaySource,
)
from awl_vae.detection.likeness import measure
from awl_vae.detection.regions import find_regions
from awl_vae.system.ahead import batches_ahead

if TYPE_CHECKING:
    from awl_vae.detection.detector import Detector

MAX_SIDE = 512
"""Longest side, in pixels, of a thumbnail."""


@dataclass(frozen=True)
class TakenImage:
    """An image as the network takes it, and what its finding needs besides.

    Attributes:
        path: the file, or None where the image came in memory.
        state: of the file when it was read.
        shape: (h, w) of the image.
        thumbnail: for its overlay.
        x: float32, as the network sees it; see `Detector.preprocess`.
        unlike_calibration: see `Finding`.
    """

    path: File | None
    state: FileState | None
    shape: tuple[int, int]
    thumbnail: np.ndarray
    x: np.ndarray
    unlike_calibration: str

    @property
    def roi(self) -> np.ndarray | None:
        """Its region of interest, bool (H, W), or None."""
        return split_roi(self.x)[1]


def take(
    detector: "Detector",
    source: Source | np.ndarray,
    roi_mask: Source | np.ndarray | None = None,
) -> TakenImage | Finding:
    """The image of a file, of bytes or an array; or the finding that it is unreadable."""
    path: File | None = source if isinstance(source, RemoteFile) else None
    if is_path(source):
        path = Path(source)
    state = FileState.of(path) if path is not None else None
    try:
        image = source if isinstance(source, np.ndarray) else read_image(source)
        x = detector.preprocess(image, roi_mask)
    except StoreError:
        raise
    except Exception as error:  # Whatever one image does to a library, the others go on.
        text = str(error)
        if isinstance(error, NotReadError):
            state = None  # So it is inspected again.
        if not isinstance(error, ValueError):
            text = f"Expected an image. Received: {type(error).__name__} {error}"
        return Finding(path, state, UNREADABLE, error=" ".join(text.split()))
    height, width, *_ = image.shape
    likeness = detector.likeness
    unlike = likeness.difference(measure(x, (height, width))) if likeness else ""
    return TakenImage(path, state, (height, width), thumbnail(image), x, unlike)


def find(
    detector: "Detector",
    sources: Iterable[tuple[Source | np.ndarray, Source | np.ndarray | None]],
    *,
    batch_size: int,
    num_threads: int,
) -> Iterator[Finding]:
    """The findings of images, each given with its mask or None, in their order.

    They are decoded by threads while the network works; no more than a few batches are in memory.

    Args:
        detector: the detector.
        sources: the images; see `take`.
        batch_size: images that go through the network at a time, fewer where they are large.
        num_threads: images that are decoded at a time.
    """
    for batch in batches_ahead(
        lambda pair: take(detector, *pair),
        sources,
        batch_size=min(batch_size, detector.scorer.batch_size),
        num_threads=num_threads,
    ):
        yield from judge(detector, batch)


def judge(detector: "Detector", batch: Sequence[TakenImage | Finding]) -> Iterator[Finding]:
    """The findings of images, from one pass through the network, in their order."""
    x = [image.x for image in batch if isinstance(image, TakenImage)]
    results = zip(*detector.analyze_batch(np.stack(x)), strict=True) if x else iter(())
    for image in batch:
        if isinstance(image, Finding):
            yield image
            continue
        score, anomaly_map = next(results)
        yield Finding(
            image.path,
            image.state,
            ANOMALOUS if detector.is_anomalous(score) else NORMAL,
            score=float(score),
            regions=tuple(
                find_regions(anomaly_map, detector.pixel_threshold, image.shape, detector.resize)
            ),
            overlay_source=OverlaySource(image.shape, image.thumbnail, anomaly_map, image.roi),
            unlike_calibration=image.unlike_calibration,
        )


def thumbnail(image: np.ndarray) -> np.ndarray:
    """The image (h, w, 3), BGR, with sides of at most `MAX_SIDE`."""
    shape = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(shape))
    size = [max(1, round(side * scale)) for side in shape]
    if size != list(shape):
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    image = to_color(image)
    return image if image.dtype == np.uint8 else np.rint(255 * to_float(image)).astype(np.uint8)
