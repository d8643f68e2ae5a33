"""Copies the small files of a study, which the results page is made from, into the repository."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np

from awl_vae.figures.examples import read_examples, write_examples
from awl_vae.study.grid import CHOSEN_SCORE, runs
from awl_vae.study.run_files import EXAMPLES_FILE, SCORES_FILE, TIME_FILE, comparable_runs
from awl_vae.system import atomic_directory, csv_text, read_csv, read_json

EARLIER = ("*.gz", "*.npz", "*.json", "*.md", "*.png")
"""What a directory of copies may hold of an earlier version."""

COPIED = ("summary.json", "config.json", "environment.json", "baseline.json")
IMAGES = {"baselines": ("synthetic_defects.png",)}
"""By run, the images that are copied, too."""

PER_SEED = ("history.csv", "branches.csv")
"""Compressed, as the scores are."""

SHOWN_RUN = "labels"
"""The run whose images are shown, one of each kind, as its first seed sees them."""


def collect(study_dir: Path, output_dir: Path) -> int:
    """Copies the small files of every run that has a summary, the scores compressed.

    Args:
        study_dir: what `awl-vae study` wrote.
        output_dir: the directory in the repository.

    Returns:
        The number of runs.

    Raises:
        ConfigError: if the runs, those that were copied before included, cannot be compared;
            nothing is copied then.
    """
    comparable_runs(study_dir, output_dir)
    count = 0
    for path in (run.path for run in runs("quick")):
        run, target = study_dir / path, output_dir / path
        if not (run / "summary.json").exists():
            continue
        with atomic_directory(target, earlier=EARLIER) as temporary:
            for name in (*COPIED, *IMAGES.get(run.name, ())):
                _copy(run / name, temporary / name)
            clock = run.with_name(f"{run.name}.{TIME_FILE}")
            if clock.exists():
                _copy(clock, temporary / TIME_FILE)
            config = read_json(run / "config.json", {"score": str, "seeds": [int]})
            for directory in sorted(run.glob("*/seed-*")):
                copy = temporary / directory.relative_to(run)
                copy.mkdir(parents=True)
                _copy_seed(directory, copy, config["score"])
                if run.name == SHOWN_RUN and directory.name == f"seed-{config['seeds'][0]}":
                    _copy_examples(directory / EXAMPLES_FILE, copy / EXAMPLES_FILE)
        count += 1
    return count


def _copy(file: Path, copy: Path) -> None:
    # Not by shutil, which says of a full disk that the file it reads from is at fault.
    copy.write_bytes(file.read_bytes())


def _copy_seed(directory: Path, copy: Path, score: str) -> None:
    for name in PER_SEED:
        if (directory / name).exists():
            _write_compressed(copy / f"{name}.gz", (directory / name).read_text(encoding="utf-8"))
    if (directory / "all_scores.csv").exists():
        columns = dict.fromkeys(("split", "label", score, CHOSEN_SCORE))
        rows = [
            {name: row[name] for name in columns}
            for row in read_csv(directory / "all_scores.csv")
            if row["split"] in ("adapt", "test")
        ]
        _write_compressed(copy / SCORES_FILE, csv_text(columns, rows))


def _write_compressed(path: Path, text: str) -> None:
    # Without the time, so that the same text is the same bytes.
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _copy_examples(file: Path, copy: Path) -> None:
    """The first of each kind, as precise as an image needs."""
    shown = {}
    for kind, (first, *_) in read_examples(file).items():
        small = {
            name: image.astype(np.float16)
            for name in ("x", "x_hat", "residual")
            if (image := getattr(first, name)) is not None
        }
        shown[kind] = [replace(first, **small)]
    write_examples(copy, shown)
