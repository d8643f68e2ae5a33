"""The results page."""

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.reporting.claims import claims_lines
from experiments.reporting.contestants import HELDOUT, PAPER
from experiments.reporting.figures import OF_AUC, OF_LOSS, plot_study
from experiments.reporting.files import Study
from experiments.reporting.paper_tables import paper_tables
from experiments.reporting.tables import (
    differences_table,
    methods_table,
    scores_table,
    signals_table,
)
from experiments.study_runs import EPOCHS, runs
from storage import atomic_directory, write_text

FIGURES = "figures"
"""The directory of the drawn figures, beside the page."""

PROTOCOLS = {
    HELDOUT: "Held out: on test images, which steered nothing.",
    PAPER: "Paper's protocol: on all the images that steer by it, which is optimistic where labels "
    "chose.",
}


def write_page(study: Study, path: Path) -> None:
    """Writes the page and its figures whole.

    Args:
        study: the files that it is made from.
        path: the Markdown file.
    """
    with atomic_directory(path.parent / FIGURES) as figures:
        text = "\n".join(_lines(study, path.parent, figures)) + "\n"
    write_text(path, text)


def _lines(study: Study, directory: Path, figures: Path) -> Iterator[str]:
    datasets = [dataset for dataset in EPOCHS if any(run.dataset == dataset for run in study)]
    yield "# Results"
    yield ""
    yield from _provenance(study)
    yield "## The claims"
    yield ""
    yield from claims_lines(study, datasets)
    yield "## The paper's tables"
    yield ""
    yield (
        "The paper's photographs are confidential: its numbers are of other images than ours. "
        "*Ours* is on the images that steered, as in the paper, *held out* on others that did not."
    )
    yield ""
    yield from paper_tables(study)
    yield "## The paper's figures"
    yield ""
    yield f"As in the paper, Figs. 14 to 19 are of {OF_AUC} and 20 to 24 of {OF_LOSS}, with seed 1."
    yield ""
    for file, text in plot_study(study, figures):
        yield text
        yield ""
        yield f"![{file}]({FIGURES}/{file})"
        yield ""
    yield "## Every method on every dataset"
    yield ""
    yield (
        "AUC in %, mean ± sample standard deviation over the seeds. What chose the epoch is in the "
        "second column, and labels did so only where it says so. The best fixed weight is, of 1 "
        "and the study's --kl_weight, the one with the highest AUC of synthetic defects. Then the "
        "differences to the conventional VAE whose epoch was chosen in the same way, in points: "
        "mean, 95 % interval by resampling images and seeds, and how many seeds agree with the "
        "mean in sign."
    )
    yield ""
    for protocol, text in PROTOCOLS.items():
        yield f"**{text}**"
        yield ""
        yield from methods_table(study, datasets, protocol)
        yield ""
        yield from differences_table(study, datasets, protocol)
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
    missing = {}
    for run in runs("quick"):
        if (run.dataset, run.name) not in finished:
            missing.setdefault(run.dataset, []).append(run.name)
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
    hours = sum(run.hours for run in study)
    yield (
        "`python experiments/study.py`, quick profile; the page: `python experiments/report.py`. "
        f"The {len(finished)} runs took {hours:.1f} hours in all, on one thread each."
    )
    if missing:
        texts = (f"{dataset} ({', '.join(names)})" for dataset, names in missing.items())
        yield f"Not finished yet, and not in the tables: {'; '.join(texts)}."
    yield ""
