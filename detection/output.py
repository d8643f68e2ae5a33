"""What an inspection leaves: its lines, an overlay of each finding, and a report."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from awl_vae.data.remote import File, is_address
from awl_vae.detection.detector import Detector, DetectorError
from awl_vae.detection.finding import JOURNAL, NORMAL, Counts, FileState, Finding
from awl_vae.detection.journal import Journal, read_lines
from awl_vae.detection.report import write_report
from awl_vae.detection.shards import SHARDS, write_shards
from awl_vae.system import DirectoryLock, atomic_path, read_json, write_json

MAX_NAME = 200
"""Longest name of an overlay's file, in bytes, before its suffix; file systems end at 255."""


class Output:
    """Keeps findings as they come, in a directory that this process alone writes to.

    Args:
        detector: the detector that makes them.
        directory: where they are kept. One that holds findings of the same detector is gone on
            with.
        root: the directory of the images, which the names of the overlays leave out.
        roi_mask: where the regions of interest come from, where not from the detector.
        with_shards: whether the lines are kept as Parquet files, too, at the end; those that are
            there are written anew.

    Raises:
        DetectorError: If the directory is in use, or holds something else than findings of this
            detector and threshold.
    """

    def __init__(
        self,
        detector: Detector,
        directory: Path,
        *,
        root: File | None,
        roi_mask: Path | None = None,
        with_shards: bool = False,
    ):
        self.detector = detector
        self.directory = directory
        self.root = root
        self.roi_mask = roi_mask
        self.with_shards = with_shards or (directory / SHARDS).exists()
        try:
            self._lock = DirectoryLock(directory)
        except BlockingIOError:
            raise DetectorError(
                "Expected an --output_dir that no other process uses. "
                f"Received: --output_dir={directory}"
            ) from None
        try:
            self._claim()
            self._journal = Journal(directory / JOURNAL)
        except BaseException:
            self._lock.undo()
            raise

    @property
    def known(self) -> Mapping[str, FileState | None]:
        """By the path of an image that has a line, the state of the file that it is of."""
        return self._journal.known

    def add(self, finding: Finding, overlay: bytes) -> str:
        """Keeps a finding and its overlay, a JPEG; returns its line of CSV."""
        if overlay:
            with atomic_path(self._overlay_path(str(finding.path)), durable=False) as temporary:
                temporary.write_bytes(overlay)
        return self._journal.append(finding)

    def normal_scores(self, is_asked_for: Callable[[str], bool]) -> Iterator[float]:
        """The scores of the images that are asked for and were called normal, as they came.

        One that was inspected again is there again: where a camera writes to one file, each is
        another image.
        """
        for row in read_lines(self._journal.path):
            if row["verdict"] == NORMAL and is_asked_for(row["path"]):
                yield float(row["score"])

    def report(self, is_asked_for: Callable[[str], bool], remarks: Sequence[str] = ()) -> Counts:
        """Writes the report of the images that are asked for now; returns their numbers.

        Args:
            is_asked_for: tells it of a path. The lines of other images stay, and are not counted.
            remarks: what is to be said of all of them.
        """
        rows = (row for row in self._journal.rows() if is_asked_for(row["path"]))
        return write_report(
            self.directory / "report.html",
            rows,
            self.detector,
            self._overlay_path,
            root=self.root,
            roi_mask=self.roi_mask,
            remarks=remarks,
        )

    def finish(self, is_asked_for: Callable[[str], bool], remarks: Sequence[str] = ()) -> Counts:
        """Writes the last report, see there, and leaves the directory to others."""
        self._journal.close()
        counts = self.report(is_asked_for, remarks)
        if self.with_shards:
            write_shards(self.directory / SHARDS, self._journal.rows())
        self._lock.close()
        return counts

    def _claim(self) -> None:
        """Makes sure that the directory is this detector's."""
        grid = getattr(self.detector.scorer, "grid", None)
        settings = {
            "threshold": asdict(self.detector.threshold),
            "score": self.detector.scorer.score,
            "pixel_threshold": self.detector.pixel_threshold,
            "roi_mask": self.roi_mask and str(self.roi_mask),
            "tiles": None if grid is None else list(grid),
        }
        path = self.directory / "inspection.json"
        if not path.exists():
            if any(not child.name.startswith(".") for child in self.directory.iterdir()):
                raise DetectorError(
                    "Expected an empty --output_dir or one of an inspection. "
                    f"Received: --output_dir={self.directory}"
                )
            write_json(path, settings)
            return
        known = read_json(path)
        others = [name for name, value in settings.items() if known.get(name) != value]
        if others:
            raise DetectorError(
                "Expected an --output_dir of the same detector and threshold, or a new one. "
                f"Received: --output_dir={self.directory}, of another {' and '.join(others)}"
            )

    def _overlay_path(self, path: str) -> Path:
        return self.directory / "overlays" / overlay_name(path, self.root)


def overlay_name(path: str, root: File | None) -> Path:
    """Where the overlay of a finding goes, below `overlays`: the path below `root`, plus .jpg."""
    name, above = Path(path), Path(str(root or ""))
    if name.is_relative_to(above) and name != above:
        name = name.relative_to(above)
    parts = [part for part in name.parts if part != name.anchor]
    if ".." in parts or (is_address(path) and "//" in path.partition("://")[2]):
        parts = [hashlib.sha1(os.fsencode(path)).hexdigest()]  # In a store that are other names.
    *directories, last = (
        hashlib.sha1(os.fsencode(part)).hexdigest() if len(os.fsencode(part)) > MAX_NAME else part
        for part in parts
    )
    return Path(*directories, last + ".jpg")
