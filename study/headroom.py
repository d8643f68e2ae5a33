"""How much there is to gain by other weights than 1, and how much of it each rule takes.

The map of a dataset is the AUROC on the adapt images over fixed weights and epochs. Its highest
point, read on the test images, less the same for weights of 1, is the headroom.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.evaluation.intervals import Interval
from awl_vae.figures.maps import WeightMap, plot_maps
from awl_vae.study.compared_methods import (
    BY_SYNTHETIC,
    CLIMB,
    CLIMBS,
    CONTROL_VAE,
    CONVENTIONAL,
    GECO,
    MAPPED,
    MARGIN,
    UNCERTAINTY,
    ComparedMethod,
    conventional_for,
    difference,
    map_of,
    methods_of,
)
from awl_vae.study.run_files import Outcome, Study
from awl_vae.study.tables import signed
from awl_vae.system.markdown import NOTHING, percent, table
from awl_vae.system.words import quantity

FIGURE = "headroom.png"

SHARE_AIMED_AT, LOSS_ALLOWED = 0.7, 0.01
"""What a rule was to take of the headroom, and how far below weights of 1 it may be."""

LABEL_FREE_RULES = (BY_SYNTHETIC, MARGIN, CLIMB, *CLIMBS, GECO, CONTROL_VAE, UNCERTAINTY)
"""What changes weights in one training, and sees no label."""


def headroom(study: Study, dataset: str) -> Interval | None:
    """What the best fixed weights gain, or None where the map is not finished."""
    return difference(study, dataset, MAPPED, CONVENTIONAL)


def is_above_noise(found: Interval | None) -> bool:
    """Whether there is something to gain: a rule can show nothing where there is not.

    One seed tells nothing of how much trainings differ, so that it takes several.
    """
    return found is not None and len(found.per_seed) > 1 and found.low > 0


def share(study: Study, dataset: str, method: ComparedMethod) -> float | None:
    """Which share of the headroom a method takes; None where there is none, or it was not run.

    Both are gains over weights of 1 with the epoch that labels choose, in the mean over the seeds
    that the map and the method have.
    """
    if not is_above_noise(headroom(study, dataset)):
        return None
    gains, most = (_gains(study, dataset, each) for each in (method, MAPPED))
    seeds = sorted(set(gains) & set(most))
    if not seeds:
        return None
    return float(np.mean([gains[s] for s in seeds]) / np.mean([most[s] for s in seeds]))


def _gains(study: Study, dataset: str, method: ComparedMethod) -> dict[int, float]:
    """By seed, the gain over weights of 1."""
    found = difference(study, dataset, method, CONVENTIONAL)
    if found is None or method.seedless:
        return {}
    both = (each.outcomes(study, dataset) for each in (method, CONVENTIONAL))
    return dict(zip(sorted(set.intersection(*map(set, both))), found.per_seed, strict=True))


def headroom_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """By dataset the AUROCs that fixed weights reach, which are best, and the headroom."""
    rows = []
    for dataset in datasets:
        found = headroom(study, dataset)
        if found is None:
            continue
        seeds = [*MAPPED.outcomes(study, dataset)]
        aucs = {
            weights: {seed: of[seed].entry["auc"] for seed in seeds if seed in of}
            for weights, of in _map(study, dataset)
        }
        adapt = {weights: float(np.mean([*of.values()])) for weights, of in aucs.items() if of}
        chosen = []
        for seed in seeds:
            of_seed = {weights: of[seed] for weights, of in aucs.items() if seed in of}
            chosen.append(max(of_seed, key=of_seed.__getitem__))
        rows.append(
            [
                dataset,
                f"{percent(min(adapt.values()))} to {percent(max(adapt.values()))}",
                percent(adapt[1.0, 1.0]),
                ", ".join(dict.fromkeys(map(_in_words, chosen))),
                signed(found),
                "yes" if is_above_noise(found) else "no",
            ]
        )
    return table(
        ("dataset", "map, adapt", "weights 1, adapt", "best", "headroom, test", "above the noise"),
        rows,
    )


def shares_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """By method which share of the headroom it takes, where there is any, and its least gain."""
    there = _there(study, datasets)
    rows = []
    for method in methods_of(study, datasets):
        if method.seedless or method == CONVENTIONAL:
            continue
        shares = [share(study, dataset, method) for dataset in there]
        cells = [NOTHING if each is None else f"{100 * each:.0f}" for each in shares]
        mean, least = mean_share(study, datasets, method), least_gain(study, datasets, method)
        cells.append(NOTHING if mean is None else f"{100 * mean:.0f}")
        cells.append(NOTHING if least is None else f"{100 * least[0]:+.2f}, {least[1]}")
        rows.append([method.title, method.chosen_by, *cells])
    return table(("method", "epoch chosen by", *there, "mean", "least gain, points"), rows)


def mean_share(study: Study, datasets: Sequence[str], method: ComparedMethod) -> float | None:
    """The mean of `share` where there is any headroom; None unless it was run on all of these."""
    shares = [share(study, dataset, method) for dataset in _there(study, datasets)]
    known = [each for each in shares if each is not None]
    return float(np.mean(known)) if len(known) == len(shares) > 0 else None


def least_gain(
    study: Study, datasets: Sequence[str], method: ComparedMethod
) -> tuple[float, str] | None:
    """Where a method gains least over weights of 1, in the mean over the seeds, and how much.

    Their epoch is chosen by labels or as the method's is, whichever leaves less. None unless it was
    run on all datasets.
    """
    known: dict[str, float] = {}
    for dataset in datasets:
        bases = (CONVENTIONAL, conventional_for(method))
        gains = [difference(study, dataset, method, base) for base in bases]
        known |= {dataset: min(gain.mean for gain in gains if gain)} if any(gains) else {}
    if not known or len(known) < len(datasets):
        return None
    where = min(known, key=known.__getitem__)
    return known[where], where


def aim_lines(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Whether a rule without labels, of one training, takes most of what there is to gain."""
    yield (
        f"A rule that needs no label and one training was to take {100 * SHARE_AIMED_AT:.0f} % of "
        f"it in the mean, and to be nowhere more than {100 * LOSS_ALLOWED:.0f} point below weights "
        f"of 1. {_outcome(study, datasets)}"
    )


