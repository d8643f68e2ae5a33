"""The small files of a study that the results page is made from, and how they are read."""

import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from evaluation.examples import Example, read_examples, write_examples
from experiments.config import ConfigError
from experiments.study_runs import CHOSEN_SCORE, EPOCHS, runs
from storage import atomic_directory, csv_text, numeric_columns, read_csv

COPIED = ("summary.json", "config.json", "environment.json", "baseline.json")
PICTURES = {"baselines": ("synthetic_defects.png",)}
"""By run, the pictures that are copied, too."""

PER_SEED = ("history.csv", "branches.csv")
"""Compressed, as the scores are."""

TIME, SCORES, EXAMPLES = "time.json", "scores.csv.gz", "examples.npz"
SHOWN_RUN = "labels"
"""The run whose images are shown, one of each kind, as its first seed sees them."""


def collect(study_dir: Path, output_dir: Path) -> int:
    """Copies the small files of every run that has a summary, the scores compressed.

    Args:
        study_dir: what `study.py` wrote.
        output_dir: the directory in the repository.

    Returns:
        The number of runs.
    """
    count = 0
    for path in (run.path for run in runs("quick")):
        run, target = study_dir / path, output_dir / path
        if not (run / "summary.json").exists():
            continue
        with atomic_directory(target) as temporary:
            for name in (*COPIED, *PICTURES.get(run.name, ())):
                shutil.copyfile(run / name, temporary / name)
            clock = run.with_name(f"{run.name}.{TIME}")
            if clock.exists():
                shutil.copyfile(clock, temporary / TIME)
            config = json.loads((run / "config.json").read_text(encoding="utf-8"))
            for directory in sorted(run.glob("*/seed-*")):
                copy = temporary / directory.relative_to(run)
                copy.mkdir(parents=True)
                _copy_seed(directory, copy, config["score"])
                if run.name == SHOWN_RUN and directory.name == f"seed-{config['seeds'][0]}":
                    _copy_examples(directory / EXAMPLES, copy / EXAMPLES)
        count += 1
    return count


def _copy_seed(directory, copy, score):
    for name in PER_SEED:
        if (directory / name).exists():
            _write_compressed(copy / f"{name}.gz", (directory / name).read_text())
    if (directory / "all_scores.csv").exists():
        columns = dict.fromkeys(("split", "label", score, CHOSEN_SCORE))
        rows = [
            {name: row[name] for name in columns}
            for row in read_csv(directory / "all_scores.csv")
            if row["split"] in ("adapt", "test")
        ]
        _write_compressed(copy / SCORES, csv_text(columns, rows))


def _write_compressed(path, text):
    # Without the time, so that the same text is the same bytes.
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _read_compressed(path):
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def _copy_examples(file, copy):
    """The first of each kind, as precise as a picture needs."""
    write_examples(
        copy,
        {
            kind: [replace(first, x=np.float16(first.x), x_hat=np.float16(first.x_hat))]
            for kind, (first, *_) in read_examples(file).items()
        },
    )


@dataclass(frozen=True)
class Outcome:
    """What a method came to with one seed.

    Attributes:
        entry: its entry in `summary.json`.
        directory: where its files are.
        score: the run's score.
    """

    entry: dict
    directory: Path
    score: str

    def scores(self, splits: tuple[str, ...], score: str | None = None):
        """Labels (N,) and scores (N,) of the images of some splits, by the run's score or another.

        The other can be `CHOSEN_SCORE`.
        """
        rows = [r for r in _read_compressed(self.directory / SCORES) if r["split"] in splits]
        labels = np.array([int(row["label"]) for row in rows])
        return labels, np.array([float(row[score or self.score]) for row in rows])

    def examples(self) -> dict[str, list[Example]]:
        """By kind, the images that are shown."""
        return read_examples(self.directory / EXAMPLES)

    def history(self) -> dict[str, np.ndarray]:
        """By column of `history.csv`, its numbers; empty columns are left out."""
        columns = numeric_columns(_read_compressed(self.directory / "history.csv.gz"))
        return {name: np.array(values) for name, values in columns.items()}

    def branches(self) -> list[dict]:
        """The rows of `branches.csv`, where a search wrote one."""
        return _read_compressed(self.directory / "branches.csv.gz")


class StudyRun:
    """One finished run of the study.

    Args:
        path: its directory, <dataset>/<name>.
    """

    def __init__(self, path: Path):
        self.path = path
        self.dataset, self.name = path.parts[-2:]

    @cached_property
    def summary(self) -> dict:
        """Its `summary.json`."""
        return self._json("summary.json")

    @cached_property
    def environment(self) -> dict:
        """Its `environment.json`."""
        return self._json("environment.json")

    @cached_property
    def config(self) -> dict:
        """Its `config.json`."""
        return self._json("config.json")

    @cached_property
    def baseline(self) -> dict:
        """Its `baseline.json`."""
        return self._json("baseline.json")

    @property
    def hours(self) -> float | None:
        """How long it took; None where nobody looked at the clock."""
        return self._json(TIME)["seconds"] / 3600 if (self.path / TIME).exists() else None

    def outcomes(self, method: str) -> dict[int, "Outcome"]:
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

    def _json(self, name):
        return json.loads((self.path / name).read_text(encoding="utf-8"))


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

    def __init__(self, root: Path):
        paths = (root / planned.path for planned in runs("quick"))
        found = [StudyRun(path) for path in paths if (path / "summary.json").exists()]
        self.root = root
        self._runs = {(run.dataset, run.name): run for run in found}
        self.datasets = [each for each in EPOCHS if each in {run.dataset for run in found}]
        _check_comparable(found)

    def __iter__(self) -> Iterator[StudyRun]:
        return iter(self._runs.values())

    def get(self, dataset: str, name: str) -> StudyRun | None:
        """A run, or None where it is not finished."""
        return self._runs.get((dataset, name))


def _check_comparable(found):
    """Refuses what no table may have side by side, such as runs of an older plan."""
    first = {}
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
