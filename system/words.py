"""Numbers with their nouns, for messages."""

from collections.abc import Sequence


def quantity(number: int, noun: str) -> str:
    """Such as "1 image" and "2 images"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def with_first(number: int, noun: str, first: str) -> str:
    """Such as "1 image (a.png)" and "2 images (first: a.png)", of at least one."""
    return f"1 {noun} ({first})" if number == 1 else f"{number} {noun}s (first: {first})"


def and_others(texts: Sequence[str], noun: str) -> str:
    """The first text, and the second, or how many others there are: "a (and 2 other images)"."""
    first, *others = texts
    if len(others) == 1:
        return f"{first}; and {others[0]}"
    return f"{first} (and {len(others)} other {noun}s)" if others else first


def in_one_line(name: str) -> str:
    """A name that stays in its line, with escapes where it holds something else than letters."""
    return name if name.isprintable() else ascii(name)[1:-1]
