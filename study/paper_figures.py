"""The paper's figures of results (Figs. 14 to 24), from the files of the study."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from awl_vae.callbacks import CONVENTIONAL as SEARCH_CONVENTIONAL, NONE, EpochRow, SearchPlan
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.evaluation import SCORES
from awl_vae.figures.curves import plot_transitions
from awl_vae.figures.images import plot_examples
from awl_vae.losses import TERMS
from awl_vae.study.compared_methods import BY_LABELS, BY_LOSS
from awl_vae.study.grid import EPOCHS
from awl_vae.study.run_files import Outcome, Study, StudyRun
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.loss_adapted import search_plan
from awl_vae.training.methods import title_of
from awl_vae.training.search_figures import plot_search

OF_AUC, OF_LOSS = "bellows", "square"
"""The datasets of the paper's figures."""

AUC_METHODS = ("conventional", "auc_adapted")
SEARCH_METHODS = ("loss_adapted", "conventional")

NOT_READ = ("branch", "selected", "adapt_auc")
"""Columns of `branches.csv` that the figures need no number of."""


def plot_study(study: Study, directory: Path) -> Iterator[tuple[str, str]]:
    """Draws what the finished runs allow.

    Args:
        study: the files.
        directory: where the PNG files go.

    Yields:
        (name of a file, what it shows).
    """
    if (run := study.get(OF_AUC, BY_LABELS.run)) is not None:
        yield from _auc_adapted(run, directory)
    if (run := study.get(OF_LOSS, BY_LOSS.run)) is not None:
        yield from _loss_adapted(run, directory)
    yield from _products(study, directory)


def _auc_adapted(run: StudyRun, directory: Path) -> Iterator[tuple[str, str]]:
    seed = run.config["seeds"][0]
    by_method = {method: run.outcomes(method) for method in AUC_METHODS}
    if all(seed in by_seed for by_seed in by_method.values()):
        outcomes = {method: by_seed[seed] for method, by_seed in by_method.items()}
        titles = {
            method: f"{run.dataset}, {title_of(method)}, seed {seed}" for method in AUC_METHODS
        }
        yield from _transitions(run, outcomes, titles, directory)
        yield from _reconstructions(run, outcomes, titles, directory)


def _transitions(
    run: StudyRun, outcomes: Mapping[str, Outcome], titles: Mapping[str, str], directory: Path
) -> Iterator[tuple[str, str]]:
    """Figs. 14 and 15: the AUROC and the weights of each method."""
    for number, (method, outcome) in enumerate(outcomes.items(), 14):
        history = {column: values.tolist() for column, values in outcome.history().items()}
        name = f"fig{number}_transitions_{method}.png"
        plot_transitions(
            directory / name,
            aucs={SIGNALS["labels"].label: history[SIGNALS["labels"].auc]},
            weights={term: history[f"weight_{term}"] for term in TERMS[run.config["likelihood"]]},
            is_ladder=False,
            title=titles[method],
        )
        yield name, f"**Fig. {number}.** AUC and weights by epoch, {title_of(method)}."


def _reconstructions(
    run: StudyRun, outcomes: Mapping[str, Outcome], titles: Mapping[str, str], directory: Path
) -> Iterator[tuple[str, str]]:
    """Figs. 16 to 19: a normal and an anomalous image, as each method sees them."""
    score = SCORES[run.config["score"]].label
    numbers = itertools.count(16)
    for kind, an_image in (("normal", "A normal"), ("anomalous", "An anomalous")):
        examples = {method: outcome.examples()[kind][0] for method, outcome in outcomes.items()}
        largest = max(float(each.squared_error.max()) for each in examples.values())
        for method, example in examples.items():
            number, epoch = next(numbers), outcomes[method].entry["epoch"]
            name = f"fig{number}_{kind}_{method}.png"
            title = f"{titles[method]}, epoch {epoch}"
            plot_examples(directory / name, [example], score=score, title=title, largest=largest)
            yield (
                name,
                f"**Fig. {number}.** {an_image} image, reconstructed by the {title_of(method)} at "
                f"its best epoch ({epoch}), {score} = {example.score:.6f}; both methods show the "
                "same image, on one scale of errors.",
            )


