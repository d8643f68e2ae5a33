"""What the results page compares: methods as runs of the study, and their AUROCs."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from awl_vae.evaluation import auroc
from awl_vae.evaluation.intervals import Interval, auroc_interval, difference_interval
from awl_vae.study.grid import (
    CHOSEN_SCORE,
    CLIMB_RUNS,
    JUDGED,
    SEARCH_TITLES,
    map_name,
    map_weights,
    runs_of,
)
from awl_vae.study.run_files import Outcome, Study, StudyRun

BEST_FIXED, BEST_OF_MAP = "best fixed", "best of the map"
HELDOUT, PAPER = "heldout", "paper"
"""The protocols: on images that steered nothing, and on all that the paper's protocol steers by."""


@dataclass(frozen=True)
class ComparedMethod:
    """A method as the page compares it.

    Attributes:
        title: what it is called.
        run: the name of its run, or `BEST_FIXED` or `BEST_OF_MAP`.
        name: what that run calls it.
        chosen_by: what chose its epoch.
        seedless: whether no seed matters, so that one run stands beside every seed of others.
        score: the score, or None for the run's own.
    """

    title: str
    run: str
    name: str
    chosen_by: str
    seedless: bool = False
    score: str | None = None

    def outcomes(self, study: Study, dataset: str, protocol: str = HELDOUT) -> dict[int, Outcome]:
        """By seed, what its figures come from; none where its run is missing."""
        if self.run == BEST_FIXED:
            return _best(study, dataset, fixed_weights(dataset).values(), "synthetic_auc")
        if self.run == BEST_OF_MAP:
            return _best(study, dataset, map_of(dataset).values(), "auc")
        run = self._run(study, dataset, protocol)
        return {} if run is None else run.outcomes(self.name)

    def seeds(self, study: Study, dataset: str) -> set[int]:
        """The seeds that its run ended with, well or not."""
        run = self._run(study, dataset, HELDOUT)
        return set() if run is None else run.seeds

    def _run(self, study: Study, dataset: str, protocol: str) -> StudyRun | None:
        # Elsewhere, and for what sees no label, the protocols train the same.
        is_apart = protocol == PAPER and dataset in JUDGED and self.chosen_by == "labels"
        return study.get(dataset, f"{self.run}-paper_protocol" if is_apart else self.run)

    def by(self, score: str) -> "ComparedMethod":
        """The same with another score."""
        return replace(self, score=score, title=f"{self.title}, {score}")


SYNTHETIC = "synthetic defects"
CONVENTIONAL = ComparedMethod("Conventional VAE", "labels", "conventional", "labels")
BY_LABELS = ComparedMethod("AUC-adapted VAE", "labels", "auc_adapted", "labels")
BASIS = ComparedMethod("Conventional VAE", "synthetic-conventional", "conventional", SYNTHETIC)
BY_SYNTHETIC = ComparedMethod("AUC-adapted VAE", "synthetic", "auc_adapted", SYNTHETIC)
CLIMB = ComparedMethod("AUC-adapted VAE, climb", "synthetic-climb", "auc_adapted", SYNTHETIC)
CLIMB_BY_CHOSEN = ComparedMethod(
    f"AUC-adapted VAE, climb, {CHOSEN_SCORE}",
    f"synthetic-climb-{CHOSEN_SCORE}",
    "auc_adapted",
    SYNTHETIC,
)
FIXED = ComparedMethod("β-VAE, best fixed weight", BEST_FIXED, "beta_vae", SYNTHETIC)
MAPPED = ComparedMethod("β-VAE, best of the map", BEST_OF_MAP, "beta_vae", "labels")
"""The fixed weights, and their epoch, that the adapt images say are best: what there is to gain."""

RECONSTRUCTION = ComparedMethod("β-VAE, reconstruction alone", "beta-1e-10", "beta_vae", SYNTHETIC)
AUTOENCODER = ComparedMethod("Autoencoder", "autoencoder", "autoencoder", SYNTHETIC)
BFLOAT16 = ComparedMethod("Conventional VAE, bfloat16", "bfloat16", "conventional", "labels")
GECO = ComparedMethod("GECO", "rivals", "geco", SYNTHETIC)
CONTROL_VAE = ComparedMethod("ControlVAE", "rivals", "control_vae", SYNTHETIC)
UNCERTAINTY = ComparedMethod("Uncertainty weights", "rivals", "uncertainty", SYNTHETIC)
SIGMA = ComparedMethod("σ-VAE", "sigma", "conventional", SYNTHETIC)
MARGIN = ComparedMethod("AUC-adapted VAE, margin", "synthetic-margin", "auc_adapted", SYNTHETIC)
CLIMBS = tuple(
    ComparedMethod(f"AUC-adapted VAE, {title}", run, "auc_adapted", SYNTHETIC)
    for title, run in zip(
        ("climb by an average", "climb from 0.3", "climb from 0.1"), CLIMB_RUNS, strict=True
    )
)
OTHER_SEARCHES = tuple(
    ComparedMethod(f"Loss-adapted VAE, {title}", run, "loss_adapted", "last epoch")
    for run, title in SEARCH_TITLES.items()
)
LAST = ComparedMethod("Conventional VAE", "loss", "conventional", "last epoch")
BY_LOSS = ComparedMethod("Loss-adapted VAE", "loss", "loss_adapted", "last epoch")
PCA = ComparedMethod("PCA", "baselines", "pca", "–", seedless=True)
MEAN_IMAGE = ComparedMethod("Mean image", "baselines", "mean_image", "–", seedless=True)
COMPARED_METHODS = (
    *(
        CONVENTIONAL,
        BFLOAT16,
        BY_LABELS,
        BASIS,
        BY_SYNTHETIC,
        MARGIN,
        CLIMB,
        *CLIMBS,
        CLIMB_BY_CHOSEN,
    ),
    *(FIXED, RECONSTRUCTION, AUTOENCODER, GECO, CONTROL_VAE, UNCERTAINTY, SIGMA),
    *(LAST, BY_LOSS, *OTHER_SEARCHES, PCA, MEAN_IMAGE),
)
"""All that is compared, in the order of the tables."""


