"""What a terminal shows: a progress bar, and nothing that C libraries write by themselves."""

import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import TextIO


def take_any_text() -> None:
    """Makes the process take and print every text, whatever the locale.

    Where the locale knows nothing but ASCII, Python is started again in its UTF-8 mode, so that
    names of files are text. What another locale lacks is escaped where it is printed.
    """
    if sys.getfilesystemencoding() == "ascii":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def silent_stderr() -> Iterator[TextIO]:
    """Discards what C libraries write to standard error; yields a stream that still gets there."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        encoding, errors = sys.stderr.encoding, "backslashreplace"
        with open(kept, "w", 1, encoding=encoding, errors=errors, closefd=False) as stderr:
            yield stderr
    finally:
        os.dup2(kept, 2)
        os.close(kept)


PIPE_CLOSED = 128 + signal.SIGPIPE
"""The exit status where what is printed is read no more: a shell's, of a command that this ends."""


@contextlib.contextmanager
def quiet_at_a_closed_pipe() -> Iterator[None]:
    """Ends the process without a word where nobody reads on, as in `awl-vae info | head -1`."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        sys.exit(PIPE_CLOSED)


def discard_stdout() -> None:
    """Sends what is still printed nowhere; see the note on SIGPIPE in Python's `signal`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ProgressBar:
    """A line with a bar, the time left, and what is going on.

    On a terminal the line is drawn anew; in a file or a pipe a line is added now and then.

    Args:
        total: number of units of work.
        stream: where to write.

    Attributes:
        later: units of work that come after the present part.
    """

    WIDTH = 24

    def __init__(self, total: int, stream: TextIO | None = None):
        self.total = total
        self.stream = stream or sys.stderr
        is_terminal = self.stream.isatty()
        self.interval = 0.2 if is_terminal else 15.0
        self._clear, self._end = ("\r\x1b[K", "") if is_terminal else ("", "\n")
        self.done = self.later = 0
        self._last = time.monotonic()
        self._start: tuple[float, int] | None = None

    def advance(self, units: int, text: str) -> None:
        """Counts `units` as done; `text` says what is going on."""
        was_done, self.done = self.done, min(self.done + units, self.total)
        now = time.monotonic()
        if self._start is None:  # The first unit takes what is traced and opened besides.
            self._start = now, self.done
        ends = was_done < self.done == self.total
        if now - self._last >= self.interval or ends:
            self.show(text)

    def show(self, text: str) -> None:
        """Draws the line with what is going on now, whether or not anything was done."""
        now = self._last = time.monotonic()
        line = text
        if self.total:
            share = self.done / self.total
            filled = int(self.WIDTH * share)
            bar = "━" * filled + "╌" * (self.WIDTH - filled)
            line = f"{bar} {100 * share:3.0f} %  {self._left(now)}{text}"
        self.stream.write(f"{self._clear}{line}{self._end}")
        self.stream.flush()

    def _left(self, now: float) -> str:
        """The time left, by how long the units after the first took, or an empty text."""
        start, first = self._start or (now, self.done)
        if self.done == first < self.total:
            return ""
        seconds = (now - start) / max(self.done - first, 1) * (self.total - self.done)
        return f"{_clock(seconds)} left  "

    def say(self, text: str) -> None:
        """Writes a line of its own, above the bar."""
        self.stream.write(f"{self._clear}{text}\n")
        self.stream.flush()

    def expect(self, units: int) -> None:
        """Says how many units the present part still takes; what comes after it stays `later`."""
        self.total = self.done + units + self.later

    def close(self) -> None:
        """Ends the line."""
        self.stream.write(self._clear)
        self.stream.flush()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
