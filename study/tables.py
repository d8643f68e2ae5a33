"""The tables of the results page, as lines of Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from scipy.stats import spearmanr

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.evaluation.intervals import Interval
from awl_vae.study.compared_methods import (
    BASIS,
    BY_LABELS,
    CLIMB,
    CLIMB_BY_CHOSEN,
    CONVENTIONAL,
    FIXED,
    LAST,
    PCA,
    RECONSTRUCTION,
    ComparedMethod,
    aucs,
    conventional_for,
    difference,
    fixed_weights,
    methods_of,
)
from awl_vae.study.grid import FIVE
from awl_vae.study.run_files import Study
from awl_vae.system.markdown import NOTHING, percent, table


def mean_and_std(values: Sequence[float | None]) -> str:
    """Mean ± sample standard deviation over the seeds, in %, and their number where not five."""
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING
    if len(known) == 1:
        return percent(known[0])
    number = "" if len(known) == len(FIVE.split(",")) else f" ({len(known)})"
    return percent(float(np.mean(known)), float(np.std(known, ddof=1))) + number


def signed(value: Interval | None) -> str:
    """A difference in points with its interval, and how many seeds agree in sign."""
    if value is None:
        return NOTHING
    low, mean, high = (100 * number for number in (value.low, value.mean, value.high))
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}] {agreement(value)}"


def agreement(value: Interval) -> str:
    """How many seeds of how many have the sign of the mean; 0 has none."""
    signs = np.sign(value.per_seed)
    return f"{np.sum((signs == np.sign(value.mean)) & (signs != 0))}/{len(signs)}"


def methods_table(
    study: Study, datasets: Sequence[str], protocol: str, methods: Iterable[ComparedMethod]
) -> Iterator[str]:
    """AUROC, a row a method and a column a dataset."""

    def cell(method: ComparedMethod, dataset: str) -> str:
        return mean_and_std(aucs(study, dataset, method, protocol))

    rows = ([each.title, each.chosen_by, *(cell(each, d) for d in datasets)] for each in methods)
    return table(("method", "epoch chosen by", *datasets), rows)


def differences_table(study: Study, datasets: Sequence[str], protocol: str) -> Iterator[str]:
    """Differences to the conventional VAE whose epoch was chosen in the same way, by that score."""
    rows = (
        [
            each.title,
            each.chosen_by,
            *(
                signed(difference(study, d, each, conventional_for(each), protocol))
                for d in datasets
            ),
        ]
        for each in methods_of(study, datasets)
        if each not in (CONVENTIONAL, BASIS, LAST)
    )
    return table(("method", "epoch chosen by", *datasets), rows)


def fixed_weights_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """AUROC by fixed weight of the KL term, and with how many seeds it was the chosen one."""
    rows = []
    for dataset in datasets:
        candidates = fixed_weights(dataset)
        found = [each.outcomes(study, dataset) for each in candidates.values()]
        if not all(found):
            continue
        chosen = FIXED.outcomes(study, dataset)
        for weight, outcomes in zip(candidates, found, strict=True):
            entries = [outcome.entry for outcome in outcomes.values()]
            wins = sum(outcomes.get(seed) == outcome for seed, outcome in chosen.items())
            aucs_of = ([e[name] for e in entries] for name in ("synthetic_auc", "test_auc"))
            rows.append([dataset, weight, *map(mean_and_std, aucs_of), f"{wins}/{len(chosen)}"])
    return table(("dataset", "KL weight", "AUC, synthetic", "AUC, test", "chosen"), rows)


def scores_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """AUROC by score: of synthetic defects, which can choose it, and on the test images."""
    entries_of = {
        (dataset, each): entries
        for dataset in datasets
        for each in (BASIS, CLIMB, CLIMB_BY_CHOSEN, PCA)
        if (entries := [outcome.entry for outcome in each.outcomes(study, dataset).values()])
    }
    # Those that the runs were scored by: a score may be newer.
    scores = dict.fromkeys(
        name for own in entries_of.values() for e in own for name in e["by_score"]
    )
    rows = []
    for (dataset, each), entries in entries_of.items():
        means = {
            score: [
                100 * np.mean([entry["by_score"][score][name] for entry in entries])
                for name in ("synthetic_auc", "test_auc")
            ]
            for score in scores
        }
        cells = [f"{synthetic:.2f} / {test:.2f}" for synthetic, test in means.values()]
        rows.append([dataset, each.title, each.chosen_by, *cells])
        for which in (0, 1):
            highest = max(pair[which] for pair in means.values())
            best = [score for score, pair in means.items() if pair[which] == highest]
            rows[-1].append(", ".join(best))
    chosen = ("highest synthetic", "highest test")
    return table(("dataset", "method", "epoch chosen by", *scores, *chosen), rows)


def signals_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Spearman's correlation of the two AUROCs over the epochs, mean and range over seeds."""
    rows = []
    for dataset in datasets:
        for each in (CONVENTIONAL, BY_LABELS, CLIMB, CLIMB_BY_CHOSEN, RECONSTRUCTION):
            outcomes = each.outcomes(study, dataset).values()
            if outcomes:
                shown = _correlations([outcome.history() for outcome in outcomes])
                rows.append([dataset, each.title, each.chosen_by, shown])
    return table(("dataset", "training", "steered by", "Spearman over epochs"), rows)


def _correlations(histories: Sequence[Mapping[str, np.ndarray]]) -> str:
    columns = [SIGNALS[name].auc for name in ("labels", "synthetic")]
    pairs = [[history[column] for column in columns] for history in histories]
    values = [spearmanr(*pair).statistic for pair in pairs if all(map(np.ptp, pair))]
    if not values:
        return "one is constant"
    constant = len(pairs) - len(values)
    note = f"; one is constant with {constant} of {len(pairs)} seeds" if constant else ""
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f}){note}"
