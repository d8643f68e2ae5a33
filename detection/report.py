"""The report of an inspection: one HTML page that needs no other file and no network."""

import base64
import html
import io
import json
import os
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from awl_vae.detection.calibration import describe
from awl_vae.detection.detector import Detector
from awl_vae.detection.inspection import ANOMALOUS, NORMAL, UNREADABLE
from awl_vae.system import write_text

MAX_BYTES = 20_000_000
"""Pictures of the highest scores are shown up to this size; the other findings are lines."""

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(
    path: Path,
    rows: Sequence[Mapping],
    detector: Detector,
    pictures: Mapping[str, Path],
    *,
    root: Path | None,
) -> None:
    """Writes the page.

    Args:
        path: the HTML file.
        rows: the lines of the inspection.
        detector: the detector that made them.
        pictures: by the path of a finding, its picture (JPEG), where there is one.
        root: the directory of the inspected pictures, which their names leave out.
    """
    counts = Counter(row["verdict"] for row in rows)
    scored = sorted((row for row in rows if row["score"]), key=lambda row: -float(row["score"]))
    unreadable = [row for row in rows if row["verdict"] == UNREADABLE]
    shown = _count_shown([pictures[row["path"]] for row in scored])
    entries = [
        _entry(row, _name(row["path"], root), pictures[row["path"]] if index < shown else None)
        for index, row in enumerate([*scored, *unreadable])
    ]
    note = ""
    if shown < len(scored):
        note = f"The {shown} highest scores are shown with their pictures."
    page = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        total=len(rows),
        normal=counts[NORMAL],
        anomalous=counts[ANOMALOUS],
        unreadable=counts[UNREADABLE],
        threshold=html.escape(describe(detector.threshold)),
        root="" if root is None else f"Pictures in {_text(str(root))}. ",
        score=html.escape(detector.scorer.score),
        histogram=_histogram(scored, detector) if scored else "",
        note=note,
        entries="\n".join(entries),
    )
    write_text(path, page)


def _count_shown(pictures):
    """How many of the first pictures are shown."""
    sizes = [picture.stat().st_size if picture.exists() else 0 for picture in pictures]
    return int(np.searchsorted(np.cumsum(sizes), MAX_BYTES, side="right"))


def _name(path, root):
    return _text(path if root is None else os.path.relpath(path, root))


def _entry(row, name, picture):
    verdict = row["verdict"]
    parts = [f'<h2><span class="verdict">{verdict}</span> {name}</h2>']
    if row["error"]:
        parts.append(f"<p>{_text(row['error'])}</p>")
    else:
        parts.append(f"<p>score {float(row['score']):.6g}</p>")
    if picture is not None and picture.exists():
        data = base64.b64encode(picture.read_bytes()).decode()
        parts.append(
            f'<img loading="lazy" src="data:image/jpeg;base64,{data}" '
            f'alt="{name}: the picture, and beside it its heat map with boxes">'
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
    return f'<li class="{verdict}">{"".join(parts)}</li>'


def _text(text):
    """A text for the page; of a name that is no UTF-8, a mark for each byte that is none."""
    return html.escape(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _edges(scores, threshold, *, num_bins=40):
    """Edges of equal bins, one of which is the threshold."""
    width = np.ptp(scores) / num_bins or 1.0
    first = np.floor((scores.min() - threshold) / width)
    last = np.ceil((scores.max() - threshold) / width)
    return threshold + width * np.arange(min(first, 0.0), max(last, 0.0) + 2.0)


def _histogram(scored, detector):
    """The scores with the threshold, as inline SVG."""
    scores = np.array([float(row["score"]) for row in scored])
    is_anomalous = np.array([row["verdict"] == ANOMALOUS for row in scored])
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    threshold = detector.threshold.value
    for group, color, name in (
        (~is_anomalous, "tab:blue", NORMAL),
        (is_anomalous, "tab:red", ANOMALOUS),
    ):
        axes.hist(
            scores[group], _edges(scores, threshold), color=color, label=f"{name} ({group.sum()})"
        )
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.6g}")
    axes.set(xlabel=f"{detector.scorer.score} score", ylabel="pictures")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "awl-vae", "svg.fonttype": "none"}):
        figure.savefig(
            buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]
