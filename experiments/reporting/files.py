"""The small files of a study that the results page is made from, and how they are read."""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from storage import atomic_directory, read_csv

COPIED = ("summary.json", "config.json", "environment.json", "baseline.json")
PICTURES = {"baselines": ("synthetic_defects.png",)}
"""By run, the pictures that are copied, too."""

PER_SEED = ("history.csv", "branches.csv")
SCORES = "scores.csv"


def collect(study_dir: Path, output_dir: Path) -> int:
    """Copies the small files of every finished run; scores become float32 and are compressed.

    Args:
        study_dir: what `study.py` wrote.
        output_dir: the directory in the repository.

    Returns:
        The number of runs.
    """
    count = 0
    for summary in sorted(study_dir.glob("*/*/summary.json")):
        run, target = summary.parent, output_dir / summary.parent.relative_to(study_dir)
        with atomic_directory(target) as temporary:
            for name in COPIED:
                shutil.copyfile(run / name, temporary / name)
            for name in PICTURES.get(run.name, ()):
                shutil.copyfile(run / name, temporary / name)
            for directory in sorted(run.glob("*/seed-*")):
                copy = temporary / directory.relative_to(run)
                copy.mkdir(parents=True)
                for name in PER_SEED:
                    if (directory / name).exists():
                        shutil.copyfile(directory / name, copy / name)
                if (directory / SCORES).exists():
                    (copy / f"{SCORES}.gz").write_bytes(_compressed(directory / SCORES))
        count += 1
    return count


def _compressed(file):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("split", "label", "score"))
    for row in read_csv(file):
        writer.writerow((row["split"], row["label"], np.float32(row["score"])))
    # Without the time, so that the same scores are the same bytes.
    return gzip.compress(text.getvalue().encode(), mtime=0)


@dataclass(frozen=True)
class Outcome:
    """What a method came to with one seed.

    Attributes:
        entry: its entry in `summary.json`.
        directory: where its files are.
    """

    entry: dict
    directory: Path

    def scores(self, splits: tuple[str, ...]):
        """Labels (N,) and scores (N,) of the images of some splits."""
        with gzip.open(self.directory / f"{SCORES}.gz", "rt") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] in splits]
        labels = np.array([int(row["label"]) for row in rows])
        return labels, np.array([float(row["score"]) for row in rows])

    def history(self) -> dict[str, np.ndarray]:
        """By column of `history.csv`, its numbers; empty columns are left out."""
        rows = read_csv(self.directory / "history.csv")
        return {
            name: np.array([float(row[name]) for row in rows]) for name in rows[0] if rows[0][name]
        }

    def branches(self) -> list[dict]:
        """The rows of `branches.csv`, where a search wrote one."""
        return read_csv(self.directory / "branches.csv")


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

    def outcomes(self, method: str) -> dict[int, "Outcome"]:
        """By seed, what a method came to where it ended well."""
        rows = self.summary["methods"][method]["per_seed"]
        return {
            row["seed"]: Outcome(row, self.path / method / f"seed-{row['seed']}")
            for row in rows
            if "failed" not in row
        }

    def _json(self, name):
        return json.loads((self.path / name).read_text(encoding="utf-8"))


class Study:
    """The finished runs below a directory.

    Args:
        root: the directory that `collect` wrote.
    """

    def __init__(self, root: Path):
        paths = sorted(path.parent for path in root.glob("*/*/summary.json"))
        self._runs = {(run.dataset, run.name): run for run in map(StudyRun, paths)}

    def __iter__(self) -> Iterator[StudyRun]:
        return iter(self._runs.values())

    def get(self, dataset: str, name: str) -> StudyRun | None:
        """A run, or None where it is not finished."""
        return self._runs.get((dataset, name))
