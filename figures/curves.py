"""Curves and histograms of one run: AUC and weights (Figs. 14, 15), scores, and the ROC curve.

Each function but `histogram_svg` writes one PNG file whole.
"""

import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from awl_vae.figures.canvas import (
    ANOMALOUS_COLOR,
    NORMAL_COLOR,
    WEIGHT_LINES,
    limit_weights,
    save_figure,
)


def plot_transitions(
    path: Path,
    *,
    aucs: Mapping[str, Sequence[float]],
    weights: Mapping[str, Sequence[float]],
    is_ladder: bool,
    title: str,
) -> None:
    """AUC of each epoch as bars and the weights as lines, in one plot (Figs. 14, 15).

    Args:
        path: the PNG file.
        aucs: by what it is called, an AUROC after each epoch, in [0, 1]: the first, which steers,
            as bars, others as points.
        weights: by term, the weight that each epoch was trained with.
        is_ladder: whether they change by factors, so that their axis does, too.
        title: what was trained.
    """
    (label, bars_of), *others = aucs.items()
    epochs = np.arange(1, len(bars_of) + 1)
    best = int(np.argmax(bars_of))
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    bars = axes.bar(epochs, bars_of, color="lightsteelblue", label=label)
    bars[best].set(color="royalblue", label=f"highest: {bars_of[best]:.4f} at epoch {best + 1}")
    points = [
        axes.plot(epochs, values, ".", color="dimgray", markersize=4, label=text)[0]
        for text, values in others
    ]
    axes.set(xlabel="epoch", ylabel="AUC", title=title, xlim=(0.3, len(epochs) + 0.7))
    axes.set_ylim(0.0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    right = axes.twinx()
    for (term, values), (color, line) in zip(weights.items(), WEIGHT_LINES, strict=False):
        right.step(epochs, values, line, where="mid", color=color, label=f"weight of {term}")
    right.set_ylabel("weight")
    limit_weights(right, itertools.chain(*weights.values()), top=1.15, is_ladder=is_ladder)
    handles = [
        Patch(color="lightsteelblue", label=label),
        bars[best],
        *points,
        *right.get_legend_handles_labels()[0],
    ]
    ncols = 4 if len(handles) <= 4 else 3
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, frameon=False)
    save_figure(figure, path)


def plot_histogram(
    path: Path,
    *,
    labels: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    score: str,
    title: str,
    anomalous: str = "anomalous",
) -> None:
    """How many images have which score, with the threshold.

    Args:
        path: the PNG file.
        labels: (N,), 0 for normal and 1 for anomalous.
        scores: (N,).
        threshold: images that score at least this much are called anomalous.
        score: the score's name.
        title: which images and which run.
        anomalous: what images of label 1 are called.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    low, high = float(scores.min()), float(scores.max())
    if high - low < 100 * np.spacing(max(abs(low), abs(high))):
        # As NumPy does where all are equal; but no bin is of scores that there cannot be.
        low, high = max(low - 0.5, min(low, 0.0)), high + 0.5
    edges = np.histogram_bin_edges(scores, bins=40, range=(low, high))
    groups = [scores[labels == 0], scores[labels == 1]]
    for group, color, name in zip(
        groups, (NORMAL_COLOR, ANOMALOUS_COLOR), ("normal", anomalous), strict=True
    ):
        axes.hist(group, edges.tolist(), color=color, alpha=0.55, label=f"{name} ({len(group)})")
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.6g}")
    axes.set(xlabel=f"{score} score", ylabel="images", title=title)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    save_figure(figure, path)


def plot_roc(
    path: Path,
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    point: tuple[float, float],
    threshold: str,
    title: str,
) -> None:
    """ROC curves, and the point of the threshold on the first of them.

    Args:
        path: the PNG file.
        curves: by name, (labels (N,), scores (N,)).
        point: (sensitivity, specificity) at the threshold.
        threshold: how that was found.
        title: which run.
    """
    figure = Figure(figsize=(4.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for (name, (labels, scores)), color in zip(
        curves.items(), ("tab:blue", "tab:orange"), strict=False
    ):
        fpr, tpr, _ = roc_curve(labels, scores)
        axes.plot(fpr, tpr, color=color, label=name)
    sensitivity, specificity = point
    axes.plot(
        1 - specificity,
        sensitivity,
        "o",
        color="black",
        label=f"{threshold}: sensitivity {sensitivity:.3f},\nspecificity {specificity:.3f}",
    )
    axes.plot([0, 1], [0, 1], color="gray", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="false positive rate (1 − specificity)",
        ylabel="true positive rate (sensitivity)",
        title=title,
        aspect="equal",
    )
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    save_figure(figure, path)


def histogram_svg(
    normal: np.ndarray, anomalous: np.ndarray, *, threshold: float, score: str
) -> str:
    """How many images have which score, with the threshold, as SVG that a page can hold.

    Args:
        normal: (N,), the scores of images that are called normal; it may be empty.
        anomalous: (M,), of those that are called anomalous; N + M is at least 1.
        threshold: images that score at least this much are called anomalous.
        score: the score's name.

    Returns:
        The element `<svg>`; the same scores give the same text.
    """
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    edges = _edges(np.concatenate([normal, anomalous]), threshold)
    for group, color, name in (
        (normal, NORMAL_COLOR, "normal"),
        (anomalous, ANOMALOUS_COLOR, "anomalous"),
    ):
        axes.hist(group, edges.tolist(), color=color, label=f"{name} ({len(group)})")
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.6g}")
    axes.set(xlabel=f"{score} score", ylabel="images")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "awl-vae", "svg.fonttype": "none"}):
        figure.savefig(
            buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]


MAX_BINS = 200


def _edges(scores: np.ndarray, threshold: float, *, num_bins: int = 40) -> np.ndarray:
    """Edges of equal bins, one of which is the threshold; the first begins at 0 rather than below.

    There are `num_bins` over the scores, but never more than `MAX_BINS` over scores and threshold,
    however alike the scores and however far the threshold.
    """
    low, high = min(scores.min(), threshold), max(scores.max(), threshold)
    width = max(np.ptp(scores) / num_bins, (high - low) / MAX_BINS) or 1.0
    # So narrow that the edges would be equal, as floats have only so many digits.
    width = max(width, 4 * np.spacing(max(abs(low), abs(high))))
    first = np.floor((low - threshold) / width)
    last = np.ceil((high - threshold) / width)
    edges = threshold + width * np.arange(first, last + 2.0)
    # Most scores cannot be negative. The first edge may be rounded to above the lowest score.
    begin = min(low, max(edges[0], min(low, 0.0)))
    return np.concatenate([[begin], edges[edges > begin]])
