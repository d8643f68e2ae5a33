"""The report of an inspection: one HTML page that needs no other file and no network."""

import base64
import contextlib
import heapq
import html
import itertools
import json
import os
import string
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from awl_vae.data.reading import read_image
from awl_vae.data.remote import File
from awl_vae.detection.calibration import describe
from awl_vae.detection.contact_sheet import MOST, SHEET, write_contact_sheet
from awl_vae.detection.detector import Detector
from awl_vae.detection.finding import ANOMALOUS, JOURNAL, NORMAL, UNREADABLE, Counts
from awl_vae.figures.curves import histogram_svg
from awl_vae.system import atomic_path

MAX_BYTES = 20_000_000
"""Overlays of the highest scores are shown up to this size; the other findings are lines."""

MAX_LINES = 2_000
"""Findings are listed up to this number, those with the highest scores, and unreadable files."""

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(
    path: Path,
    rows: Iterable[Mapping[str, str]],
    detector: Detector,
    overlay_path: Callable[[str], Path],
    *,
    root: File | None,
    roi_mask: Path | None = None,
    remarks: Sequence[str] = (),
) -> Counts:
    """Writes the page, image by image, and a contact sheet; returns the numbers of the images.

    Args:
        path: the HTML file; the sheet goes beside it.
        rows: the lines of the inspection.
        detector: the detector that made them.
        overlay_path: where the overlay (JPEG) of the finding of a path is, if there is one.
        root: the directory of the inspected images, which their names leave out.
        roi_mask: where the regions of interest come from, where not from the detector.
        remarks: what is said of all images.
    """
    counts = Counts()
    scores = {NORMAL: array("d"), ANOMALOUS: array("d")}
    unreadable: list[Mapping[str, str]] = []

    def scored() -> Iterator[Mapping[str, str]]:
        for row in rows:
            verdict = row["verdict"]
            counts.add(verdict, row["unlike_calibration"])
            if verdict != UNREADABLE:
                scores[verdict].append(_score(row))
                yield row
            elif len(unreadable) < MAX_LINES:
                unreadable.append(row)

    listed = heapq.nlargest(MAX_LINES, scored(), key=_score)
    shown = _count_shown(overlay_path(row["path"]) for row in listed)
    listed += unreadable
    total = counts.verdicts.total()
    notes = []
    if shown < total - counts.verdicts[UNREADABLE]:
        notes.append(f"The {shown} highest scores are shown with their images.")
    if len(listed) < total:
        notes.append(f"Of {total} images {len(listed)} are listed, all are in {JOURNAL}.")
    before, after = TEMPLATE.read_text(encoding="utf-8").split("$entries")
    head = string.Template(before).substitute(
        total=total,
        normal=counts.verdicts[NORMAL],
        anomalous=counts.verdicts[ANOMALOUS],
        unreadable=counts.verdicts[UNREADABLE],
        unlike=counts.unlike,
        threshold=html.escape(describe(detector.threshold)),
        root="" if root is None else f"Images in {_text(str(root))}. ",
        score=html.escape(detector.scorer.score),
        roi=_about_roi(detector, roi_mask),
        histogram=_histogram(scores, detector),
        remarks="\n".join(f"<p>{_text(remark)}</p>" for remark in remarks),
        note=" ".join(notes),
    )
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(head)
        for index, row in enumerate(listed):
            overlay = overlay_path(row["path"]) if index < shown else None
            name = _name(row["path"], root)
            file.write(_entry(row, name, overlay, detector.pixel_threshold) + "\n")
        file.write(after)
    _write_sheet(path.with_name(SHEET), listed[: min(shown, MOST)], overlay_path, root)
    return counts


def _write_sheet(
    path: Path,
    rows: Iterable[Mapping[str, str]],
    overlay_path: Callable[[str], Path],
    root: File | None,
) -> None:
    """The contact sheet of the highest scores; none where there is no overlay."""
    overlays = []
    for row in rows:
        with contextlib.suppress(OSError, ValueError):  # not there, or somebody's own
            overlay = read_image(overlay_path(row["path"]))
            said = f"{_score(row):.6g}, {row['verdict']}"
            overlays.append((overlay, said, _path(row["path"], root)))
    if overlays:
        write_contact_sheet(path, overlays)
    else:
        path.unlink(missing_ok=True)


def _score(row: Mapping[str, str]) -> float:
    return float(row["score"])


def _about_roi(detector: Detector, roi_mask: Path | None) -> str:
    """What is said of a region of interest, or an empty text."""
    if detector.roi is None:
        return ""
    where = f"{detector.roi.mean():.1%} of an image"
    if roi_mask is not None:
        where = f"by the masks in {_text(str(roi_mask))}"
    return (
        f" Only the region of interest counts, {where}: its border is drawn, nothing outside has a "
        "part in score, heat map and boxes."
    )


def _count_shown(overlays: Iterator[Path]) -> int:
    """How many of the first overlays are shown."""
    sizes = (overlay.stat().st_size if overlay.exists() else 0 for overlay in overlays)
    totals = itertools.accumulate(sizes)
    return sum(1 for _ in itertools.takewhile(lambda total: total <= MAX_BYTES, totals))


def _name(path: str, root: File | None) -> str:
    return _text(_path(path, root))


def _path(path: str, root: File | None) -> str:
    return path if root is None else os.path.relpath(path, str(root))


def _entry(row: Mapping[str, str], name: str, overlay: Path | None, pixel_threshold: float) -> str:
    verdict = row["verdict"]
    parts = [f'<h2><span class="verdict">{verdict}</span> {name}</h2>']
    if row["error"]:
        parts.append(f"<p>{_text(row['error'])}</p>")
    else:
        parts.append(f"<p>score {float(row['score']):.6g}</p>")
    if unlike := row["unlike_calibration"]:
        parts.append(f"<p>unlike calibration: {_text(unlike)}</p>")
    if overlay is not None and overlay.exists():
        data = base64.b64encode(overlay.read_bytes()).decode()
        parts.append(
            f'<img loading="lazy" src="data:image/jpeg;base64,{data}" '
            f'alt="{name}: the image, and beside it its heat map with boxes">'
        )
    regions = json.loads(row["regions"]) if row["regions"] else []
    if regions:
        lines = "".join(
            f"<tr>{''.join(f'<td>{value:g}</td>' for value in region)}</tr>" for region in regions
        )
        parts.append(
            f"<details><summary>regions: {len(regions)}</summary><table><tr><th>x<th>y<th>width"
            f"<th>height<th>area<th>peak</tr>{lines}</table></details>"
        )
    elif verdict == ANOMALOUS:
        parts.append(
            f"<p>no region stands out above {pixel_threshold:.6g}, the threshold of a pixel</p>"
        )
    kinds = f"{verdict} unlike" if unlike else verdict
    return f'<li class="{kinds}">{"".join(parts)}</li>'


def _text(text: str) -> str:
    """A text for the page; of a name that is no UTF-8, a mark for each byte that is none."""
    return html.escape(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _histogram(scores: Mapping[str, Sequence[float]], detector: Detector) -> str:
    """The histogram of the scores that are finite, or an empty text where there are none."""
    finite = [values[np.isfinite(values)] for values in map(np.asarray, scores.values())]
    if not any(map(len, finite)):
        return ""
    return histogram_svg(*finite, threshold=detector.threshold.value, score=detector.scorer.score)
