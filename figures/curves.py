"""The paper's pictures of one run (Figs. 14 to 19), its score histogram and its ROC curve.

Each function writes one PNG file whole.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from awl_vae.figures.examples import Example
from awl_vae.system import atomic_path

NORMAL_COLOR, ANOMALOUS_COLOR = "tab:blue", "tab:red"
WEIGHT_LINES = (("goldenrod", "-"), ("navy", "--"), ("tab:green", ":"))


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
    right.set(ylabel="weight", ylim=(-0.05, 1.15))
    if is_ladder:
        right.set_yscale("symlog", linthresh=1e-3)
        right.set_ylim(-1e-4, 2.0)
    handles = [
        Patch(color="lightsteelblue", label=label),
        bars[best],
        *points,
        *right.get_legend_handles_labels()[0],
    ]
    ncols = 4 if len(handles) <= 4 else 3
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, frameon=False)
    save_figure(figure, path)


def plot_defects(
    path: Path,
    images: np.ndarray,
    masks: Sequence[np.ndarray],
    kinds: Sequence[str],
    title: str,
) -> None:
    """Images with defects, a column each: the defect outlined above, the image alone below.

    Args:
        path: the PNG file.
        images: (N, H, W) in [0, 1].
        masks: N bool arrays (H, W), the pixels of the defects.
        kinds: N names.
        title: what the images are.
    """
    height, width = images.shape[1:]
    size = (1.9 * len(images), 3.8 * min(height / width, 2.0) + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title)
    rows = figure.subplots(2, len(images), squeeze=False)
    for image, mask, kind, (above, below) in zip(images, masks, kinds, rows.T, strict=True):
        above.set_title(kind, fontsize=9)
        above.contour(mask, levels=[0.5], colors=ANOMALOUS_COLOR, linewidths=0.8)
        for axes in (above, below):
            axes.imshow(image, cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
    save_figure(figure, path)


def plot_examples(
    path: Path,
    examples: Sequence[Example],
    *,
    score: str,
    title: str,
    one_scale: bool = True,
    largest: float = 0.0,
) -> None:
    """Original, reconstruction and squared error, a row an image (Figs. 16 to 19).

    A marked defect is outlined in the original.

    Args:
        path: the PNG file.
        examples: the images.
        score: the score's name.
        title: what the images are and who reconstructed them.
        one_scale: whether the squared errors of all images share one scale.
        largest: the squared error that this scale reaches at least, for figures side by side.
    """
    height, width = examples[0].x.shape
    row_height = 2.2 * min(height / width, 2.0) + 0.3
    figure = Figure(figsize=(7.4, 0.6 + row_height * len(examples)), layout="constrained")
    figure.suptitle(title)
    rows = figure.subplots(len(examples), 3, squeeze=False)
    errors = [example.squared_error for example in examples]
    largest = max(largest, *(float(error.max()) for error in errors))
    for axes, example, error in zip(rows, examples, errors, strict=True):
        axes[0].imshow(example.x, cmap="gray", vmin=0, vmax=1)
        if example.mask is not None and example.mask.any():
            axes[0].contour(example.mask, levels=[0.5], colors=ANOMALOUS_COLOR, linewidths=0.8)
        axes[1].imshow(np.clip(example.x_hat, 0, 1), cmap="gray", vmin=0, vmax=1)
        vmax = largest if one_scale else None
        heat = axes[2].imshow(error, cmap="inferno", vmin=0, vmax=vmax)
        if not one_scale:
            figure.colorbar(heat, ax=axes[2], shrink=0.8)
        axes[0].set_xlabel(example.name, fontsize=7, parse_math=False)
        axes[2].set_xlabel(f"{score} = {example.score:.6f}", fontsize=8)
        for axis in axes:
            axis.set(xticks=[], yticks=[])
    for axis, heading in zip(
        rows[0], ("(a) original", "(b) reconstruction", "(c) squared error"), strict=True
    ):
        axis.set_title(heading, fontsize=9)
    if one_scale:
        figure.colorbar(heat, ax=rows[:, 2], shrink=0.8)
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
    edges = np.histogram_bin_edges(scores, bins=40)
    groups = [scores[labels == 0], scores[labels == 1]]
    for group, color, name in zip(
        groups, (NORMAL_COLOR, ANOMALOUS_COLOR), ("normal", anomalous), strict=True
    ):
        axes.hist(group, edges, color=color, alpha=0.55, label=f"{name} ({len(group)})")
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.6g}")
    axes.set(xlabel=f"{score} score", ylabel="images", title=title)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
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
    axes.legend(loc="lower right", fontsize=8)
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG; the same figure gives the same bytes."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        # The name of an image may have letters that Matplotlib's font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # No date and no version in the file.
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
