"""What a trained model is worth: its scores, rates and figures."""

import csv
from itertools import count
from pathlib import Path

import keras
import numpy as np

from data import PreparedData, scoring_batches
from evaluation import SCORES, Scorer, auroc, rates, youden_threshold
from evaluation.figures import (
    Example,
    plot_examples,
    plot_histogram,
    plot_roc,
    plot_transitions,
)
from experiments.config import Config
from losses import TERMS
from storage import write_csv

SCORING_BATCH_SIZE = 64
MAX_EXAMPLES = 4
SCORED_SPLITS = ("calibration", "adapt", "test")


def evaluate(
    directory: Path, config: Config, data: PreparedData, *, seed: int, epoch: int, title: str
) -> dict:
    """Scores every image that was not trained on, and writes `scores.csv` and the figures.

    Args:
        directory: where `model.keras` and `history.csv` are and the rest goes.
        config: the settings.
        data: the images.
        seed: the run's seed.
        epoch: the epoch that the model is of.
        title: what the figures call the run.

    Returns:
        The run's entry in `summary.json`.
    """
    model = keras.saving.load_model(directory / "model.keras")
    scorer = Scorer(model, SCORES[config.score], config.image_size)
    scores = {
        split: scorer(scoring_batches(data.cache, data.positions[split], SCORING_BATCH_SIZE))
        for split in SCORED_SPLITS
    }
    _write_scores(directory / "scores.csv", data, scores)
    labelled = {
        split: (data.labels[split], scores[split])
        for split in ("adapt", "test")
        if len(scores[split])
    }
    threshold = youden_threshold(*labelled["adapt"])
    result = {"seed": seed, "epoch": epoch} | _figures_of_merit(labelled, threshold)
    _plot(directory, config, data, scorer, labelled, result, f"{title}, epoch {epoch}")
    return result


def _figures_of_merit(labelled, threshold):
    merit = {}
    for split, prefix in (("adapt", ""), ("test", "test_")):
        values = {"auc": None, "sensitivity": None, "specificity": None}
        if split in labelled:
            sensitivity, specificity = rates(*labelled[split], threshold)
            values = {
                "auc": auroc(*labelled[split]),
                "sensitivity": sensitivity,
                "specificity": specificity,
            }
        merit |= {f"{prefix}{name}": value for name, value in values.items()}
    return {"auc": merit["auc"], "test_auc": merit["test_auc"], "threshold": threshold} | merit


def _write_scores(path, data, scores):
    rows = [
        {"image": item.name, "split": split, "label": item.label, "score": repr(float(score))}
        for split in SCORED_SPLITS
        for item, score in zip(data.items[split], scores[split], strict=True)
    ]
    write_csv(path, ["image", "split", "label", "score"], rows)


def example_indices(data: PreparedData, label: int | None = None) -> np.ndarray:
    """Adapt images to show: the first of each kind, then the second of each, up to four a class.

    The choice is by the order of the images alone, so all methods and seeds show the same.

    Args:
        data: the images.
        label: 0 for normal ones, 1 for anomalous ones, None for both.

    Returns:
        Indices into the adapt split.
    """
    if label is None:
        return np.concatenate([example_indices(data, 0), example_indices(data, 1)])
    counters = {}
    turns = []
    for index, item in enumerate(data.items["adapt"]):
        if item.label == label:
            turns.append((next(counters.setdefault(item.defect, count())), index))
    return np.array([index for _, index in sorted(turns)[:MAX_EXAMPLES]])


def _plot(directory, config, data, scorer, labelled, result, title):
    figures = directory / "figures"
    label = SCORES[config.score].label
    history = _read_columns(directory / "history.csv")
    plot_transitions(
        figures / "transitions.png",
        aucs=history["adapt_auc"],
        weights={term: history[f"weight_{term}"] for term in TERMS[config.likelihood]},
        title=title,
    )
    for value, name in enumerate(("normal", "anomalous")):
        indices = example_indices(data, value)
        x = data.images("adapt", indices)
        examples = [
            _example(data.items["adapt"][index], original, reconstruction, score)
            for index, original, reconstruction, score in zip(
                indices,
                x[..., 0],
                scorer.reconstruct(x).numpy()[..., 0],
                labelled["adapt"][1][indices],
                strict=True,
            )
        ]
        plot_examples(
            figures / f"reconstructions_{name}.png",
            examples,
            score=label,
            title=f"{name} images, {title}",
        )
    for split, (labels, scores) in labelled.items():
        plot_histogram(
            figures / f"histogram_{split}.png",
            labels=labels,
            scores=scores,
            threshold=result["threshold"],
            score=label,
            title=f"{split} images, {title}",
        )
    plot_roc(
        figures / "roc.png",
        {f"{split} images, AUC {auroc(*pair):.4f}": pair for split, pair in labelled.items()},
        point=(result["sensitivity"], result["specificity"]),
        title=title,
    )


def _example(item, x, x_hat, score):
    mask = item.load_mask() if item.load_mask and item.label else None
    return Example(name=item.name, x=x, x_hat=x_hat, score=float(score), mask=mask)


def _read_columns(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}
