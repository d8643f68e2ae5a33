"""What a detector finds in one file, and its line of CSV."""

import csv
import io
import json
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

import numpy as np

from awl_vae.data.remote import File
from awl_vae.detection.regions import Region

JOURNAL = "inspection.csv"
"""The file of an output directory that holds the findings."""

NORMAL, ANOMALOUS, UNREADABLE = "normal", "anomalous", "unreadable"
EARLIER_COLUMNS = ("path", "score", "verdict", "regions", "error", "size", "modified")
COLUMNS = (*EARLIER_COLUMNS, "unlike_calibration")
"""Of `JOURNAL`, in 0.1.0 and now."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What changes when a file does.

    Attributes:
        size: in bytes.
        modified: time of the last change, in nanoseconds.
    """

    size: int
    modified: int

    @classmethod
    def of(cls, path: File) -> "FileState | None":
        """The state of a file, or of the one that a link leads to; None where there is none."""
        try:
            info = path.stat()
        except (OSError, ValueError):  # A path with a NUL is none.
            return None
        return cls(info.st_size, info.st_mtime_ns) if stat.S_ISREG(info.st_mode) else None


@dataclass(frozen=True)
class OverlaySource:
    """What the overlay of a finding is drawn from.

    Attributes:
        shape: (h, w) of the image.
        thumbnail: the image (h', w', 3), BGR, uint8, its sides at most 512.
        anomaly_map: (H, W) float32 of the detector's size.
        roi: the region of interest, bool (H, W), or None.
    """

    shape: tuple[int, int]
    thumbnail: np.ndarray
    anomaly_map: np.ndarray
    roi: np.ndarray | None = None


@dataclass(frozen=True)
class Finding:
    """What a detector finds in one image.

    Attributes:
        path: the file, or None where the image came in memory.
        state: of the file when it was read, or None where there was none.
        verdict: "normal", "anomalous" or "unreadable".
        score: the anomaly score, or None.
        regions: the largest anomalous regions.
        error: why the file cannot be read, or an empty text.
        overlay_source: what its overlay is drawn from, or None where the file is unreadable.
        unlike_calibration: in what it is unlike the calibration images, or an empty text.
    """

    path: File | None
    state: FileState | None
    verdict: str
    score: float | None = None
    regions: tuple[Region, ...] = ()
    error: str = ""
    overlay_source: OverlaySource | None = field(default=None, repr=False)
    unlike_calibration: str = ""

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
                self.unlike_calibration,
            ]
        )


@dataclass
class Counts:
    """How many images there are.

    Attributes:
        verdicts: by verdict.
        unlike: of them, those that are unlike the calibration images.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    unlike: int = 0

    def add(self, verdict: str, unlike_calibration: str) -> None:
        """Counts an image."""
        self.verdicts[verdict] += 1
        self.unlike += bool(unlike_calibration)


def csv_line(values: Iterable[str]) -> str:
    """One line of CSV with its end."""
    buffer = io.StringIO()
    # What is in the end of a line is quoted in a field: a name may hold a carriage return.
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue().removesuffix("\r\n") + "\n"
