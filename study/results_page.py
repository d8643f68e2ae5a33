"""The results page."""

import os
from collections.abc import Iterator
from pathlib import Path

from awl_vae.study.aim import aim_table
from awl_vae.study.claims import GOOD, claims_lines
from awl_vae.study.compared_methods import HELDOUT, PAPER, fixed_weights
from awl_vae.study.grid import CHOSEN_SCORE, JUDGED
from awl_vae.study.paper_figures import OF_AUC, OF_LOSS, plot_study
from awl_vae.study.paper_tables import paper_tables
from awl_vae.study.provenance import conditions_table, provenance
from awl_vae.study.run_files import Study
from awl_vae.study.searches import searches_table
from awl_vae.study.tables import (
    differences_table,
    fixed_weights_table,
    methods_table,
    scores_table,
    signals_table,
)
from awl_vae.study.trajectories import EMPTY, paths_table
from awl_vae.system import atomic_directory, write_text

FIGURES = "figures"
"""The directory of the drawn figures, among the files that the page is made from."""

PROTOCOLS = {
    HELDOUT: "Held out: on test images, which steered nothing.",
    PAPER: "Paper's protocol: on all the images that steer by it, which is optimistic where labels "
    "chose.",
}

INTRODUCTION = f"""\
What is compared:

- **Conventional VAE**: all weights 1. **AUC-adapted VAE**: the paper's rule and its patterns,
  which jump between 1 and 10⁻¹⁰, steered by the AUC of labelled images or of synthetic defects on
  normal ones. **Climb**: our rule on our ladder of weights. **Loss-adapted VAE**: the paper's
  search, which sees no label.
- **β-VAE**: one fixed weight of the KL term. **Autoencoder**: no KL term and no noise. **PCA** and
  **mean image** take the place of the network.
- The epoch is the one with the highest AUC of the signal that steers, or the last. *Adapt images*
  are the labelled images that may steer; *test images* are looked at once, at the end.
- Scores: `mse`, the mean squared error, and `max1p`, the largest absolute error, are the paper's;
  `standardized` is the largest error in units of what is normal at its pixel, `top_fraction` the
  mean of the largest squared errors.

A claim **holds** where all of the 95 % interval is beyond what is wanted, **fails** where none of
it is, and is undecided else. Intervals are those of the sum of two parts, resampled images and
Student's t over the seeds: three seeds make them wide. Where there is no difference, one verdict
in twenty says that there is one. All trainings of a dataset have the same number of epochs, so
that a verdict does not tell what is better from what is faster. An interval from 0 to 0 is of one
model twice: the chosen epoch is one before the weights first changed, and "fails" says no more
than that the rule did not come to matter. Climb, and the score `{CHOSEN_SCORE}` of the last
claims, were chosen before the study in trials of VAEs on bellows, square and comb, whose files
were not kept; the photographs elpv_mono and elpv_poly are what they are judged by. The images of
brick and of gravel are overlapping cuts of one photograph each, so intervals there are narrower
than the truth, and their defects are of the same kinds as the synthetic ones. A dash is for what
is no part of the study.

Pictures of elpv_mono and elpv_poly are from the elpv-dataset (Buerhop-Lutz et al., 2018; CC
BY-NC-SA 4.0), under whose licence they stay.
"""


def write_page(study: Study, path: Path) -> None:
    """Writes the page, and its figures among the study's files.

    Args:
        study: the files that it is made from.
        path: the Markdown file.
    """
    with atomic_directory(study.root / FIGURES) as figures:
        text = "\n".join(_lines(study, path.parent, figures)) + "\n"
    write_text(path, text)


