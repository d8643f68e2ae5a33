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
    COMPARED_METHODS,
    CONVENTIONAL,
    MAPPED,
    ComparedMethod,
    difference,
    map_of,
)
from awl_vae.study.run_files import Outcome, Study
from awl_vae.study.tables import signed
from awl_vae.system.markdown import NOTHING, percent, table

FIGURE = "headroom.png"


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

    Its gain is over the same as the headroom: weights of 1, with the epoch that labels choose.
    """
    there_is = headroom(study, dataset)
    gain = difference(study, dataset, method, CONVENTIONAL)
    if there_is is None or gain is None or not is_above_noise(there_is):
        return None
    return gain.mean / there_is.mean


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
    """By method which share of the headroom it takes, where there is any, in %."""
    there = [each for each in datasets if is_above_noise(headroom(study, each))]
    rows = []
    for method in COMPARED_METHODS:
        if method.seedless or method == CONVENTIONAL:
            continue
        shares = [share(study, dataset, method) for dataset in there]
        known = [each for each in shares if each is not None]
        mean = f"{100 * np.mean(known):.0f}" if len(known) == len(there) > 0 else NOTHING
        cells = [NOTHING if each is None else f"{100 * each:.0f}" for each in shares]
        rows.append([method.title, method.chosen_by, *cells, mean])
    return table(("method", "epoch chosen by", *there, "mean"), rows)


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
