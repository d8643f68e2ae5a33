"""The figures of a trained model: what is drawn, and which images are shown."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.data import Item, PreparedData
from awl_vae.data.images import shown
from awl_vae.data.reading import image_size
from awl_vae.evaluation import auroc
from awl_vae.evaluation.scores import SCORES_OF, FeatureScore, Score
from awl_vae.figures.curves import plot_histogram, plot_roc, plot_transitions
from awl_vae.figures.examples import Example, write_examples
from awl_vae.figures.images import plot_defects, plot_examples
from awl_vae.losses import TERMS
from awl_vae.system import numeric_columns, read_csv
from awl_vae.training.config import Config
from awl_vae.training.judges import Judge, View

MAX_EXAMPLES = 4

Scores = Mapping[str, np.ndarray]
"""By split, the scores (N,) of its images."""


def examples_of(data: PreparedData) -> tuple[str, np.ndarray]:
    """The split and the indices (N,) of the images that are shown while a model trains.

    Up to four normal and four anomalous ones; without labels, calibration images.
    """
    split = _shown_split(data)
    indices = [index for label in (0, 1) for index in _example_indices(data, split, label)]
    return split, np.array(indices)


def plot_model(
    directory: Path,
    config: Config,
    *,
    data: PreparedData,
    judge: Judge,
    scores: Scores,
    result: Mapping[str, Any],
    lightest: float,
    title: str,
) -> None:
    """Writes the figures of a trained model.

    Args:
        directory: where `history.csv` is; the figures go into its directory `figures`.
        config: the settings.
        data: the images.
        judge: the model at work.
        scores: by split, the scores of its images.
        result: the run's entry in `summary.json`.
        lightest: the value of an anomaly map that is lightest, as in overlays.
        title: what the figures call the model.
    """
    figures = directory / "figures"
    chosen = _choose_examples(config, data, judge, scores)
    score = SCORES_OF[config.input][judge.scorer.score]
    for name, (examples, maps, aspects) in chosen.items():
        plot_examples(
            figures / f"reconstructions_{name}.png",
            examples,
            score=score.label,
            title=f"{name} images, {title}\n(c): bright yellow is twice the pixel threshold",
            maps=maps,
            map_label=score.map_label,
            lightest=lightest,
            aspects=aspects,
        )
    examples_by_name = {name: examples for name, (examples, *_) in chosen.items()}
    write_examples(directory / "examples.npz", examples_by_name)
    _plot_history(directory, config, title)
    labelled = {
        split: (data.labels[split], scores[split])
        for split in ("adapt", "test")
        if len(data.labels[split])
    }
    _plot_histograms(
        figures, score, {"synthetic": _synthetic(data, scores)} | labelled, result, title
    )
    if labelled:
        plot_roc(
            figures / "roc.png",
            {f"{split} images, AUC {auroc(*pair):.4f}": pair for split, pair in labelled.items()},
            point=(result["sensitivity"], result["specificity"]),
            threshold="Youden" if config.uses_labels else "threshold",
            title=title,
        )


def plot_synthetic(path: Path, config: Config, data: PreparedData) -> None:
    """Draws a synthetic copy of each kind, the defect outlined above and alone below."""
    items = data.items["synthetic"]
    first = {item.defect: index for index, item in reversed([*enumerate(items)])}
    indices = np.array(sorted(first.values()))
    images = shown(data.images("synthetic", indices))
    masks = [mask for index in indices if (mask := _mask(items[index])) is not None]
    plot_defects(
        path,
        images,
        masks,
        [items[index].defect or "" for index in indices],
        f"{config.dataset}, synthetic defects",
        aspects=[_aspect(config, data, "synthetic", index) for index in indices],
    )


def _choose_examples(
    config: Config, data: PreparedData, judge: Judge, scores: Scores
) -> dict[str, tuple[list[Example], list[np.ndarray], list[float]]]:
    """By kind, the images that are shown, their maps and aspects.

    Of synthetic defects, too, where no label chooses anything.
    """
    split = _shown_split(data)
    kinds = [(split, 0, "normal"), (split, 1, "anomalous")]
    if not (config.uses_labels and len(data.labels["adapt"])):
        kinds.append(("synthetic", 1, "synthetic"))
    chosen = {}
    for of_split, label, name in kinds:
        indices = _example_indices(data, of_split, label)
        if len(indices):
            view = judge.view(of_split, indices)
            items = [data.items[of_split][index] for index in indices]
            chosen[name] = (
                _examples(items, view, scores[of_split][indices]),
                [*judge.maps(of_split, indices)],
                [_aspect(config, data, of_split, index) for index in indices],
            )
    return chosen


def _plot_history(directory: Path, config: Config, title: str) -> None:
    """The AUC and the weights of each epoch, where there were epochs."""
    file = directory / "history.csv"
    history = numeric_columns(read_csv(file)) if file.exists() else {}
    aucs = {text: history[name] for name, text in _auc_labels(config).items() if name in history}
    if aucs:
        plot_transitions(
            directory / "figures/transitions.png",
            aucs=aucs,
            weights={term: history[f"weight_{term}"] for term in TERMS[config.likelihood]},
            is_ladder=getattr(config, "patterns", "paper") != "paper",
            title=title,
        )


def _synthetic(data: PreparedData, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of the calibration images and the synthetic copies of them."""
    splits = SIGNALS["synthetic"].splits
    labels, values = ([of[split] for split in splits] for of in (data.labels, scores))
    return np.concatenate(labels), np.concatenate(values)


