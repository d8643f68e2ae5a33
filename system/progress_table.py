"""The progress of tasks that run beside each other, in one table."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity

REPORTED_EVERY = 0.5
"""Seconds between two reports of a task."""


@dataclass(frozen=True)
class Report:
    """How far a task is.

    Attributes:
        name: the name of the task.
        done: how much of its work is done.
        total: how much there is.
        text: what it is doing.
        said: a line to print, if any.
        is_part: whether its work is counted by another task.
    """

    name: str
    done: int
    total: int
    text: str
    said: str = ""
    is_part: bool = False


class ReportingBar(ProgressBar):
    """A bar that is drawn elsewhere.

    Args:
        name: the task.
        total: units of work.
        send: takes a report; what it raises stops the task.
        interval: seconds between two reports.
        is_part: whether the work is counted by another task.

    Attributes:
        name: the task.
        send: see above.
    """

    def __init__(
        self,
        name: str,
        total: int,
        send: Callable[[Report], None],
        *,
        interval: float = REPORTED_EVERY,
        is_part: bool = False,
    ):
        super().__init__(total)
        self.name, self.send, self.interval = name, send, interval
        self._is_part = is_part

    def show(self, text: str) -> None:
        """Reports, whether or not anything was done."""
        self._last = time.monotonic()
        self.send(self._report(text))

    def say(self, text: str) -> None:
        """Reports a line."""
        self.send(self._report("", text))

    def close(self) -> None:
        """Nothing is drawn here."""

    def _report(self, text: str, said: str = "") -> Report:
        return Report(self.name, self.done, self.total, text, said, self._is_part)


class ProgressTable:
    """A row for each task that is going on, and one for all.

    On a terminal it is drawn anew; in a file or a pipe a line is added now and then.

    Args:
        units: by name of a task, how much work it is.
        stream: where to write.
    """

    def __init__(self, units: dict[str, int], stream: TextIO | None = None):
        self._units, self._shares = units, dict.fromkeys(units, 0.0)
        self._going: dict[str, TaskID] = {}
        self._num_finished = 0
        self._bar = ProgressBar(max(1, sum(units.values())), stream)
        self._rows: Progress | None = None
        if self._bar.stream.isatty():
            self._rows = Progress(
                TextColumn("{task.fields[name]}", markup=False),
                BarColumn(ProgressBar.WIDTH),
                TextColumn("{task.percentage:3.0f} %"),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.description}", markup=False),
                console=Console(file=self._bar.stream),
                transient=True,
            )
            self._all = self._rows.add_task("", name="all", total=self._bar.total)

    def __enter__(self) -> Self:
        if self._rows:
            self._rows.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._rows:
            self._rows.stop()
        self._bar.close()

    def take(self, reports: Iterable[Report]) -> None:
        """Shows what tasks have reported."""
        for report in reports:
            if report.said:
                self._say(report.said)
                continue
            self._draw(report)
            if not report.is_part:
                # A search knows only as it goes on how much of its work there is.
                share = report.done / max(1, report.total)
                self._shares[report.name] = max(share, self._shares[report.name])
            self._draw_all(f"{report.name}: {report.text}")

    def finish(self, name: str) -> None:
        """Takes the row of a task that has ended away."""
        if name in self._shares:
            self._shares[name] = 1.0
            self._num_finished += 1
        row = self._going.pop(name, None)
        if self._rows and row is not None:
            self._rows.remove_task(row)
        self._draw_all(f"{name} is finished")
        if self._num_finished == len(self._units) and self._rows is None:
            self._bar.show(self._counts())

    def _say(self, text: str) -> None:
        if self._rows:
            self._rows.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._bar.say(text)

    def _draw(self, report: Report) -> None:
        if self._rows is None:
            self._going.setdefault(report.name, TaskID(len(self._going)))
            return
        if report.name not in self._going:
            self._going[report.name] = self._rows.add_task("", name=report.name)
        self._rows.update(
            self._going[report.name],
            completed=report.done,
            total=max(1, report.total),
            description=report.text,
        )

    def _draw_all(self, text: str) -> None:
        done = round(sum(self._units[name] * share for name, share in self._shares.items()))
        if self._rows:
            self._rows.update(self._all, completed=done, description=self._counts())
        else:
            self._bar.advance(done - self._bar.done, f"{self._counts()}; {text}")

    def _counts(self) -> str:
        num_going = sum(name in self._units for name in self._going)
        num_waiting = len(self._units) - self._num_finished - num_going
        counts = f"{self._num_finished} of {quantity(len(self._units), 'task')} finished"
        return f"{counts}, {num_waiting} to come" if num_waiting else counts
