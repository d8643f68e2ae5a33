"""Doing something now and then."""

import time
from collections.abc import Callable


class Paced:
    """Does something when it is asked to, but no more often than is good.

    Args:
        act: what is done.
        seconds: so long it is left alone at least, from the end of one time to the next.
        share: of the time that it may take.
    """

    def __init__(self, act: Callable[[], object], *, seconds: float, share: float):
        self._act = act
        self._seconds = seconds
        self._share = share
        self._due = float("-inf")
        self._is_wanted = False

    def ask(self) -> None:
        """Has it done now, or by a later `tend`."""
        self._is_wanted = True
        self.tend()

    def tend(self) -> None:
        """Does what was asked for, if it is time."""
        start = time.monotonic()
        if not self._is_wanted or start < self._due:
            return
        self._is_wanted = False
        self._act()
        end = time.monotonic()
        self._due = end + max(self._seconds, (end - start) / self._share)
