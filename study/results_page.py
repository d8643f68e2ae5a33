"""The results page: its introduction, and its sections in their order."""

import os
from collections.abc import Iterator
from pathlib import Path

from awl_vae.study import sections
from awl_vae.study.grid import CHOSEN_SCORE
from awl_vae.study.provenance import conditions_table, provenance
from awl_vae.study.run_files import Study
from awl_vae.system import atomic_directory, write_text

FIGURES = "figures"
"""The directory of the drawn figures, among the files that the page is made from."""

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
than the truth, and their defects are of the same kinds as the synthetic ones. All synthetic defects
are those of version 0.1.0, some of which can hardly be seen. A dash is for what is no part of the
study.

Images of elpv_mono and elpv_poly are from the elpv-dataset (Buerhop-Lutz et al., 2018; CC
BY-NC-SA 4.0), under whose licence they stay.
"""


def write_page(study: Study, path: Path) -> None:
    """Writes the page, and its figures among the study's files.

    Args:
        study: the files that it is made from.
        path: the Markdown file.
    """
    files = os.path.relpath(study.root, path.parent)
    with atomic_directory(study.root / FIGURES, earlier=["*.png"]) as figures:
        text = "\n".join(_lines(study, files, figures)) + "\n"
    write_text(path, text)


def _lines(study: Study, files: str, figures: Path) -> Iterator[str]:
    """The page line by line.

    Args:
        study: the files that it is made from.
        files: their directory as the page links to it.
        figures: where the figures are drawn.
    """
    yield "# Results"
    yield ""
    yield from provenance(study)
    yield INTRODUCTION
    yield from conditions_table(study, study.datasets)
    yield ""
    yield from sections.claims(study)
    yield from sections.tables_of_the_paper(study)
    yield from sections.figures_of_the_paper(study, figures, f"{files}/{FIGURES}")
    yield from sections.every_method(study)
    yield from sections.aim(study)
    yield from sections.headroom(study, figures, f"{files}/{FIGURES}")
    yield from sections.searches(study)
    yield from sections.score(study)
    yield from sections.signals(study, files)
