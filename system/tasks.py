"""Calls that can be made anywhere, and the engines that make them.

In sequence, one after the other in this process, is what happens where nothing is said. Side by
side they run in threads of this process (for calls that wait for another process), or wherever Ray
has room (`on_ray`). What a call gives does not depend on where it is made.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from awl_vae.system.errors import UserError
from awl_vae.system.progress_table import ProgressTable, Report, ReportingBar
from awl_vae.system.terminal import ProgressBar

ENGINES = "ray, or ray:ADDRESS of a cluster that is there"
"""What `--on` takes."""


TOKEN = ".on-ray"
"""A file beside the tasks' own, by which a worker elsewhere knows that it sees the same storage."""

REFRESHED_EVERY = 0.2
"""Seconds between two looks at tasks in threads."""


Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Task:
    """A call with files of its own.

    Cut off in whatever way and made again, it goes on from what it has written.

    Attributes:
        name: what it is called, other than the tasks beside it.
        function: of a module, so that another process finds it. Called with `arguments` and, by
            keyword, a progress `bar`.
        arguments: what can be pickled.
        units: how much work it is.
        num_threads: how many threads it computes with.
        paths: what it goes on from and what it writes, and no other task beside it.
        on_lost: what it gives where each of its workers died, by what is said of that; where there
            is none, all tasks end with it.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    units: int
    num_threads: int
    paths: tuple[Path, ...] = ()
    on_lost: Callable[[str], Any] | None = None


class Engine(Protocol):
    """Where tasks run.

    Attributes:
        is_parallel: whether tasks may run beside each other.
    """

    is_parallel: bool

    def run(self, tasks: Sequence[Task], bar: ProgressBar | None = None) -> list[Any]:
        """Runs tasks to their ends, with their progress on the terminal.

        Args:
            tasks: the tasks.
            bar: that of the task that this one is called in, if any.

        Returns:
            What each gave, in their order.

        Raises:
            BaseException: What the first that failed has raised; those beside it are stopped.
        """

    def map(
        self,
        function: Callable[[Iterable[Given]], Iterator[Made]],
        values: Iterable[Given],
        *,
        together: int,
        num_threads: int,
    ) -> Generator[Made, None, None]:
        """What a function gives for values, in their order; in this process where not overridden.

        Args:
            function: takes some values and gives as many results; called elsewhere, it is pickled.
            values: what it takes; only as many as are going on are in memory.
            together: how many values it takes at once elsewhere.
            num_threads: how many threads it computes with there.

        Yields:
            The results.

        Raises:
            UserError: What the function has raised, or its worker that ended again and again.
        """
        yield from function(values)


class InSequence(Engine):
    """One after the other, in this process."""

    is_parallel = False

    def run(self, tasks: Sequence[Task], bar: ProgressBar | None = None) -> list[Any]:
        """See `Engine.run`."""
        if bar is not None:
            return [task.function(*task.arguments, bar=bar) for task in tasks]
        results, left = [], sum(task.units for task in tasks)
        with closing(ProgressBar(left)) as bar:
            for task in tasks:
                left -= task.units
                bar.later = left
                results.append(task.function(*task.arguments, bar=bar))
                bar.expect(0)
        return results


class InThreads(Engine):
    """Some at a time, in threads of this process: for tasks that wait for other processes.

    Args:
        count: how many run at a time.
    """

    is_parallel = True

    def __init__(self, count: int):
        self._count = count

    def run(self, tasks: Sequence[Task], bar: ProgressBar | None = None) -> list[Any]:
        """See `Engine.run`; a task is stopped where it next reports to its bar."""
        reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        stopped = threading.Event()

        def send(report: Report) -> None:
            if stopped.is_set():
                raise KeyboardInterrupt
            reports.put(report)

        def call(task: Task) -> Any:
            return task.function(
                *task.arguments, bar=ReportingBar(task.name, task.units, send, interval=0.0)
            )

        units = {task.name: task.units for task in tasks}
        with ThreadPoolExecutor(self._count) as pool, ProgressTable(units) as table:
            going = {pool.submit(call, task): task.name for task in tasks}
            try:
                pending = set(going)
                while pending:
                    done, pending = wait(pending, REFRESHED_EVERY, FIRST_COMPLETED)
                    table.take(reports.get() for _ in range(reports.qsize()))
                    for each in done:
                        table.finish(going[each])
                        each.result()
            finally:
                stopped.set()
                for each in going:
                    each.cancel()
        return [each.result() for each in going]


def engine_of(on: str | None) -> Engine:
    """The engine that `--on` asks for; None is in sequence.

    Raises:
        UserError: If there is no such engine, or what it takes is not installed.
    """
    if on is None:
        return InSequence()
    kind, _, address = on.partition(":")
    if kind != "ray":
        raise UserError(f"Expected --on=ray, or --on=ray:ADDRESS. Received: --on={on}")
    from awl_vae.system.on_ray import OnRay

    return OnRay(address or None)
