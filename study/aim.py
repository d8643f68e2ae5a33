"""What our rule was to reach, and whether it did."""

from collections.abc import Iterator, Sequence

from awl_vae.evaluation.intervals import Interval
from awl_vae.study.compared_methods import (
    AUTOENCODER,
    BASIS,
    BY_LABELS,
    BY_SYNTHETIC,
    CLIMB,
    FIXED,
    HELDOUT,
    PCA,
    RECONSTRUCTION,
    difference,
)
from awl_vae.study.run_files import Study
from awl_vae.study.tables import signed
from awl_vae.system.markdown import NOTHING, table

AIMED_AT = (FIXED, BY_LABELS)
"""What climb was to be at least as good as, on every dataset."""

OTHERS = (BASIS, BY_SYNTHETIC, RECONSTRUCTION, AUTOENCODER, PCA)


def aim_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Climb less what it was to reach and less others, and whether the means reach the aim."""
    found = {
        each: [difference(study, dataset, CLIMB, each, HELDOUT) for dataset in datasets]
        for each in (*AIMED_AT, *OTHERS)
    }
    rows = [
        [each.title, each.chosen_by, *map(signed, differences)]
        for each, differences in found.items()
    ]
    verdicts = map(_verdict, *(found[each] for each in AIMED_AT))
    rows.insert(len(AIMED_AT), ["**Aim**", "by the means", *verdicts])
    return table(("climb less", "epoch chosen by", *datasets), rows)


def _verdict(*differences: Interval | None) -> str:
    found = [each for each in differences if each is not None]
    if len(found) < len(differences):
        return NOTHING
    return "reached" if all(each.mean >= 0 for each in found) else "missed"
