"""The tables of the results page, as lines of Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from evaluation import SCORES
from evaluation.bootstrap import Interval, auroc_interval, difference_interval
from experiments.reporting.files import Outcome, Study
from experiments.study_runs import runs_of

BEST_FIXED = "best fixed"


@dataclass(frozen=True)
class Contestant:
    """A method as the page compares it.

    Attributes:
        title: what it is called.
        run: the name of its run, or `BEST_FIXED`.
        method: the method of that run.
        chosen_by: what chose its epoch.
        seedless: whether no seed matters, so that one run stands beside every seed of others.
    """

    title: str
    run: str
    method: str
    chosen_by: str
    seedless: bool = False

    def outcomes(self, study: Study, dataset: str) -> dict[int, Outcome]:
        """By seed, what its figures come from; none where its run is missing."""
        if self.run == BEST_FIXED:
            return _best_fixed(study, dataset)
        run = study.get(dataset, self.run)
        return {} if run is None else run.outcomes(self.method)


CONVENTIONAL = Contestant("Conventional VAE", "labels", "conventional", "labels")
BY_LABELS = Contestant("AUC-adapted VAE", "labels", "auc_adapted", "labels")
BASIS = Contestant(
    "Conventional VAE", "synthetic-conventional", "conventional", "synthetic defects"
)
BY_SYNTHETIC = Contestant("AUC-adapted VAE", "synthetic", "auc_adapted", "synthetic defects")
CLIMB = Contestant("AUC-adapted VAE, climb", "synthetic-climb", "auc_adapted", "synthetic defects")
FIXED = Contestant("β-VAE, best fixed weight", BEST_FIXED, "beta_vae", "synthetic defects")
RECONSTRUCTION = Contestant(
    "β-VAE, reconstruction alone", "beta-1e-10", "beta_vae", "synthetic defects"
)
AUTOENCODER = Contestant("Autoencoder", "autoencoder", "autoencoder", "synthetic defects")
LAST = Contestant("Conventional VAE", "loss", "conventional", "last epoch")
BY_LOSS = Contestant("Loss-adapted VAE", "loss", "loss_adapted", "last epoch")
PCA = Contestant("PCA", "baselines", "pca", "–", seedless=True)
MEAN_IMAGE = Contestant("Mean image", "baselines", "mean_image", "–", seedless=True)
CONTESTANTS = (
    *(CONVENTIONAL, BY_LABELS, BASIS, BY_SYNTHETIC, CLIMB, FIXED, RECONSTRUCTION),
    *(AUTOENCODER, LAST, BY_LOSS, PCA, MEAN_IMAGE),
)
"""All that is compared, in the order of the tables."""


def _best_fixed(study, dataset):
    """By seed, the weight with the highest AUROC of synthetic defects."""
    weights = [run.name for run in runs_of(dataset, "quick") if run.name.startswith("beta-")]
    wanted = [("synthetic-conventional", "conventional"), *((name, "beta_vae") for name in weights)]
    found = [(study.get(dataset, name), method) for name, method in wanted]
    if any(run is None for run, _ in found):
        return {}
    candidates = [run.outcomes(method) for run, method in found]
    return {
        seed: max(
            (outcomes[seed] for outcomes in candidates),
            key=lambda outcome: outcome.entry["synthetic_auc"],
        )
        for seed in sorted(set.intersection(*map(set, candidates)))
    }


def interval(study: Study, dataset: str, contestant: Contestant, splits=("test",)):
    """The AUROC of a contestant over its seeds, or None where it is missing."""
    outcomes = contestant.outcomes(study, dataset)
    if not outcomes:
        return None
    labels, scores = _scores(outcomes.values(), splits)
    return auroc_interval(labels, scores)


def difference(
    study: Study, dataset: str, contestant: Contestant, other: Contestant, splits=("test",)
) -> Interval | None:
    """How much higher the AUROC of a contestant is than that of another, by their common seeds."""
    ours, theirs = (each.outcomes(study, dataset) for each in (contestant, other))
    if contestant.seedless and ours:
        ours = dict.fromkeys(theirs, next(iter(ours.values())))
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return None
    labels, scores = _scores([ours[seed] for seed in seeds], splits)
    same, others = _scores([theirs[seed] for seed in seeds], splits)
    if not np.array_equal(labels, same):
        raise ValueError(f"Expected the same images in all runs. Received: others, {dataset}.")
    return difference_interval(labels, scores, others)


def _scores(outcomes, splits):
    pairs = [outcome.scores(splits) for outcome in outcomes]
    return pairs[0][0], [scores for _, scores in pairs]


def percent(value: Interval | None) -> str:
    """Mean ± standard deviation over the seeds, in %."""
    if value is None:
        return "–"
    if len(value.per_seed) == 1:
        return f"{100 * value.mean:.2f}"
    return f"{100 * value.mean:.2f} ± {100 * np.std(value.per_seed, ddof=1):.2f}"


def signed(value: Interval | None) -> str:
    """A difference in points with its interval, and how many seeds agree in sign."""
    if value is None:
        return "–"
    low, mean, high = (100 * number for number in (value.low, value.mean, value.high))
    agree = sum(np.sign(each) == np.sign(value.mean) for each in value.per_seed)
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}] {agree}/{len(value.per_seed)}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown, line by line."""
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def methods_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """AUROC on the test images, a row a contestant and a column a dataset."""
    rows = (
        [each.title, each.chosen_by, *(percent(interval(study, d, each)) for d in datasets)]
        for each in CONTESTANTS
    )
    return table(("method", "epoch chosen by", *datasets), rows)


def differences_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Differences to the conventional VAE whose epoch was chosen in the same way."""
    basis = {"labels": CONVENTIONAL, "last epoch": LAST}
    rows = (
        [
            each.title,
            each.chosen_by,
            *(
                signed(difference(study, d, each, basis.get(each.chosen_by, BASIS)))
                for d in datasets
            ),
        ]
        for each in CONTESTANTS
        if each not in (CONVENTIONAL, BASIS, LAST)
    )
    return table(("method", "epoch chosen by", *datasets), rows)


def scores_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """AUROC by score: of synthetic defects, which can choose it, and on the test images."""
    rows = []
    for dataset in datasets:
        for each in (BASIS, CLIMB, PCA):
            entries = [outcome.entry for outcome in each.outcomes(study, dataset).values()]
            if not entries:
                continue
            means = {
                score: [
                    100 * np.mean([entry["by_score"][score][name] for entry in entries])
                    for name in ("synthetic_auc", "test_auc")
                ]
                for score in SCORES
            }
            best = max(means, key=lambda score: means[score][0])
            cells = [f"{synthetic:.2f} / {test:.2f}" for synthetic, test in means.values()]
            rows.append([dataset, each.title, *cells, best])
    return table(("dataset", "method", *SCORES, "chosen"), rows)


def signals_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """Spearman's correlation of the two AUROCs over the epochs, mean and range over seeds."""
    rows = []
    for dataset in datasets:
        for each in (BASIS, BY_LABELS, CLIMB, RECONSTRUCTION):
            values = []
            for outcome in each.outcomes(study, dataset).values():
                history = outcome.history()
                pair = history["adapt_auc"], history["adapt_auc_synthetic"]
                if all(np.ptp(aucs) > 0 for aucs in pair):
                    values.append(spearmanr(*pair).statistic)
            if values:
                shown = f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"
                rows.append([dataset, f"{each.title}, by {each.chosen_by}", shown])
    return table(("dataset", "training", "Spearman over epochs"), rows)
