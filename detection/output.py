"""What an inspection leaves: its lines, a picture of each finding, and a report."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import cv2

from detection.detector import Detector, DetectorError
from detection.inspection import Finding
from detection.journal import Journal, read_journal
from detection.overlay import draw
from detection.report import write_report
from storage import atomic_path, write_json

JPEG_QUALITY = 90


class Output:
    """Takes findings as they come, and counts them.

    Args:
        detector: the detector that makes them.
        directory: where they are kept, or None to keep nothing. One that holds findings of the
            same detector is gone on with.
        root: the directory of the pictures, which the names of the findings' pictures leave out.

    Raises:
        DetectorError: If the directory holds findings of another detector or threshold.
    """

    def __init__(self, detector: Detector, directory: Path | None, *, root: Path | None):
        self.detector = detector
        self.directory = directory
        self.root = root
        self.counts = Counter()
        self.known = set()
        self.journal = None
        if directory is None:
            return
        directory.mkdir(parents=True, exist_ok=True)
        settings = {"threshold": asdict(detector.threshold), "score": detector.scorer.score}
        settings["pixel_threshold"] = detector.pixel_threshold
        settings_path = directory / "inspection.json"
        if settings_path.exists():
            if json.loads(settings_path.read_text(encoding="utf-8")) != settings:
                raise DetectorError(
                    "Expected an output_dir of the same detector and threshold, or a new one. "
                    f"Received: output_dir={directory}"
                )
        elif any(directory.iterdir()):
            raise DetectorError(
                f"Expected an empty output_dir or one of an inspection. Received: {directory}"
            )
        write_json(settings_path, settings)
        self.journal = Journal(directory / "inspection.csv")
        self.known = self.journal.known

    @property
    def num_known(self) -> int:
        """How many pictures have a line."""
        return len(self.known)

    def is_known(self, path: Path) -> bool:
        """Whether a picture has a line."""
        return str(path) in self.known

    def add(self, finding: Finding) -> str:
        """Keeps a finding; returns its line of CSV."""
        line = finding.to_csv()
        self.counts[finding.verdict] += 1
        if self.journal is not None:
            if finding.image is not None:
                options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
                _, data = cv2.imencode(".jpg", draw(self.detector, finding), options)
                with atomic_path(self._picture(finding.path)) as temporary:
                    temporary.write_bytes(data)
            self.journal.append(line)
        return line

    def finish(self) -> Counter:
        """Writes the report; returns the number of findings by verdict."""
        if self.journal is None:
            return self.counts
        self.journal.close()
        rows = read_journal(self.journal.path)
        pictures = {row["path"]: self._picture(Path(row["path"])) for row in rows}
        write_report(self.directory / "report.html", rows, self.detector, pictures)
        return Counter(row["verdict"] for row in rows)

    def _picture(self, path):
        return self.directory / "overlays" / picture_name(path, self.root)


def picture_name(path: Path, root: Path | None) -> Path:
    """Where the picture of a finding goes, below `overlays`: the path below `root`, plus .jpg."""
    if root is not None and path.is_relative_to(root) and path != root:
        path = path.relative_to(root)
    parts = [part for part in path.parts if part not in (path.anchor, "..")]
    return Path(*parts[:-1], parts[-1] + ".jpg")
