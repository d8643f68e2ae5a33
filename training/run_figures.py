"""The figures of a trained model: what is drawn, and which images are shown."""

from itertools import count
from pathlib import Path

import numpy as np

from awl_vae.data import PreparedData
from awl_vae.evaluation import SCORES, Scorer, auroc
from awl_vae.figures.curves import plot_histogram, plot_roc, plot_transitions
from awl_vae.figures.examples import Example, write_examples
from awl_vae.figures.images import plot_defects, plot_examples
from awl_vae.losses import TERMS
from awl_vae.system import numeric_columns, read_csv
from awl_vae.training.config import Config

MAX_EXAMPLES = 4


def example_images(data: PreparedData) -> np.ndarray:
    """The images (N, H, W, 1) in [0, 1] that are shown while a model trains.

    Up to four normal and four anomalous ones; without labels, calibration images.
    """
    split = _shown_split(data)
    indices = [index for label in (0, 1) for index in _example_indices(data, split, label)]
    return data.images(split, np.array(indices))


def plot_model(
    directory: Path,
    config: Config,
    *,
    data: PreparedData,
    scorer: Scorer,
    scores: dict[str, np.ndarray],
    result: dict,
    title: str,
) -> None:
    """Writes the figures of a trained model.

    Args:
        directory: where `history.csv` is; the figures go into its directory `figures`.
        config: the settings.
        data: the images.
        scorer: the model at work.
        scores: by split, the scores of its images.
        result: the run's entry in `summary.json`.
        title: what the figures call the model.
    """
    figures = directory / "figures"
    split = _shown_split(data)
    kinds = [(split, 0, "normal"), (split, 1, "anomalous")]
    if not (config.uses_labels and len(data.labels["adapt"])):
        kinds.append(("synthetic", 1, "synthetic"))
    shown_examples = {}
    for shown, label, name in kinds:
        indices = _example_indices(data, shown, label)
        if len(indices):
            shown_examples[name] = _examples(data, shown, indices, scorer, scores[shown])
            plot_examples(
                figures / f"reconstructions_{name}.png",
                shown_examples[name],
                score=SCORES[config.score].label,
                title=f"{name} images, {title}",
                one_scale=name != "synthetic",  # some defects are far fainter than others
            )
    write_examples(directory / "examples.npz", shown_examples)
    file = directory / "history.csv"
    history = numeric_columns(read_csv(file)) if file.exists() else {}
    aucs = {text: history[name] for name, text in _auc_labels(config).items() if name in history}
    if aucs:
        plot_transitions(
            figures / "transitions.png",
            aucs=aucs,
            weights={term: history[f"weight_{term}"] for term in TERMS[config.likelihood]},
            is_ladder=getattr(config, "patterns", None) == "ladder",
            title=title,
        )
    labelled = {
        split: (data.labels[split], scores[split])
        for split in ("adapt", "test")
        if len(data.labels[split])
    }
    synthetic = [(data.labels[split], scores[split]) for split in ("calibration", "synthetic")]
    judged = {"synthetic": tuple(map(np.concatenate, zip(*synthetic, strict=True)))} | labelled
    for split, (labels, values) in judged.items():
        is_synthetic = split == "synthetic"
        plot_histogram(
            figures / f"histogram_{split}.png",
            labels=labels,
            scores=values,
            threshold=result["threshold"],
            score=SCORES[config.score].label,
            title=f"{'synthetic defects' if is_synthetic else f'{split} images'}, {title}",
            anomalous="synthetic" if is_synthetic else "anomalous",
        )
    if not labelled:
        return
    plot_roc(
        figures / "roc.png",
        {f"{split} images, AUC {auroc(*pair):.4f}": pair for split, pair in labelled.items()},
        point=(result["sensitivity"], result["specificity"]),
        threshold="Youden" if config.uses_labels else "threshold",
        title=title,
    )


def plot_synthetic(path: Path, data: PreparedData, title: str) -> None:
    """Draws a synthetic copy of each kind, the defect outlined above and alone below."""
    first = {item.defect: index for index, item in reversed([*enumerate(data.items["synthetic"])])}
    indices = np.array(sorted(first.values()))
    images = data.images("synthetic", indices)[..., 0]
    masks = [data.items["synthetic"][index].load_mask() for index in indices]
    plot_defects(path, images, masks, [data.items["synthetic"][i].defect for i in indices], title)


def _auc_labels(config):
    """By column of the history, what an AUC is called; the one that steers is the first."""
    labels = {"adapt_auc": "AUC, adapt images", "adapt_auc_synthetic": "AUC, synthetic defects"}
    return labels if config.uses_labels else dict(reversed(labels.items()))


def _shown_split(data):
    return "adapt" if len(data.labels["adapt"]) else "calibration"


def _example_indices(data, split, label):
    """The first image of each kind, then the second of each, up to four.

    The choice is by the order of the images alone, so all methods and seeds show the same.
    """
    counters = {}
    turns = []
    for index, item in enumerate(data.items[split]):
        if item.label == label:
            turns.append((next(counters.setdefault(item.defect, count())), index))
    return np.array([index for _, index in sorted(turns)[:MAX_EXAMPLES]], np.int64)


def _examples(data, split, indices, scorer, scores):
    x = data.images(split, indices)
    x_hat = scorer.reconstruct(x).numpy()
    return [
        _example(data.items[split][index], original[..., 0], reconstruction[..., 0], scores[index])
        for index, original, reconstruction in zip(indices, x, x_hat, strict=True)
    ]


def _example(item, x, x_hat, score):
    mask = item.load_mask() if item.load_mask and item.label else None
    return Example(name=item.name, x=x, x_hat=x_hat, score=float(score), mask=mask)