SEARCH_FIGURES = {
    "losses_stage_1": "**Fig. 20.** The loss in stage 1, the conventional VAE's, before the "
    "branches.",
    "losses_stage_2": "**Fig. 21.** The losses of the branches of stage 2, named by the terms "
    "whose weights fall; where none does it is the conventional VAE.",
    "losses_stage_3": "**Fig. 22.** The losses of the branches of stage 3.",
    "weights_chosen": "**Fig. 23.** The weights of the chosen path.",
    "weights_strongest": "**Fig. 24.** The weights of the branch in which their sum fell most in "
    "one stage.",
    "terms_and_weights": "**Fig. 8.** The terms of that branch beside their weights.",
}


def _loss_adapted(run: StudyRun, directory: Path) -> Iterator[tuple[str, str]]:
    seed = run.config["seeds"][0]
    found, conventional = (run.outcomes(method).get(seed) for method in SEARCH_METHODS)
    if found is None or conventional is None:
        return
    plan = search_plan(LossAdaptedConfig.from_json(run.config))
    rows = _rows(plan, found.branches(), conventional.history())
    plot_search(directory, plan, rows=rows, title=f"{run.dataset}, seed {seed}")
    for name, text in SEARCH_FIGURES.items():
        if (directory / f"{name}.png").exists():
            yield f"{name}.png", text


def _rows(
    plan: SearchPlan,
    branches: Sequence[Mapping[str, str]],
    conventional: Mapping[str, np.ndarray],
) -> list[EpochRow]:
    """The rows of a search, from `branches.csv` and the history of the conventional VAE."""
    rows = []
    for row in branches:
        numbers = {name: float(row[name]) for name in row if name not in NOT_READ}
        rows.append(_row(plan, int(row["stage"]), row["branch"], numbers))
    if plan.chosen(rows, 2) == NONE:
        return rows
    # Where a weight has fallen the conventional VAE of stage 3 is none of its branches.
    for index in np.flatnonzero(conventional["epoch"] > plan.ends[1]):
        numbers = {name: float(values[index]) for name, values in conventional.items()}
        numbers["loss_unweighted"] = sum(numbers[term] for term in plan.terms)
        rows.append(_row(plan, 3, SEARCH_CONVENTIONAL, numbers))
    return rows


def _row(plan: SearchPlan, stage: int, branch: str, numbers: Mapping[str, float]) -> EpochRow:
    """What one epoch gave, its AUROC aside, which no figure shows."""
    terms = {term: numbers[term] for term in plan.terms}
    weights = {term: numbers[f"weight_{term}"] for term in plan.terms}
    return EpochRow(
        stage,
        branch,
        int(numbers["epoch"]),
        loss=sum(weights[term] * terms[term] for term in plan.terms),
        loss_unweighted=numbers["loss_unweighted"],
        terms=terms,
        weights=weights,
        adapt_auc=None,
    )


def _products(study: Study, directory: Path) -> Iterator[tuple[str, str]]:
    """A defect of each dataset, as the AUC-adapted VAE sees it."""
    shown = []
    for dataset in EPOCHS:
        if (run := study.get(dataset, BY_LABELS.run)) is not None:
            outcome = run.outcomes(BY_LABELS.name).get(run.config["seeds"][0])
            if outcome is None:
                continue
            (example,) = outcome.examples()["anomalous"]
            name = f"{dataset}, epoch {outcome.entry['epoch']}"
            mse = float(example.squared_error.mean())
            shown.append(replace(example, name=name, score=mse))
    if shown:
        title = "An anomalous image of each dataset, by the AUC-adapted VAE"
        file = directory / "products.png"
        plot_examples(file, shown, score="MSE", title=title, one_scale=False)
        yield (
            "products.png",
            f"{title} at its best epoch by labels, first seed; a marked defect is "
            "outlined in red (those of elpv are not marked).",
        )
