"""The report of an inspection: one HTML page that needs no other file and no network."""

import base64
import html
import json
import math
import os
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from awl_vae.detection.calibration import describe
from awl_vae.detection.detector import Detector
from awl_vae.detection.finding import ANOMALOUS, NORMAL, UNREADABLE, Counts
from awl_vae.figures.curves import histogram_svg
from awl_vae.system import write_text

MAX_BYTES = 20_000_000
"""Overlays of the highest scores are shown up to this size; the other findings are lines."""

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    detector: Detector,
    overlays: Mapping[str, Path],
    *,
    root: Path | None,
    roi_mask: Path | None = None,
    remarks: Sequence[str] = (),
) -> Counts:
    """Writes the page; returns the numbers of the images on it.

    Args:
        path: the HTML file.
        rows: the lines of the inspection.
        detector: the detector that made them.
        overlays: by the path of a finding, its overlay (JPEG), where there is one.
        root: the directory of the inspected images, which their names leave out.
        roi_mask: where the regions of interest come from, where not from the detector.
        remarks: what is said of all images.
    """
    counts = Counts()
    for row in rows:
        counts.add(row["verdict"], row["unlike_calibration"])
    scored = sorted((row for row in rows if row["score"]), key=lambda row: -float(row["score"]))
    unreadable = [row for row in rows if row["verdict"] == UNREADABLE]
    shown = _count_shown([overlays[row["path"]] for row in scored])
    entries = [
        _entry(
            row,
            _name(row["path"], root),
            overlays[row["path"]] if index < shown else None,
            detector.pixel_threshold,
        )
        for index, row in enumerate([*scored, *unreadable])
    ]
    note = ""
    if shown < len(scored):
        note = f"The {shown} highest scores are shown with their images."
    page = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        total=len(rows),
        normal=counts.verdicts[NORMAL],
        anomalous=counts.verdicts[ANOMALOUS],
        unreadable=counts.verdicts[UNREADABLE],
        unlike=counts.unlike,
        threshold=html.escape(describe(detector.threshold)),
        root="" if root is None else f"Images in {_text(str(root))}. ",
        score=html.escape(detector.scorer.score),
        roi=_about_roi(detector, roi_mask),
        histogram=_histogram(scored, detector),
        remarks="\n".join(f"<p>{_text(remark)}</p>" for remark in remarks),
        note=note,
        entries="\n".join(entries),
    )
    write_text(path, page)
    return counts


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


def _count_shown(overlays: Sequence[Path]) -> int:
    """How many of the first overlays are shown."""
    sizes = [overlay.stat().st_size if overlay.exists() else 0 for overlay in overlays]
    return int(np.searchsorted(np.cumsum(sizes), MAX_BYTES, side="right"))


def _name(path: str, root: Path | None) -> str:
    return _text(path if root is None else os.path.relpath(path, root))


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


def _histogram(scored: Sequence[Mapping[str, str]], detector: Detector) -> str:
    """The histogram of the scores that are finite, or an empty text where there are none."""
    finite = [row for row in scored if math.isfinite(float(row["score"]))]
    if not finite:
        return ""
    by_verdict = {
        verdict: np.array([float(row["score"]) for row in finite if row["verdict"] == verdict])
        for verdict in (NORMAL, ANOMALOUS)
    }
    return histogram_svg(
        *by_verdict.values(), threshold=detector.threshold.value, score=detector.scorer.score
    )
