"""Numbers that whoever reads the CSV files of a run computes alike, to the bit."""

import functools
import operator
from collections.abc import Iterable, Sequence

import numpy as np


def as_written(value: float) -> float:
    """A float32 as the number that its shortest decimal form stands for."""
    return float(str(np.float32(value)))


def plain_sum(values: Iterable[float]) -> float:
    """One addition after the other, from left to right.

    NumPy groups the additions and Python from 3.12 on compensates them, so that ties would be
    others.
    """
    return functools.reduce(operator.add, values)


def plain_mean(values: Sequence[float]) -> float:
    """The plain sum over the number of values, at least one."""
    return plain_sum(values) / len(values)
