"""What the README shows of the results: one table, and the claims in a line each."""

from collections.abc import Iterator
from pathlib import Path

from awl_vae.study.claims import claims, sentence
from awl_vae.study.compared_methods import HELDOUT
from awl_vae.study.grid import CHOSEN_SCORE
from awl_vae.study.run_files import Study
from awl_vae.study.tables import methods_table
from awl_vae.system import write_text
from awl_vae.training.config import ConfigError

BEGIN = "<!-- Results of the study, written by experiments/report.py -->"
END = "<!-- End of the results of the study -->"


def write_headline(study: Study, path: Path) -> None:
    """Writes the part of a Markdown file between `BEGIN` and `END` anew.

    Args:
        study: the files that it is made from.
        path: the Markdown file.

    Raises:
        ConfigError: if it does not have each of the two lines once, in that order.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    marks = [line for line in lines if line in (BEGIN, END)]
    if marks != [BEGIN, END]:
        raise ConfigError(f"Expected the lines {BEGIN} and {END}. Received: {path} without them.")
    before, after = lines[: lines.index(BEGIN) + 1], lines[lines.index(END) :]
    write_text(path, "\n".join([*before, *headline(study), *after]))


def headline(study: Study) -> Iterator[str]:
    """The lines between: AUROC of every method on every dataset, and the verdicts."""
    datasets = study.datasets
    yield ""
    yield "AUC on the test images in %, which steered nothing: mean ± sample standard deviation"
    yield "over five seeds, or as many as are in brackets. PCA and the mean image have no seed."
    yield ""
    yield from methods_table(study, datasets, HELDOUT)
    yield ""
    yield f"The claims. Climb and `{CHOSEN_SCORE}` were chosen in trials on bellows, square and"
    yield "comb; only the other datasets are new to them. A claim holds where all of its 95 %"
    yield "interval is beyond what it says, fails where none of it is, and is undecided else."
    yield ""
    for number, claim in enumerate(claims(study, datasets), 1):
        verdicts = claim.verdicts()
        yield f"{number}. {claim.text} {sentence(verdicts) if verdicts else 'Not run yet.'}"
    yield ""
