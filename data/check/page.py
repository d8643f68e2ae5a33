"""What a check has found, as lines and as one HTML page that needs no other file and no network."""

import html
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from awl_vae.data.check.concern import Concern
from awl_vae.data.check.picture import encoded
from awl_vae.data.check.repeated import NEARLY_THE_SAME
from awl_vae.system import markdown, write_text
from awl_vae.system.errors import UserError
from awl_vae.system.files import check_regular
from awl_vae.system.words import in_one_line

NUM_SHOWN = 12
"""Images of a concern that are shown on the page."""

NUM_NAMED = 1000
"""Files of a concern that are named on it."""

MARK = b'<meta name="generator" content="awl-vae check">'
"""What tells a page of ours from others."""

TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        title: what it tells.
        columns: the columns' names.
        rows: a text for each column.
        note: how it is to be read.
        images: the names of files that are shown with it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    images: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Attributes:
        title: what was checked.
        tables: what is there.
        concerns: what is to be looked at.
    """

    title: str
    tables: Sequence[Table]
    concerns: Sequence[Concern]

    @property
    def verdict(self) -> str:
        """How many things are to be looked at."""
        count = len(self.concerns)
        return f"{count} {'thing' if count == 1 else 'things'} to look at" if count else "All well"

    def lines(self) -> Iterator[str]:
        """All of it, but for the names of the files after the first."""
        yield in_one_line(self.title)
        for table in self.tables:
            yield from ("", table.title, "")
            yield from markdown.table(
                table.columns, ([in_one_line(cell) for cell in row] for row in table.rows)
            )
            if table.note:
                yield from ("", table.note)
        yield from ("", f"{self.verdict}{':' if self.concerns else '.'}")
        yield from (f"- {in_one_line(str(concern))}" for concern in self.concerns)


def check_page(path: Path) -> None:
    """Checks that a page can be written to a file: that none is there, or an earlier page.

    Raises:
        UserError: If it is something else.
        OSError: If it cannot be read.
    """
    if path.parent.exists() and not path.parent.is_dir():
        raise UserError(
            f"Expected a directory as --output_dir. Received: {path.parent}, which is a file"
        )
    check_regular(path)
    if path.exists() and MARK not in path.read_bytes():
        raise UserError(
            "Expected another --output_dir, or one without such a file. "
            f"Received: {path}, which awl-vae check has not written"
        )


Picture = Callable[[str], np.ndarray | None]
"""By the name of an image, what is shown of it: (h, w, 3) BGR uint8, or nothing."""


def write_page(path: Path, report: Report, picture: Picture) -> None:
    """Writes the page.

    Args:
        path: the HTML file.
        report: what was found.
        picture: what is shown of an image; called for those that are.
    """
    page = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=_text(report.title),
        verdict=_text(report.verdict),
        concerns="\n".join(_concern(concern, picture) for concern in report.concerns),
        tables="\n".join(_table(table, picture) for table in report.tables),
        note=_text(NEARLY_THE_SAME),
    )
    write_text(path, page)


def _concern(concern: Concern, picture: Picture) -> str:
    parts = [f"<h2>{_text(concern.topic)}</h2><p>{_text(concern.text)}</p>"]
    parts.append(_figures(concern.images[:NUM_SHOWN], picture))
    if len(concern.images) > 1:
        named = "<br>".join(map(_text, concern.images[:NUM_NAMED]))
        if len(concern.images) > NUM_NAMED:
            named += f"<br>and {len(concern.images) - NUM_NAMED} more"
        parts.append(f"<details><summary>files: {len(concern.images)}</summary>{named}</details>")
    return f"<li>{''.join(parts)}</li>"


def _figures(names: Sequence[str], picture: Picture) -> str:
    pictures = ((name, picture(name)) for name in names)
    figures = [_figure(name, drawn) for name, drawn in pictures if drawn is not None]
    return f'<div class="images">{"".join(figures)}</div>' if figures else ""


def _figure(name: str, drawn: np.ndarray) -> str:
    height, width, _ = drawn.shape
    return (
        f'<figure style="width: {max(width, 120)}px"><img src="{encoded(drawn)}" width="{width}" '
        f'height="{height}" alt=""><figcaption>{_text(name)}</figcaption></figure>'
    )


def _table(table: Table, picture: Picture) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    note = f"<p>{_text(table.note)}</p>" if table.note else ""
    return (
        f"<h2>{_text(table.title)}</h2>"
        f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>{note}'
        f"{_figures(table.images[:NUM_SHOWN], picture)}"
    )


def _text(text: str) -> str:
    return html.escape(in_one_line(text))
