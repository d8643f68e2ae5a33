"""The small files of a study that the results page is made from, as `collect` copied them."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from awl_vae.figures.examples import Example, read_examples
from awl_vae.study.grid import EPOCHS, runs
from awl_vae.system import numeric_columns, read_json
from awl_vae.training.config import ConfigError

TIME_FILE, SCORES_FILE, EXAMPLES_FILE = "time.json", "scores.csv.gz", "examples.npz"


def _read_compressed(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Outcome:
    """What a method came to with one seed.

    Attributes:
        entry: its entry in `summary.json`.
        directory: where its files are.
        score: the run's score.
    """

    entry: dict[str, Any]
    directory: Path
    score: str

    def scores(
        self, splits: tuple[str, ...], score: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Labels (N,) and scores (N,) of the images of some splits, by the run's score or another.

        The other can be `CHOSEN_SCORE`.
        """
        rows = [r for r in _read_compressed(self.directory / SCORES_FILE) if r["split"] in splits]
        labels = np.array([int(row["label"]) for row in rows])
        return labels, np.array([float(row[score or self.score]) for row in rows])

    def examples(self) -> dict[str, list[Example]]:
        """By kind, the images that are shown."""
        return read_examples(self.directory / EXAMPLES_FILE)

    def history(self) -> dict[str, np.ndarray]:
        """By column of `history.csv`, its numbers; empty columns are left out."""
        columns = numeric_columns(_read_compressed(self.directory / "history.csv.gz"))
        return {name: np.array(values) for name, values in columns.items()}

    def branches(self) -> list[dict[str, str]]:
        """The rows of `branches.csv`, where a search wrote one."""
        return _read_compressed(self.directory / "branches.csv.gz")


class StudyRun:
    """One finished run of the study.

    Args:
        path: its directory, <dataset>/<name>.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dataset, self.name = path.parts[-2:]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Its `summary.json`."""
        return self._json("summary.json")

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Its `environment.json`."""
        return self._json("environment.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """Its `config.json`."""
        return self._json("config.json")

    @cached_property
    def baseline(self) -> dict[str, Any]:
        """Its `baseline.json`."""
        return self._json("baseline.json")

    @property
    def hours(self) -> float | None:
        """How long it took; None where nobody looked at the clock."""
        return self._json(TIME_FILE)["seconds"] / 3600 if (self.path / TIME_FILE).exists() else None

    def outcomes(self, method: str) -> dict[int, Outcome]:
        """By seed, what a method came to where it ended well."""
        rows = self.summary["methods"][method]["per_seed"]
        return {
            row["seed"]: Outcome(
                row, self.path / method / f"seed-{row['seed']}", self.summary["score"]
            )
            for row in rows
            if "failed" not in row
        }

    @property
    def seeds(self) -> set[int]:
        """The seeds that every method of it ended with, well or not."""
        methods = self.summary["methods"].values()
        return set.intersection(*({row["seed"] for row in found["per_seed"]} for found in methods))

    @property
    def failed(self) -> Iterator[str]:
        """The seeds that have no result, as text."""
        for method, found in self.summary["methods"].items():
            for row in found["per_seed"]:
                if "failed" in row:
                    yield f"{self.dataset}/{self.name}, {method}, seed {row['seed']}"

    def _json(self, name: str) -> dict[str, Any]:
        return read_json(self.path / name)


class Study:
    """The finished runs below a directory.

    Args:
        root: the directory that `collect` wrote.

    Attributes:
        root: that directory.
        datasets: those with a run, in the order of the tables.

    Raises:
        ConfigError: if runs on a dataset are not of the same profile, length and images.
    """

    def __init__(self, root: Path) -> None:
        found = comparable_runs(root)
        self.root = root
        self._runs = {(run.dataset, run.name): run for run in found}
        self.datasets = [each for each in EPOCHS if each in {run.dataset for run in found}]
        _check_comparable(found)

    def __iter__(self) -> Iterator[StudyRun]:
        return iter(self._runs.values())

    def get(self, dataset: str, name: str) -> StudyRun | None:
        """A run, or None where it is not finished."""
        return self._runs.get((dataset, name))


def comparable_runs(*roots: Path) -> list[StudyRun]:
    """The finished runs below some directories, each of the first that has it.

    Raises:
        ConfigError: if runs on a dataset are not of the same profile, length and images.
    """
    paths = ([root / planned.path for root in roots] for planned in runs("quick"))
    finished = ([path for path in of_run if (path / "summary.json").exists()] for of_run in paths)
    found = [StudyRun(first) for first, *_ in filter(None, finished)]
    _check_comparable(found)
    return found


def _check_comparable(found: Sequence[StudyRun]) -> None:
    """Refuses what no table may have side by side, such as runs of an older plan."""
    first: dict[tuple[str, str], tuple[StudyRun, Any]] = {}
    for run in found:
        conditions = {
            ("study", "profile"): run.config["profile"],
            (run.dataset, "epochs"): run.config.get("epochs"),
            (run.dataset, f"labelled images ({run.config['protocol']})"): run.baseline,
        }
        for (where, what), value in conditions.items():
            if value is None:
                continue  # a search has stages, and PCA has no epochs
            other, expected = first.setdefault((where, what), (run, value))
            if value != expected:
                raise ConfigError(
                    f"Expected the same {what} in runs that are compared. Received: others in "
                    f"{run.path} than in {other.path}."
                )
