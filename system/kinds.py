"""What a value that was read from JSON has to be."""

from collections.abc import Mapping
from types import UnionType
from typing import Any

NUMBER = int | float
OPTIONAL_NUMBER = int | float | None

Kind = type | UnionType | list[Any] | Mapping[Any, Any]
"""A type; or a list of one kind, of whose values there may be any number; or by key, the kinds of
an object's values, `...` standing for every other key. What may be None may also be missing, and an
object may hold more."""

NAMES = {
    int: "a whole number",
    NUMBER: "a finite number",
    OPTIONAL_NUMBER: "a finite number or null",
    int | None: "a whole number or null",
    bool | None: "true, false or null",
    str: "a text",
    str | None: "a text or null",
    dict: "an object",
    dict | None: "an object or null",
    list: "a list",
}


def difference(value: object, kind: Kind, name: str = "") -> str:
    """Where a value is first of another kind, in words, or an empty text.

    Args:
        value: what JSON can hold.
        kind: the kind that it should be of.
        name: what it is called.
    """
    outer = list if isinstance(kind, list) else dict if isinstance(kind, Mapping) else kind
    is_other_bool = isinstance(value, bool) and outer not in (bool, bool | None)
    if is_other_bool or not isinstance(value, outer):
        return f"Expected {NAMES[outer]}{name and f' as {name}'}. Received: {value!r:.80}"
    found: Any = value
    parts: list[tuple[object, Kind, str]] = []
    if isinstance(kind, list):
        parts = [(each, kind[0], f"{name}[{i}]") for i, each in enumerate(found)]
    elif isinstance(kind, Mapping):
        prefix = name and f"{name}."
        keys = [*(key for key in kind if key is not ...), *(found if ... in kind else ())]
        parts = [
            (found.get(key), kind.get(key, kind.get(...)), f"{prefix}{key}")
            for key in dict.fromkeys(keys)
        ]
    return next(filter(None, (difference(*part) for part in parts)), "")