def methods_of(study: Study, datasets: Sequence[str]) -> list[ComparedMethod]:
    """What was run on any of the datasets, in the order of the tables."""
    return [m for m in COMPARED_METHODS if any(m.outcomes(study, each) for each in datasets)]


def conventional_for(method: ComparedMethod) -> ComparedMethod:
    """The conventional VAE whose epoch was chosen in the same way, by the same score."""
    if method == CLIMB_BY_CHOSEN:
        return BASIS.by(CHOSEN_SCORE)
    return {"labels": CONVENTIONAL, "last epoch": LAST}.get(method.chosen_by, BASIS)


def fixed_weights(dataset: str) -> dict[str, ComparedMethod]:
    """By fixed weight of the KL term, its method."""
    names = [run.name for run in runs_of(dataset, "quick") if run.name.startswith("beta-")]
    return {"1": BASIS} | {name.removeprefix("beta-"): replace(FIXED, run=name) for name in names}


def map_of(dataset: str) -> dict[tuple[float, float], ComparedMethod]:
    """By weights of KL term and log-variance, the method that has them all along."""
    return {(1.0, 1.0): CONVENTIONAL} | {
        weights: replace(MAPPED, run=map_name(*weights)) for weights in map_weights(dataset)
    }


def _best(
    study: Study, dataset: str, methods: Iterable[ComparedMethod], merit: str
) -> dict[int, Outcome]:
    """By seed of all of them, the outcome with the highest AUROC of a kind, a key of its entry.

    A training that stopped, as its loss was no number any more, is not the best.
    """
    methods = list(methods)
    found = [each.outcomes(study, dataset) for each in methods]
    best = {}
    for seed in sorted(set.intersection(*(each.seeds(study, dataset) for each in methods))):
        of_seed = [outcomes[seed] for outcomes in found if seed in outcomes]
        if of_seed:
            best[seed] = max(of_seed, key=lambda each: each.entry[merit])
    return best


def aucs(
    study: Study, dataset: str, method: ComparedMethod, protocol: str = HELDOUT
) -> list[float]:
    """The AUROC with each seed; empty where the run is missing."""
    outcomes = method.outcomes(study, dataset, protocol).values()
    splits = _splits(dataset, protocol)
    return [auroc(*outcome.scores(splits, method.score)) for outcome in outcomes]


def interval(study: Study, dataset: str, method: ComparedMethod) -> Interval | None:
    """The mean AUROC on the test images with its interval, or None where the run is missing."""
    outcomes = method.outcomes(study, dataset)
    if not outcomes:
        return None
    return auroc_interval(*_scores(outcomes.values(), dataset, HELDOUT, method.score))


@functools.cache  # Claims, tables and the README ask for the same ones.
def difference(
    study: Study,
    dataset: str,
    method: ComparedMethod,
    other: ComparedMethod,
    protocol: str = HELDOUT,
) -> Interval | None:
    """How much higher the AUROC of a method is than that of another, by their common seeds."""
    ours, theirs = (each.outcomes(study, dataset, protocol) for each in (method, other))
    if method.seedless and ours:
        ours = dict.fromkeys(theirs, next(iter(ours.values())))
    if other.seedless and theirs:
        theirs = dict.fromkeys(ours, next(iter(theirs.values())))
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return None
    (labels, scores), (same, others) = (
        _scores([outcomes[seed] for seed in seeds], dataset, protocol, each.score)
        for each, outcomes in ((method, ours), (other, theirs))
    )
    if not np.array_equal(labels, same):
        raise ValueError(f"Expected the same images in all runs. Received: others, {dataset}.")
    return difference_interval(labels, scores, others)


def _splits(dataset: str, protocol: str) -> tuple[str, ...]:
    if protocol == HELDOUT:
        return ("test",)
    # Of generated images those of `test` are besides the paper's evaluation set.
    return ("adapt", "test") if dataset in JUDGED else ("adapt",)


def _scores(
    outcomes: Iterable[Outcome], dataset: str, protocol: str, score: str | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The labels of the images, which are the same for all, and the scores of each outcome."""
    pairs = [outcome.scores(_splits(dataset, protocol), score) for outcome in outcomes]
    return pairs[0][0], [scores for _, scores in pairs]
