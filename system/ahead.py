"""Work that threads do ahead of who takes it."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def num_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def batches_ahead(
    function: Callable[[Given], Made],
    values: Iterable[Given],
    *,
    batch_size: int,
    num_threads: int,
) -> Iterator[list[Made]]:
    """The results of `map_ahead` in batches, with two more of them made while one is taken.

    Args:
        function: see `map_ahead`.
        values: see `map_ahead`.
        batch_size: results of a batch; the last may have fewer.
        num_threads: how many calls run at a time.
    """
    made = map_ahead(function, values, num_threads=num_threads, ahead=2 * batch_size)
    with contextlib.closing(made):
        yield from iter(lambda: list(islice(made, batch_size)), [])


def map_ahead(
    function: Callable[[Given], Made],
    values: Iterable[Given],
    *,
    num_threads: int,
    ahead: int,
    together: int = 1,
) -> Generator[Made, None, None]:
    """`map` by threads, in order, with a bounded number of results that nobody has taken yet.

    Args:
        function: is called in a thread, once for each value.
        values: what it is called with.
        num_threads: how many calls run at a time.
        ahead: how many values are taken before the first result is.
        together: how many values a thread takes at once; where a call takes less than a
            millisecond, handing them over one by one takes a part of it.

    Yields:
        The results, in the order of the values.
    """
    values = iter(values)
    batches = iter(lambda: list(islice(values, together)), [])
    pool = ThreadPoolExecutor(num_threads)

    def submit(number: int) -> Iterator[Future[list[Made]]]:
        for batch in islice(batches, number):
            yield pool.submit(lambda batch: [function(value) for value in batch], batch)

    try:
        pending = deque(submit(-(-ahead // together)))
        while pending:
            results = pending.popleft().result()
            pending.extend(submit(1))
            yield from results
    finally:
        # Who goes early, by Ctrl-C or an error, does not wait for what nobody takes; and a thread
        # of the pool may be the one that collects the garbage which this is then.
        pool.shutdown(wait=False, cancel_futures=True)
