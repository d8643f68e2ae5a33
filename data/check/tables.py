"""What is there in a folder, as tables."""

from collections import Counter
from collections.abc import Iterable, Sequence

from awl_vae.data.check.defects import MeasuredMask
from awl_vae.data.check.page import Table
from awl_vae.data.check.survey import Survey
from awl_vae.data.layout import Layout


def counts_table(survey: Survey) -> Table:
    """How many images there are in each folder, and of which kinds."""

    def row(kind: str, names: Sequence[str]) -> list[str]:
        chosen = set(names)
        images = [image for image in survey.images if image.name in chosen]
        return [
            kind,
            str(len(names)),
            str(sum(name in survey.unreadable for name in names)),
            _counted(f"{image.size[0]}x{image.size[1]}" for image in images),
            _counted(f"{image.bits} bit {image.colors}" for image in images),
            _counted(image.format for image in images),
        ]

    return Table(
        "What is there",
        ("folder", "images", "unreadable", "height x width", "pixels", "format"),
        [row(kind, names) for kind, names in _folders(survey.layout).items()],
    )


def _folders(layout: Layout) -> dict[str, list[str]]:
    """By the name of a folder, those of its images."""
    folders: dict[str, list[str]] = {}
    for path in (*layout.normal, *(path for path, _ in layout.labelled)):
        folders.setdefault(layout.name(path.parent), []).append(layout.name(path))
    return folders


def _counted(values: Iterable[str], *, most: int = 3) -> str:
    """Which values there are; where there are several, how often."""
    counts = Counter(values).most_common()
    if len(counts) == 1:
        return counts[0][0]
    parts = [f"{value} ({count})" for value, count in counts[:most]]
    if len(counts) > most:
        parts.append(f"{len(counts) - most} others ({sum(count for _, count in counts[most:])})")
    return ", ".join(parts)


def defects_table(survey: Survey) -> Table:
    """How small the smallest defect of each kind is; without rows where none is marked."""
    kinds: dict[str, list[MeasuredMask]] = {}
    for mask in survey.masks:
        if mask.area:
            kinds.setdefault(mask.defect, []).append(mask)
    smallest = {
        kind: min(found, key=lambda mask: (mask.resized, mask.area, mask.name))
        for kind, found in sorted(kinds.items())
    }
    return Table(
        "The smallest defects, in pixels",
        ("defect", "masks", "smallest in the image", "smallest at the size of training"),
        [
            (
                kind,
                str(len(found)),
                f"{min(mask.area for mask in found):.0f}",
                f"{min(mask.resized for mask in found):.2f}",
            )
            for kind, found in sorted(kinds.items())
        ],
        "A defect is all that is marked in an image. At the size of training it is the area that "
        "it covers there.",
        [mask.name for mask in smallest.values()],
    )
