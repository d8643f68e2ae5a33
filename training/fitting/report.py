"""The report of a fit: one HTML page that needs no other file and no network, and a sheet."""

import html
import itertools
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from awl_vae.data.check.picture import encoded
from awl_vae.data.reading import read_image
from awl_vae.detection import Detector, calibrate, describe
from awl_vae.detection.contact_sheet import SHEET, write_contact_sheet
from awl_vae.detection.finding import OverlaySource
from awl_vae.detection.judging import thumbnail
from awl_vae.detection.overlay import draw
from awl_vae.detection.regions import find_regions
from awl_vae.evaluation import FEATURE_SCORES, Interval
from awl_vae.figures.curves import histogram_svg
from awl_vae.system import write_text
from awl_vae.system.words import in_one_line, quantity, with_first
from awl_vae.training.fitting.held_out import HeldOut, num_parts
from awl_vae.training.fitting.labelled import Labelled
from awl_vae.training.fitting.sizes import EDGES, FoundBySize, size_in_words
from awl_vae.training.fitting.work import Work

TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Outcome:
    """What a fit has come to.

    Attributes:
        work: the images.
        detector: the detector.
        held_out: what was said of images that were held out.
        defects: synthetic defects on these, and which are found.
        labelled: what came of labelled images, if there are any.
        excluded: names of good images that were left out.
        recipe: what was fitted, in words.
        warnings: what is to be looked at, in a line each.
    """

    work: Work
    detector: Detector
    held_out: HeldOut
    defects: FoundBySize
    labelled: Labelled | None
    excluded: Sequence[str]
    recipe: str
    warnings: Sequence[str]

    @property
    def above(self) -> int:
        """How many of the good images score above the threshold."""
        return self.detector.threshold.false_alarms.count


def write_report(path: Path, outcome: Outcome) -> None:
    """Writes the page, and a contact sheet.

    Args:
        path: the HTML file; the sheet goes beside it.
        outcome: what it tells.
    """
    held_out, detector = outcome.held_out, outcome.detector
    count = len(held_out.scores)
    numbers = {"good images": str(count), "called anomalous": str(outcome.above)}
    if outcome.labelled and outcome.labelled.rated:
        ours = outcome.labelled.rated[0]
        numbers["AUROC"] = f"{ours.auroc.mean:.3f}"
    if outcome.labelled and outcome.labelled.found:
        numbers["found"] = _rate(outcome.labelled.found.rate)
    called = held_out.scores >= detector.threshold.value
    strangest = [*_overlays(outcome)]
    page = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        num_images=count,
        folder=_text(str(outcome.work.folder.root)),
        numbers="\n".join(
            f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items()
        ),
        threshold=_text(_threshold(outcome)),
        warnings="\n".join(f"<li>{_text(line)}</li>" for line in outcome.warnings),
        histogram=_histogram(outcome, held_out.scores[~called], held_out.scores[called]),
        done="\n".join(f"<li>{_text(line)}</li>" for line in _done(outcome)),
        strangest=_text(_strangest(outcome)),
        images="\n".join(_image(*each) for each in strangest),
        defects=_text(_defects(outcome)),
        defect_table=_defect_table(outcome.defects),
        labelled=_labelled(outcome),
    )
    write_text(path, page)
    write_contact_sheet(path.with_name(SHEET), strangest)


def _threshold(outcome: Outcome) -> str:
    """What to expect of the threshold."""
    threshold = outcome.detector.threshold
    alarms = threshold.false_alarms
    text = describe(threshold).replace("\n", " ")
    by_others = round(alarms.rate * alarms.num_normal)
    if by_others == outcome.above:
        return text
    return (
        f"{text} That counts the {by_others} images that a threshold from the scores of the others "
        f"calls anomalous; this one has the scores of all, and calls {outcome.above} of them "
        "anomalous."
    )


def held_out_in_words(count: int, different: int) -> str:
    """How good images were held out, so many of which differ: copies of one together."""
    parts = num_parts(different)
    if parts == different:
        copies = "" if different == count else f", {different} of which differ,"
        return (
            f"Each of the {count} good images{copies} was held out once, and judged by a model of "
            "the others. So few tell little of how often a good one is called anomalous: see the "
            "interval."
        )
    return (
        f"The {count} good images were held out in {parts} parts, each judged by a "
        "model of the others; the detector itself is fitted to all of them."
    )


def _done(outcome: Outcome) -> Iterator[str]:
    work = outcome.work
    yield work.folder.about_sizes
    mirrored = ", of images and of their mirror images" if work.precise else ""
    yield f"Features: {work.backbone}{mirrored}. Recipe: {outcome.recipe}."
    yield held_out_in_words(len(work.items), work.num_different)
    if left_out := outcome.work.data.duplicates:
        first = next(iter(left_out))
        yield (
            "Left out of test, as they are among the good images: "
            f"{with_first(len(left_out), 'image', first)}."
        )
    if outcome.excluded:
        yield f"Left out as asked: {quantity(len(outcome.excluded), 'image')}."


