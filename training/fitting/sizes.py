"""How large a synthetic defect has to be so that a detector finds it."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from awl_vae.data.synthetic_defects import KINDS

EDGES = (0.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, math.inf)
"""Of the sizes that are told apart: square roots of areas, in pixels of the files."""

LEAST = 3
"""Defects of a size, of which it says something whether half of them are found."""


@dataclass(frozen=True)
class Found:
    """How many defects of a kind and a size are found.

    Attributes:
        found: how many are found.
        count: how many there are.
    """

    found: int
    count: int

    def __str__(self) -> str:
        return f"{self.found} of {self.count}" if self.count else ""


@dataclass(frozen=True)
class FoundBySize:
    """Synthetic defects by kind and size.

    Attributes:
        rows: by kind, and of all of them, those of each size between two of `EDGES`.
    """

    rows: dict[str, tuple[Found, ...]]

    @classmethod
    def of(cls, kinds: np.ndarray, sizes: np.ndarray, is_found: np.ndarray) -> "FoundBySize":
        """Counts defects.

        Args:
            kinds: (M,), of each its kind.
            sizes: (M,), in pixels of the files.
            is_found: (M,) bool.
        """
        of_size = np.searchsorted(EDGES, sizes, side="right") - 1
        rows = {}
        for name in (*KINDS, "all"):
            is_kind = np.full(len(kinds), True) if name == "all" else kinds == name
            some = [is_kind & (of_size == place) for place in range(len(EDGES) - 1)]
            rows[name] = tuple(Found(int(is_found[one].sum()), int(one.sum())) for one in some)
        return cls(rows)

    @property
    def share(self) -> float:
        """Of all defects, the share that is found."""
        total = self.rows["all"]
        return sum(one.found for one in total) / max(sum(one.count for one in total), 1)

    def smallest(self, kind: str) -> str:
        """The smallest size from which on at least half are found, in words."""
        edges = list(itertools.pairwise(EDGES))
        smallest = ""
        for (low, high), one in zip(reversed(edges), reversed(self.rows[kind]), strict=True):
            if one.count < LEAST:
                continue
            if 2 * one.found < one.count:
                break
            smallest = size_in_words(low, high)
        return smallest or "none"


def size_in_words(low: float, high: float) -> str:
    """Such as "16 to 32"."""
    if not low:
        return f"below {high:g}"
    return f"{low:g} and more" if math.isinf(high) else f"{low:g} to {high:g}"
