"""Inspecting many pictures: from files to findings, in batches, with memory that stays flat."""

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from data import DataError
from data.images import read_gray
from detection.detector import Detector
from detection.regions import Region, find_regions

NORMAL, ANOMALOUS, UNREADABLE = "normal", "anomalous", "unreadable"
COLUMNS = ("path", "score", "verdict", "regions", "error")


@dataclass(frozen=True)
class Finding:
    """What a detector finds in one picture.

    Attributes:
        path: the file.
        verdict: "normal", "anomalous" or "unreadable".
        score: the anomaly score, or None.
        regions: the largest anomalous regions.
        error: why the file cannot be read, or an empty text.
        image: the picture (h, w) in gray, or None.
        anomaly_map: (H, W) float32 of the detector's size, or None.
    """

    path: Path
    verdict: str
    score: float | None = None
    regions: tuple[Region, ...] = ()
    error: str = ""
    image: np.ndarray | None = None
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


def _read(detector, path):
    """(path, picture, prepared picture, error)."""
    try:
        if not path.is_file():  # A pipe would wait for ever.
            raise DataError(f"Expected a file. Received: {path}")
        image = read_gray(path)
        return path, image, detector.prepare(image), ""
    except DataError as error:
        return path, None, None, " ".join(str(error).split())


def _judge(detector, batch):
    prepared = [x for _, _, x, _ in batch if x is not None]
    scores, maps = detector.analyze_prepared(np.stack(prepared)) if prepared else ((), ())
    results = iter(zip(scores, maps, strict=True))
    for path, image, x, error in batch:
        if x is None:
            yield Finding(path, UNREADABLE, error=error)
            continue
        score, anomaly_map = next(results)
        yield Finding(
            path,
            ANOMALOUS if detector.is_anomalous(score) else NORMAL,
            score=float(score),
            regions=tuple(
                find_regions(anomaly_map, detector.pixel_threshold, image.shape, detector.resize)
            ),
            image=image,
            anomaly_map=anomaly_map,
        )