def _strangest(outcome: Outcome) -> str:
    """What the strangest images are, and what leaving them out would change."""
    held_out, threshold = outcome.held_out, outcome.detector.threshold
    shown = {*held_out.strangest.tolist()}
    rows = [row for i, row in enumerate(outcome.detector.calibration) if i not in shown]
    text = (
        "Those with the highest scores, by models that did not know them: often mislabelled, or "
        "taken in another way. Left the image, right its heat map, with one scale for all images "
        "of this detector: bright yellow is twice what good images hardly reach."
    )
    how = (
        "List the names of those that are not good in a file, one a line, and fit again with "
        "--exclude."
    )
    if len(rows) < 2:
        return f"{text} {how}"
    other = calibrate(rows, threshold.method, threshold.setting)
    share = float(np.mean(held_out.defect_scores >= other.value))
    return (
        f"{text} {outcome.above or 'None'} of the {quantity(len(held_out.scores), 'image')} "
        "score above the threshold. Without those that are shown here it would be "
        f"{other.value:.6g} instead of {threshold.value:.6g}, and {share:.0%} of the synthetic "
        f"defects below would be found instead of {outcome.defects.share:.0%}. {how}"
    )


def _overlays(outcome: Outcome) -> Iterator[tuple[np.ndarray, str, str]]:
    """Each of the strangest images beside its heat map, what is said of it, and its name."""
    held_out, detector = outcome.held_out, outcome.detector
    for index, anomaly_map in zip(held_out.strangest, held_out.maps, strict=True):
        item, score = outcome.work.items[index], held_out.scores[index]
        assert item.file is not None
        image = read_image(item.file)
        shape = image.shape[:2]
        heat = anomaly_map.astype(np.float32)
        regions = find_regions(heat, detector.pixel_threshold, shape, detector.resize)
        verdict = ", called anomalous" if score >= detector.threshold.value else ""
        yield (
            draw(detector, OverlaySource(shape, thumbnail(image), heat), regions),
            f"score {score:.6g}{verdict}",
            item.name,
        )


def _image(overlay: np.ndarray, said: str, name: str) -> str:
    line = f"{said}: {name}"
    return (
        f"<li><p>{_text(line)}</p>"
        f'<img loading="lazy" src="{encoded(overlay)}" '
        f'alt="{_text(line)}: the image, and beside it its heat map"></li>'
    )


def _defects(outcome: Outcome) -> str:
    return (
        f"Synthetic defects were drawn on copies of the good images and judged by models that did "
        f"not know these: {outcome.defects.share:.0%} are found. Sizes are square roots of areas, "
        "in pixels of the files. Real defects may be easier or harder to see."
    )


def _defect_table(defects: FoundBySize) -> str:
    sizes = [size_in_words(low, high) for low, high in itertools.pairwise(EDGES)]
    head = ["kind", *sizes, "half are found from"]
    rows = [[kind, *map(str, row), defects.smallest(kind)] for kind, row in defects.rows.items()]
    return _table(head, rows)


def _labelled(outcome: Outcome) -> str:
    """The part on labelled images, or an empty text."""
    found = outcome.labelled
    if found is None:
        return ""
    has_pixels = any(one.pixels for one in found.rated)
    head = ["method", "AUROC"] + (["AUROC of pixels", "AUPRO"] if has_pixels else [])
    rows = [
        [one.title, _interval(one.auroc), *map(_interval, one.pixels or ())] for one in found.rated
    ]
    normal, anomalous = (found.scores[found.labels == label] for label in (0, 1))
    text = "They have chosen nothing. At the threshold"
    for kind, called in (("anomalous", found.found), ("good", found.alarms)):
        if called is not None:
            text += (
                f" {called.count} of {called.num_normal} {kind} images are called anomalous "
                f"({_rate(called.rate)}, 95 % interval {_rate(called.low)} to "
                f"{_rate(called.high)})."
            )
    if found.found is not None and found.found.count < found.found.num_normal:
        text += " More are found, at more false alarms, with a higher --false_alarm_rate."
    if rows:
        text += " In brackets 95 % intervals over images."
    else:
        text += " Good and anomalous ones would give an AUROC, and tell how others do."
    table = f'<div class="wide">{_table(head, rows)}</div>' if rows else ""
    return (
        f"<h2>Labelled images in test</h2><p>{_text(text)}</p>"
        f"{table}{_histogram(outcome, normal, anomalous)}"
    )


def _histogram(outcome: Outcome, normal: np.ndarray, anomalous: np.ndarray) -> str:
    detector = outcome.detector
    label = FEATURE_SCORES[detector.scorer.score].label
    return histogram_svg(normal, anomalous, threshold=detector.threshold.value, score=label)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{lines}</table>"


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _rate(rate: float) -> str:
    return f"{rate:.1%}"


def _text(text: str) -> str:
    return html.escape(in_one_line(text))
