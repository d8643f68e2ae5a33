"""Markdown, and numbers as its tables have them."""

from collections.abc import Iterable, Iterator, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, line by line."""
    yield _line(columns)
    yield "|---" * len(columns) + "|"
    yield from map(_line, rows)


NOTHING = "–"
"""Stands where there is no figure."""


def percent(mean: float | None, std: float | None = None) -> str:
    """A mean in %, with a standard deviation where there is one."""
    if mean is None:
        return NOTHING
    return f"{100 * mean:.2f}" + ("" if std is None else f" ± {100 * std:.2f}")


def _line(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in escaped)
