"""The paper's figures of results (Figs. 14 to 24), from the files of the study."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from awl_vae.callbacks import CONVENTIONAL as SEARCH_CONVENTIONAL, NONE
from awl_vae.evaluation import SCORES
from awl_vae.figures.curves import plot_transitions
from awl_vae.figures.images import plot_examples
from awl_vae.losses import TERMS
from awl_vae.study.compared_methods import BY_LABELS, BY_LOSS
from awl_vae.study.grid import EPOCHS
from awl_vae.study.run_files import Study
from awl_vae.training.config import LossAdaptedConfig
from awl_vae.training.loss_adapted import search_plan
from awl_vae.training.methods import TITLES
from awl_vae.training.search_figures import plot_search

OF_AUC, OF_LOSS = "bellows", "square"
"""The datasets of the paper's figures."""

METHODS = ("conventional", "auc_adapted")
SEARCH_METHODS = ("loss_adapted", "conventional")


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


def _auc_adapted(run, directory):
    seed = run.config["seeds"][0]
    outcomes = {method: run.outcomes(method).get(seed) for method in METHODS}
    if None in outcomes.values():
        return
    for figure, (method, outcome) in zip(("14", "15"), outcomes.items(), strict=True):
        history = outcome.history()
        name = f"fig{figure}_transitions_{method}.png"
        plot_transitions(
            directory / name,
            aucs={"AUC, adapt images": history["adapt_auc"]},
            weights={term: history[f"weight_{term}"] for term in TERMS[run.config["likelihood"]]},
            is_ladder=False,
            title=f"{run.dataset}, {TITLES[method]}, seed {seed}",
        )
        yield name, f"**Fig. {figure}.** AUC and weights by epoch, {TITLES[method]}."
    score = SCORES[run.config["score"]].label
    number = 16
    for kind in ("normal", "anomalous"):
        examples = {method: outcome.examples()[kind][0] for method, outcome in outcomes.items()}
        largest = max(float(each.squared_error.max()) for each in examples.values())
        for method, example in examples.items():
            name = f"fig{number}_{kind}_{method}.png"
            epoch = outcomes[method].entry["epoch"]
            title = f"{run.dataset}, {TITLES[method]}, seed {seed}, epoch {epoch}"
            plot_examples(directory / name, [example], score=score, title=title, largest=largest)
            yield (
                name,
                f"**Fig. {number}.** {'A normal' if kind == 'normal' else 'An anomalous'} image, "
                f"reconstructed by the {TITLES[method]} at its best epoch ({epoch}), {score} = "
                f"{example.score:.6f}; both methods show the same image, on one scale of errors.",
            )
            number += 1


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


def _loss_adapted(run, directory):
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


def _rows(plan, branches, conventional):
    """The rows of a search, from `branches.csv` and the history of the conventional VAE."""
    texts = ("branch", "selected", "adapt_auc")
    rows = [
        {name: float(value) for name, value in row.items() if name not in texts}
        | {"branch": row["branch"], "stage": int(row["stage"]), "epoch": int(row["epoch"])}
        for row in branches
    ]
    if plan.chosen(rows, 2) == NONE:
        return rows
    # Where a weight has fallen the conventional VAE of stage 3 is none of its branches.
    epochs = conventional["epoch"].astype(int)
    for index in np.flatnonzero(epochs > plan.ends[1]):
        terms = {term: conventional[term][index] for term in plan.terms}
        rows.append(
            {"stage": 3, "branch": SEARCH_CONVENTIONAL, "epoch": int(epochs[index])}
            | {"loss_unweighted": sum(terms.values())}
            | terms
            | dict.fromkeys((f"weight_{term}" for term in plan.terms), 1.0)
        )
    return rows


def _products(study, directory):
    """A defect of each dataset, as the AUC-adapted VAE sees it."""
    shown = []
    for dataset in EPOCHS:
        if (run := study.get(dataset, BY_LABELS.run)) is not None:
            outcome = run.outcomes(BY_LABELS.method).get(run.config["seeds"][0])
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