def _outcome(study: Study, datasets: Sequence[str]) -> str:
    tried = []
    for rule in LABEL_FREE_RULES:
        taken, least = mean_share(study, datasets, rule), least_gain(study, datasets, rule)
        if taken is not None and least is not None:
            text = f"{rule.title} ({100 * taken:.0f} %, {100 * least[0]:+.2f} points on {least[1]})"
            does = taken >= SHARE_AIMED_AT and least[0] >= -LOSS_ALLOWED
            tried.append((taken, text, does))
    if not tried:
        return "None was run on every dataset with a map that is finished."
    if reached := [text for _, text, does in tried if does]:
        return f"This is reached by: {', '.join(reached)}."
    count = quantity(len(tried), "rule")
    return f"Of {count} that were run everywhere none reaches it; most takes {max(tried)[1]}."


def _there(study: Study, datasets: Sequence[str]) -> list[str]:
    """The datasets with something to gain."""
    return [each for each in datasets if is_above_noise(headroom(study, each))]


def plot_headroom(study: Study, directory: Path) -> str | None:
    """Draws the maps of the first seed that all weights have; the name of the file, if any."""
    maps = []
    for dataset in study.datasets:
        seeds = MAPPED.outcomes(study, dataset)
        if not seeds:
            continue
        seed, column = next(iter(seeds)), SIGNALS["labels"].auc
        found = {weights: of[seed] for weights, of in _map(study, dataset) if seed in of}
        weights = sorted(found, reverse=True)
        aucs = [found[each].history()[column] for each in weights]
        names = tuple(map(_in_words, weights))
        maps.append(WeightMap(f"{dataset}, seed {seed}", names, np.array(aucs)))
    if not maps:
        return None
    plot_maps(directory / FIGURE, maps)
    return FIGURE


def _map(study: Study, dataset: str) -> Iterator[tuple[tuple[float, float], dict[int, Outcome]]]:
    """By weights, what came of them with each seed."""
    return ((w, each.outcomes(study, dataset)) for w, each in map_of(dataset).items())


def _in_words(weights: tuple[float, float]) -> str:
    kl, log_variance = weights
    return f"{kl:g}" if log_variance == 1 else f"{kl:g}, log-variance {log_variance:g}"
