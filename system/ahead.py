"""Work that threads do ahead of who takes it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def map_ahead(
    function: Callable[[Given], Made], values: Iterable[Given], *, num_threads: int, ahead: int
) -> Iterator[Made]:
    """`map` by threads, in order, with a bounded number of results that nobody has taken yet.

    Args:
        function: is called in a thread, once for each value.
        values: what it is called with.
        num_threads: how many calls run at a time.
        ahead: how many values are taken before the first result is.

    Yields:
        The results, in the order of the values.
    """
    values = iter(values)
    pool = ThreadPoolExecutor(num_threads)
    try:
        pending = deque(pool.submit(function, value) for value in islice(values, ahead))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, value) for value in islice(values, 1))
            yield result
    finally:
        # Who goes early, by Ctrl-C or an error, does not wait for what nobody takes; and a thread
        # of the pool may be the one that collects the garbage which this is then.
        pool.shutdown(wait=False, cancel_futures=True)