def _plot_histograms(
    figures: Path,
    score: Score | FeatureScore,
    judged: Mapping[str, tuple[np.ndarray, np.ndarray]],
    result: Mapping[str, Any],
    title: str,
) -> None:
    """How many images of each split have which score."""
    for split, (labels, values) in judged.items():
        is_synthetic = split == "synthetic"
        plot_histogram(
            figures / f"histogram_{split}.png",
            labels=labels,
            scores=values,
            threshold=result["threshold"],
            score=score.label,
            title=f"{'synthetic defects' if is_synthetic else f'{split} images'}, {title}",
            anomalous="synthetic" if is_synthetic else "anomalous",
        )


def _auc_labels(config: Config) -> dict[str, str]:
    """By column of the history, what an AUC is called; the one that steers is the first."""
    steers = getattr(config, "adapt_signal", "labels")
    names = sorted(SIGNALS, key=lambda name: name != steers)
    return {SIGNALS[name].auc: SIGNALS[name].label for name in names}


def _shown_split(data: PreparedData) -> str:
    return "adapt" if len(data.labels["adapt"]) else "calibration"


def _example_indices(data: PreparedData, split: str, label: int) -> np.ndarray:
    """The first image of each kind, then the second of each, up to four.

    The choice is by the order of the images alone, so all methods and seeds show the same.
    """
    counters: dict[str | None, Iterator[int]] = {}
    turns = []
    for index, item in enumerate(data.items[split]):
        if item.label == label:
            turns.append((next(counters.setdefault(item.defect, count())), index))
    return np.array([index for _, index in sorted(turns)[:MAX_EXAMPLES]], np.int64)


def _examples(items: Sequence[Item], view: View, scores: np.ndarray) -> list[Example]:
    return [
        Example(
            name=item.name,
            x=view.x[index],
            x_hat=None if view.x_hat is None else view.x_hat[index],
            residual=view.residual[index] if view.x_hat is None else None,
            score=float(scores[index]),
            mask=_mask(item),
        )
        for index, item in enumerate(items)
    ]


def _aspect(config: Config, data: PreparedData, split: str, index: int) -> float:
    """Height over width of a pixel of an image, so that one that was stretched is as before."""
    if split == "synthetic":
        found = np.flatnonzero(data.positions["calibration"] == data.originals[index])
        split, index = "calibration", found[0]
    file = data.items[split][index].file
    if file is None or config.resize != "stretch":
        return 1.0
    (height, width), (rows, columns) = image_size(file), config.image_size
    return (height / rows) / (width / columns)


def _mask(item: Item) -> np.ndarray | None:
    return item.load_mask() if item.load_mask and item.label else None
