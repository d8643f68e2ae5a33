"""The history of a run as a CSV file that is whole after every epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from awl_vae.callbacks.arithmetic import as_written
from awl_vae.callbacks.logs import Logs
from awl_vae.system import write_csv


class HistoryWriter(keras.callbacks.Callback):
    """Writes `history.csv`: one row an epoch, in shortest round-trip form.

    Args:
        path: the CSV file.
        columns: the columns after `epoch`, each a key of the logs; empty where it is not there.
        float64: those of the columns that are computed in double precision; every other float is
            a float32 of the model and is written with as many digits as a float32 needs.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, float64: Sequence[str] = ()):
        super().__init__()
        self.path = path
        self.columns = tuple(columns)
        self.float64 = frozenset(float64)
        self.rows: list[dict[str, str]] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.rows = []

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        row = {column: self._format(column, logs.get(column)) for column in self.columns}
        self.rows.append({"epoch": str(epoch + 1)} | row)
        write_csv(self.path, ["epoch", *self.columns], self.rows)

    def get_state(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def set_state(self, state: dict[str, Any]) -> None:
        self.rows = list(state["rows"])

    def _format(self, column: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, float) and column not in self.float64:
            value = as_written(value)
        return str(value)
