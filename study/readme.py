"""What the README shows of the results: the main methods in one table, and the verdicts counted."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from awl_vae.study.claims import claims
from awl_vae.study.compared_methods import (
    AUTOENCODER,
    BY_LABELS,
    BY_LOSS,
    CLIMB,
    CONVENTIONAL,
    FIXED,
    HELDOUT,
    LAST,
    PCA,
    methods_of,
)
from awl_vae.study.run_files import Study
from awl_vae.study.tables import methods_table
from awl_vae.study.verdicts import FAILS, HOLDS, UNDECIDED
from awl_vae.study.written_part import WrittenPart

PART = WrittenPart(
    "<!-- Results of the study, written by awl-vae results -->",
    "<!-- End of the results of the study -->",
)

PAGE = "docs/RESULTS.md"
"""Where the README finds all of the results."""

MAIN_METHODS = (CONVENTIONAL, BY_LABELS, CLIMB, FIXED, AUTOENCODER, LAST, BY_LOSS, PCA)
"""Of the methods that are compared, those that the README shows."""


def write_headline(study: Study, path: Path) -> None:
    """Writes the `PART` of a Markdown file anew.

    Args:
        study: the files that it is made from.
        path: the Markdown file.

    Raises:
        ConfigError: if it does not have the part.
    """
    PART.write(path, headline(study))


def headline(study: Study) -> Iterator[str]:
    """The lines between: AUROC of the main methods on every dataset, and the verdicts."""
    yield ""
    yield "AUC on the test images in %, which steered nothing: mean ± sample standard deviation"
    yield "over five seeds, or as many as are in brackets. PCA has no seed."
    yield ""
    main = [each for each in methods_of(study, study.datasets) if each in MAIN_METHODS]
    yield from methods_table(study, study.datasets, HELDOUT, main)
    yield ""
    yield verdicts_line(study)
    yield ""


def verdicts_line(study: Study) -> str:
    """How often a claim holds, fails or is undecided, and where they are told apart."""
    found = [claim.verdicts() for claim in claims(study, study.datasets)]
    count = Counter(verdict for verdicts in found for verdict in verdicts.values())
    return (
        f"{len(found)} claims, each judged by a 95 % interval on every dataset that it is about: "
        f"{count[HOLDS]} verdicts are that it holds, {count[FAILS]} that it fails, and "
        f"{count[UNDECIDED]} are undecided. [{PAGE}]({PAGE}) has them one by one."
    )
