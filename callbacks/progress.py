"""One progress bar over everything that a command has to do."""

import sys
import time

import keras


class ProgressBar:
    """A line with a bar, the time left, and what is going on.

    On a terminal the line is drawn anew; in a file or a pipe a line is added now and then.

    Args:
        total: number of units of work.
        stream: where to write.
    """

    WIDTH = 24

    def __init__(self, total: int, stream=None):
        self.total = total
        self.stream = stream or sys.stderr
        is_terminal = self.stream.isatty()
        self.interval = 0.2 if is_terminal else 15.0
        self._clear, self._end = ("\r\x1b[K", "") if is_terminal else ("", "\n")
        self.done = 0
        self._start = self._last = time.monotonic()

    def advance(self, units: int, text: str) -> None:
        """Counts `units` as done; `text` says what is going on."""
        was_done, self.done = self.done, min(self.done + units, self.total)
        now = time.monotonic()
        ends = was_done < self.done == self.total
        if now - self._last < self.interval and not ends:
            return
        self._last = now
        left = (now - self._start) / self.done * (self.total - self.done)
        share = self.done / self.total
        filled = int(self.WIDTH * share)
        bar = "━" * filled + "╌" * (self.WIDTH - filled)
        line = f"{bar} {100 * share:3.0f} %  {_clock(left)} left  {text}"
        self.stream.write(f"{self._clear}{line}{self._end}")
        self.stream.flush()

    def say(self, text: str) -> None:
        """Writes a line of its own, above the bar."""
        self.stream.write(f"{self._clear}{text}\n")
        self.stream.flush()

    def skip(self, units: int) -> None:
        """Takes off `units` that need not be done."""
        self.total -= units

    def close(self) -> None:
        """Ends the line."""
        self.stream.write(self._clear)
        self.stream.flush()


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Progress(keras.callbacks.Callback):
    """Advances a progress bar by one for each batch.

    Args:
        bar: the bar, shared by all runs of a command.
        name: what is being trained.
    """

    def __init__(self, bar: ProgressBar, name: str):
        super().__init__()
        self.bar = bar
        self.name = name
        self.auc = ""
        self.text = name

    def on_epoch_begin(self, epoch, logs=None):
        self.text = f"{self.name}, epoch {epoch + 1} of {self.params['epochs']}{self.auc}"

    def on_train_batch_end(self, batch, logs=None):
        self.bar.advance(1, self.text)

    def on_epoch_end(self, epoch, logs=None):
        self.auc = f", adapt AUC {logs['adapt_auc']:.4f}"
