"""The cases of the torture tests: by kind and number, drawn from one seed."""

import zlib

import numpy as np
import pytest

SEED = 20230731
"""Another one makes other cases."""

SHARE = 10
"""One of so many cases is in the default suite; the others are `exhaustive`."""


def state(case):
    """The random state that a case is drawn from."""
    return np.random.RandomState(zlib.crc32(f"{SEED} {case}".encode()))


def cases(numbers):
    """Parameters "<kind>-<number>" by kinds and how many there are; most are `exhaustive`."""
    names = [f"{kind}-{number:02d}" for kind, count in numbers.items() for number in range(count)]
    chosen = {*np.random.RandomState(SEED).permutation(names)[: -(-len(names) // SHARE)]}
    return [
        pytest.param(name, id=name, marks=() if name in chosen else pytest.mark.exhaustive)
        for name in names
    ]


def kind_of(case):
    return case.rpartition("-")[0]


def assert_one_line(text, *parts):
    """That an error says in a line what was expected, what was received, and where."""
    assert len(text.splitlines()) == 1, text
    assert text.startswith("Expected "), text
    assert "Received: " in text, text
    for part in parts:
        assert str(part) in text, (part, text)


def assert_nothing_half_written(directory):
    left = [path for path in directory.rglob(".*") if ".tmp" in path.name or "awl_vae" in path.name]
    assert not left