def _lines(study: Study, directory: Path, figures: Path) -> Iterator[str]:
    datasets = study.datasets
    files = os.path.relpath(study.root, directory)
    yield "# Results"
    yield ""
    yield from provenance(study)
    yield INTRODUCTION
    yield from conditions_table(study, datasets)
    yield ""
    yield "## The claims"
    yield ""
    yield from claims_lines(study, datasets)
    yield "## The paper's tables"
    yield ""
    yield (
        "The paper's photographs are confidential: its numbers are of other images than ours. "
        "*Ours* is on the adapt images, in Tables 6 to 8 steered by them as in the paper, in "
        "Tables 9 to 11 with a threshold from them alone. *Held out* is on the test images with "
        "the threshold of the adapt images."
    )
    yield ""
    yield from paper_tables(study)
    yield "## The paper's figures"
    yield ""
    yield f"As in the paper, Figs. 14 to 19 are of {OF_AUC}, 20 to 24 of {OF_LOSS}; one seed each."
    yield ""
    for file, text in plot_study(study, figures):
        yield text
        yield ""
        yield f"![{file}]({files}/{FIGURES}/{file})"
        yield ""
    yield "## Every method on every dataset"
    yield ""
    yield (
        "AUC in %, mean ± sample standard deviation over five seeds, or as many as in brackets. "
        "What chose the epoch is in the second column, and labels did so only where it says so. "
        "Then the differences to the conventional VAE whose epoch was chosen in the same way (for "
        "what has no epochs, by synthetic defects), by the same score and over the seeds that both "
        "have, in points: mean, interval, and how many seeds have the sign of the mean."
    )
    yield ""
    for protocol, text in PROTOCOLS.items():
        yield f"**{text}**"
        yield ""
        yield from methods_table(study, datasets, protocol)
        yield ""
        yield from differences_table(study, datasets, protocol)
        yield ""
    yield "## Our rule and its aim"
    yield ""
    yield (
        "What climb, which sees no label, was to reach was set before: on every dataset at least "
        "the best fixed weight and the paper's rule by labels, in the mean over the seeds. "
        "Differences of AUC on the test images in points, with interval and sign as above; the "
        "conventional VAE, the paper's rule, what has no KL term and PCA stand beside."
    )
    yield ""
    yield from aim_table(study, datasets)
    yield ""
    yield (
        "Where it is lost: how many epochs the trainings had at each weight of the KL term, how "
        "often it rose again, and in how many another term's weight was below 1; which epoch was "
        "chosen, of how many, and in how many trainings the KL divergence there was under "
        f"{EMPTY:g} nats, so that every image has the same reconstruction; the AUC there, beside "
        "the highest that a choice by labels could have found and that of the last epoch. On the "
        "adapt images in %; means over the seeds. What is lost from there to the test images is "
        "none of the signal's doing: the halves of the photographs differ, for PCA, too. Where the "
        "chosen epochs are among the last, more of them might have changed the result."
    )
    yield ""
    yield from paths_table(study, datasets)
    yield ""
    yield (
        f"The fixed weights: {', '.join(fixed_weights(JUDGED[0]))} on the judged photographs, with "
        f"five seeds; {', '.join(fixed_weights(OF_AUC))} elsewhere, with three. The best one is "
        "chosen for each seed, by synthetic defects."
    )
    yield ""
    yield from fixed_weights_table(study, datasets)
    yield ""
    yield "## The searches"
    yield ""
    yield (
        "A weight falls while its term does and stops where that first rises. How far it came on "
        "the paths that were chosen, and on any branch; how far apart the losses of a stage's "
        "branches were at its end, all weights at 1, from which the choice is made; and how long a "
        "search took, with the conventional VAE carried along. Ranges over the seeds."
    )
    yield ""
    yield from searches_table(study, datasets)
    yield ""
    yield "## The score"
    yield ""
    yield (
        "AUC of synthetic defects / on the test images in %, mean over the seeds, by score, of "
        "models whose epoch was chosen by the run's own score. The first needs no label, so it can "
        f"choose the score. On {JUDGED[0]} the best of the scores was to reach {100 * GOOD:.0f} %."
    )
    yield ""
    yield from scores_table(study, datasets)
    yield ""
    yield "## Does the AUC of synthetic defects follow that of real ones?"
    yield ""
    yield (
        "Spearman's correlation of the two AUCs after each epoch, by the run's own score: mean and "
        "range over the seeds. Where both rise with training it is high whatever the signal is "
        "worth; where it is low the signal is no guide."
    )
    yield ""
    yield from signals_table(study, datasets)
    yield ""
    yield "The synthetic defects, on copies of calibration images:"
    yield ""
    for dataset in datasets:
        if study.get(dataset, "baselines") is not None:
            yield f"![{dataset}]({files}/{dataset}/baselines/synthetic_defects.png)"
            yield ""
