"""The table of each method's page: its AUROC, its gain, and its share of the headroom."""

from collections.abc import Iterator
from pathlib import Path

from awl_vae.study.compared_methods import (
    BY_LABELS,
    BY_LOSS,
    BY_SYNTHETIC,
    CLIMB,
    CLIMB_BY_CHOSEN,
    CLIMBS,
    CONTROL_VAE,
    FIXED,
    GECO,
    MARGIN,
    OTHER_SEARCHES,
    RECONSTRUCTION,
    SIGMA,
    UNCERTAINTY,
    ComparedMethod,
    aucs,
    conventional_for,
    difference,
)
from awl_vae.study.headroom import share
from awl_vae.study.run_files import Study
from awl_vae.study.tables import mean_and_std, signed
from awl_vae.study.written_part import WrittenPart
from awl_vae.system.markdown import NOTHING, table

PART = WrittenPart(
    "<!-- Table of the study, written by awl-vae results -->", "<!-- End of the table -->"
)

PAGES = {
    "auc-adapted": (BY_LABELS, BY_SYNTHETIC, MARGIN),
    "climb": (CLIMB, *CLIMBS, CLIMB_BY_CHOSEN),
    "loss-adapted": (BY_LOSS, *OTHER_SEARCHES),
    "beta-vae": (FIXED, RECONSTRUCTION),
    "sigma-vae": (SIGMA,),
    "geco": (GECO,),
    "control-vae": (CONTROL_VAE,),
    "uncertainty": (UNCERTAINTY,),
}
"""By the name of a page in docs/methods, the methods that it is about."""


ABOUT = (
    "The gain is over weights of 1 whose epoch was chosen in the same way, with its interval and "
    "how many seeds have its sign. The share of the "
    "[headroom](../RESULTS.md#how-much-is-there-to-gain) is over weights of 1 whose epoch labels "
    "chose, as the headroom is."
)


def write_method_pages(study: Study, directory: Path) -> None:
    """Writes the tables of the pages anew.

    Args:
        study: the files that they are made from.
        directory: where the pages are.

    Raises:
        ConfigError: if one has no place for a table.
    """
    for name, methods in PAGES.items():
        PART.write(directory / f"{name}.md", _lines(study, methods))


def _lines(study: Study, methods: tuple[ComparedMethod, ...]) -> Iterator[str]:
    yield ""
    yield "## What the study gave"
    yield ""
    yield ABOUT
    yield ""
    for method in methods:
        rows = [*_rows(study, method)]
        yield f"**{method.title}** (epoch: {method.chosen_by})"
        yield ""
        if rows:
            columns = (
                "dataset",
                "AUC, test, %",
                "gain over weights of 1",
                "share of the headroom, %",
            )
            yield from table(columns, rows)
        else:
            yield "Not run yet."
        yield ""


def _rows(study: Study, method: ComparedMethod) -> Iterator[list[str]]:
    for dataset in study.datasets:
        if found := aucs(study, dataset, method):
            gain = difference(study, dataset, method, conventional_for(method))
            taken = share(study, dataset, method)
            shown = NOTHING if taken is None else f"{100 * taken:.0f}"
            yield [dataset, mean_and_std(found), signed(gain), shown]
