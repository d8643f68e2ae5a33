"""Inspecting many pictures: from files to findings, in batches, with memory that stays flat."""

import csv
import io
import json
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data import DataError
from awl_vae.data.images import read_gray, to_float
from awl_vae.detection.detector import Detector
from awl_vae.detection.regions import Region, find_regions

NORMAL, ANOMALOUS, UNREADABLE = "normal", "anomalous", "unreadable"
COLUMNS = ("path", "score", "verdict", "regions", "error", "size", "modified")

MAX_SIDE = 512
"""Longest side, in pixels, of a thumbnail."""


@dataclass(frozen=True)
class FileState:
    """What changes when a file does.

    Attributes:
        size: in bytes.
        modified: time of the last change, in nanoseconds.
    """

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """The state of a file, or of the one that a link leads to; None where there is none."""
        try:
            info = path.stat()
        except OSError:
            return None
        return cls(info.st_size, info.st_mtime_ns) if stat.S_ISREG(info.st_mode) else None


@dataclass(frozen=True)
class Finding:
    """What a detector finds in one picture.

    Attributes:
        path: the file.
        state: of the file when it was read, or None where there was none.
        verdict: "normal", "anomalous" or "unreadable".
        score: the anomaly score, or None.
        regions: the largest anomalous regions.
        error: why the file cannot be read, or an empty text.
        shape: (h, w) of the picture, or None.
        thumbnail: the picture in gray, uint8, its sides at most `MAX_SIDE`, or None.
        anomaly_map: (H, W) float32 of the detector's size, or None.
    """

    path: Path
    state: FileState | None
    verdict: str
    score: float | None = None
    regions: tuple[Region, ...] = ()
    error: str = ""
    shape: tuple[int, int] | None = None
    thumbnail: np.ndarray | None = None
    anomaly_map: np.ndarray | None = None

    def to_csv(self) -> str:
        """A line of CSV with its end: `COLUMNS`, the regions as JSON lists of numbers."""
        regions = [
            [*astuple(region)[:-1], float(np.float32(region.peak))] for region in self.regions
        ]
        score = "" if self.score is None else repr(self.score)
        return csv_line(
            [
                str(self.path),
                score,
                self.verdict,
                json.dumps(regions) if regions else "",
                self.error,
                *(astuple(self.state) if self.state else ("", "")),
            ]
        )


def csv_line(values: Iterable[str]) -> str:
    """One line of CSV with its end."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def inspect(
    detector: Detector, paths: Iterable[Path], *, batch_size: int, num_threads: int
) -> Iterator[Finding]:
    """Inspects pictures, in their order.

    Files are decoded by threads while the network works; no more than a few batches are in memory.

    Args:
        detector: the detector.
        paths: the files.
        batch_size: pictures that go through the network at a time.
        num_threads: pictures that are decoded at a time.

    Yields:
        A finding for each path; a file that is no picture gives one too.
    """
    paths = iter(paths)
    with ThreadPoolExecutor(num_threads) as pool:
        ahead = deque(pool.submit(_read, detector, path) for path in islice(paths, 2 * batch_size))
        while ahead:
            batch = [ahead.popleft().result() for _ in range(min(batch_size, len(ahead)))]
            ahead.extend(pool.submit(_read, detector, path) for path in islice(paths, len(batch)))
            yield from _judge(detector, batch)


@dataclass(frozen=True)
class _Read:
    """A file as a thread leaves it for the network: read, or with the reason why not."""

    path: Path
    state: FileState | None
    error: str = ""
    shape: tuple[int, int] | None = None
    thumbnail: np.ndarray | None = None
    prepared: np.ndarray | None = None


def _read(detector, path):
    state = FileState.of(path)
    try:
        if state is None:  # A pipe would wait for ever.
            raise DataError(f"Expected a file. Received: {path}")
        image = read_gray(path)
        return _Read(
            path,
            state,
            shape=image.shape,
            thumbnail=_thumbnail(image),
            prepared=detector.prepare(image),
        )
    except DataError as error:
        text = str(error)
    except Exception as error:  # Whatever a file does to a library, the others go on.
        text = f"Expected an image. Received: {type(error).__name__} {error}, {path}"
    return _Read(path, state, error=" ".join(text.split()))


def _thumbnail(image):
    scale = min(1.0, MAX_SIDE / max(image.shape))
    size = [max(1, round(side * scale)) for side in image.shape]
    if size != list(image.shape):
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return image if image.dtype == np.uint8 else np.rint(255 * to_float(image)).astype(np.uint8)


def _judge(detector, batch):
    prepared = [read.prepared for read in batch if read.prepared is not None]
    scores, maps = detector.analyze_prepared(np.stack(prepared)) if prepared else ((), ())
    results = iter(zip(scores, maps, strict=True))
    for read in batch:
        if read.prepared is None:
            yield Finding(read.path, read.state, UNREADABLE, error=read.error)
            continue
        score, anomaly_map = next(results)
        yield Finding(
            read.path,
            read.state,
            ANOMALOUS if detector.is_anomalous(score) else NORMAL,
            score=float(score),
            regions=tuple(
                find_regions(anomaly_map, detector.pixel_threshold, read.shape, detector.resize)
            ),
            shape=read.shape,
            thumbnail=read.thumbnail,
            anomaly_map=anomaly_map,
        )
