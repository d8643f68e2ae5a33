"""The results page."""

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.reporting.claims import claims_lines
from experiments.reporting.files import Study
from experiments.reporting.tables import (
    differences_table,
    methods_table,
    scores_table,
    signals_table,
)
from experiments.study_runs import EPOCHS, runs
from storage import write_text


def write_page(study: Study, path: Path) -> None:
    """Writes the page whole.

    Args:
        study: the files that it is made from.
        path: the Markdown file.
    """
    write_text(path, "\n".join(_lines(study, path.parent)) + "\n")


def _lines(study: Study, directory: Path) -> Iterator[str]:
    datasets = [dataset for dataset in EPOCHS if any(run.dataset == dataset for run in study)]
    yield "# Results"
    yield ""
    yield from _provenance(study)
    yield "## The claims"
    yield ""
    yield from claims_lines(study, datasets)
    yield "## Every method on every dataset"
    yield ""
    yield (
        "AUC on the test images in %, mean ± sample standard deviation over the seeds. Nothing was "
        "chosen on these images; what chose the epoch is in the second column, and labels did so "
        "only where it says so. The best fixed weight is, of 1 and the study's --kl_weight, the "
        "one with the highest AUC of synthetic defects."
    )
    yield ""
    yield from methods_table(study, datasets)
    yield ""
    yield (
        "The same as differences to the conventional VAE whose epoch was chosen in the same way, "
        "in points: mean, 95 % interval by resampling images and seeds, and how many seeds agree "
        "with the mean in sign."
    )
    yield ""
    yield from differences_table(study, datasets)
    yield ""
    yield "## The score"
    yield ""
    yield (
        "AUC of synthetic defects / on the test images in %, mean over the seeds, by score, of "
        "models whose epoch was chosen by the dataset's own score. The first needs no label: "
        "the score for which it is the highest is the one chosen."
    )
    yield ""
    yield from scores_table(study, datasets)
    yield ""
    yield "## Does the AUC of synthetic defects follow that of real ones?"
    yield ""
    yield from signals_table(study, datasets)
    yield ""
    yield "The synthetic defects, on copies of calibration images:"
    yield ""
    for dataset in datasets:
        if (run := study.get(dataset, "baselines")) is not None:
            file = run.path / "synthetic_defects.png"
            yield f"![{dataset}]({os.path.relpath(file, directory)})"
            yield ""


def _provenance(study):
    finished = {(run.dataset, run.name) for run in study}
    missing = [run.path for run in runs("quick") if (run.dataset, run.name) not in finished]
    environments = {
        (
            run.environment["processor"],
            run.environment["python"],
            run.environment["packages"]["tensorflow"],
            run.environment["packages"]["keras"],
            run.environment["git_commit"],
        )
        for run in study
    }
    for processor, python, tensorflow, keras, commit in sorted(environments):
        yield (
            f"{processor}, Python {python}, TensorFlow {tensorflow}, Keras {keras}, commit "
            f"`{commit}`."
        )
    yield ""
    yield "`python experiments/study.py`, quick profile; the page: `python experiments/report.py`."
    if missing:
        yield f"Not finished yet, and not in the tables: {', '.join(missing)}."
    yield ""
