"""What the figures say of a claim: it holds, it fails, or that is undecided."""

from collections.abc import Mapping

from awl_vae.evaluation.intervals import Interval
from awl_vae.study.grid import EPOCHS

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"


def verdict(found: Interval, bound: float) -> str:
    """Holds where all of the interval is above the bound, fails where none of it is.

    One seed decides nothing: its interval says nothing of others.
    """
    if len(found.per_seed) < 2:
        return UNDECIDED
    if found.low > bound:
        return HOLDS
    return FAILS if found.high <= bound else UNDECIDED


def sentence(verdicts: Mapping[str, str]) -> str:
    """Where a claim holds, where it fails, and where that is undecided.

    Args:
        verdicts: by dataset that was run, the verdict there; at least one.
    """
    parts = []
    for each in (HOLDS, FAILS, UNDECIDED):
        names = [dataset for dataset, found in verdicts.items() if found == each]
        if len(names) == len(EPOCHS):
            return f"**{each.capitalize()}** on every dataset."
        if names:
            parts.append(f"**{each}** on {', '.join(names)}")
    text = "; ".join(parts)
    return f"{text[:2]}{text[2].upper()}{text[3:]}."
