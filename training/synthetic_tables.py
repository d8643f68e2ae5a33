"""What the scores, and synthetic defects, tell of the models, for `summary.md`."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.system.markdown import percent, table
from awl_vae.training.methods import FEATURE_METHODS, LINEAR_METHODS, METHODS, score_of, title_of
from awl_vae.training.summary import over_seeds

NEAR_CHANCE = 0.6
"""An AUC of synthetic defects below this is worth a warning."""

WORSE = 0.4
"""An AUC below this is worse than chance."""

CLEARLY = 0.05
"""How much higher an AUC by another score is worth a word."""

COLUMNS = {"synthetic_auc": "synthetic defects", "auc": "adapt", "test_auc": "test"}
"""By AUC that a run has by score, what its column is called."""


def synthetic_lines(summary: Mapping[str, Any], *, has_labels: bool) -> Iterator[str]:
    """The AUC by score and by kind of synthetic defect, and what to do about it.

    Args:
        summary: what `summarize` returned.
        has_labels: whether there are labelled images.
    """
    per_seed = {
        method: rows
        for method, outcome in summary["methods"].items()
        if (rows := [row for row in outcome["per_seed"] if "synthetic_auc_by_kind" in row])
    }
    if not per_seed:
        return
    means = {method: _means(rows) for method, rows in per_seed.items()}
    yield "AUC by score, mean over the seeds:"
    yield ""
    yield from _by_score(means)
    yield ""
    own = {method: score_of(method, summary["score"]) for method in means}
    is_one = {*own.values()} == {summary["score"]}
    score = f"score {summary['score']}" if is_one else "each by its own score"
    yield f"AUC by kind of synthetic defect, {score}, mean over the seeds:"
    yield ""
    yield from _by_kind(per_seed)
    yield ""
    uses_labels = SIGNALS[summary.get("adapt_signal", "labels")].uses_labels and has_labels
    for method, of_scores in means.items():
        aucs = {score: merits["synthetic_auc"] or 0.0 for score, merits in of_scores.items()}
        is_trained = method not in {*LINEAR_METHODS, *FEATURE_METHODS}
        advice = _advice(aucs, own[method], is_free=not uses_labels, is_trained=is_trained)
        for text in (
            _emptiness(per_seed[method], METHODS[method].lower_kl) or advice,
            _worse_than_chance(of_scores[own[method]]["test_auc"]),
        ):
            if text:
                yield f"Warning: {title_of(method)} {text}"
                yield ""


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """By score and column, the mean over the seeds, or None where there is nothing."""
    return {
        score: {
            merit: over_seeds(statistics.fmean, [row["by_score"][score] for row in rows], merit)
            for merit in COLUMNS
        }
        for score in rows[0]["by_score"]
    }


def _by_score(means: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> Iterator[str]:
    """A row for each method and score; the columns that are there."""
    rows = [
        (method, score, merits)
        for method, of_scores in means.items()
        for score, merits in of_scores.items()
    ]
    shown = [name for name in COLUMNS if any(merits[name] is not None for *_, merits in rows)]
    return table(
        ("method", "score", *(COLUMNS[name] for name in shown)),
        (
            [title_of(method), score, *(percent(merits[name]) for name in shown)]
            for method, score, merits in rows
        ),
    )


def _by_kind(per_seed: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    kinds = list(next(iter(per_seed.values()))[0]["synthetic_auc_by_kind"])
    return table(
        ("method", *kinds),
        (
            [
                title_of(method),
                *(
                    percent(statistics.fmean(row["synthetic_auc_by_kind"][kind] for row in rows))
                    for kind in kinds
                ),
            ]
            for method, rows in per_seed.items()
        ),
    )


def _emptiness(rows: Sequence[Mapping[str, Any]], lower_kl: str) -> str | None:
    """What helps where the KL term has made a model give the same for every image."""
    empty = [str(row["seed"]) for row in rows if row.get("is_empty")]
    if not empty:
        return None
    return (
        f"is empty with seed {', '.join(empty)}: it reconstructs every image alike, and its latent "
        f"variables tell nothing. What may help: {lower_kl}."
    )


def _worse_than_chance(test_auc: float | None) -> str | None:
    """What to say of a detector that is wrong more often than a guess."""
    if test_auc is None or test_auc >= WORSE:
        return None
    return (
        f"has an AUC of {percent(test_auc)} % on the test images, where 50 is chance: it takes "
        "normal images for anomalous ones. Look whether the labels are the right way round."
    )


def _advice(
    aucs: Mapping[str, float], score: str, *, is_free: bool, is_trained: bool
) -> str | None:
    """What to do where synthetic defects are hardly found, or without labels, by a wrong score."""
    own, best = aucs[score], max(aucs, key=lambda name: aucs[name])
    is_better = aucs[best] > own + CLEARLY
    if own >= NEAR_CHANCE and not (is_free and is_better):
        return None
    text = f"finds synthetic defects with an AUC of {percent(own)} % by the score {score}"
    if own < NEAR_CHANCE:
        text += ", where 50 is chance"
        text += ": it takes normal images for anomalous ones" if own < WORSE else ""
    if is_better:
        return f"{text}, and of {percent(aucs[best])} % by {best}: try --score={best}."
    text += ". Look at the reconstructions"
    better = "more --epochs or `awl-vae baselines`" if is_trained else "a VAE"
    return f"{text}; {better} may do better."
