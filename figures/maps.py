"""AUROCs over weights and epochs, as heat maps side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from awl_vae.figures.canvas import save_figure

COLUMNS = 4


@dataclass(frozen=True)
class WeightMap:
    """What one dataset gave.

    Attributes:
        title: which.
        weights: (K,), what the rows are called.
        aucs: (K, E) in [0, 1], after each epoch.
    """

    title: str
    weights: Sequence[str]
    aucs: np.ndarray


def plot_maps(path: Path, maps: Sequence[WeightMap]) -> None:
    """Draws each with colours of its own range, a cross at the best epoch of each row.

    Args:
        path: the PNG file.
        maps: at least one.
    """
    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(4.4 * columns, 3.2 * rows), layout="constrained")
    all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, each in zip(all_axes, maps, strict=False):
        epochs = each.aucs.shape[1]
        image = axes.imshow(
            100 * each.aucs,
            aspect="auto",
            interpolation="nearest",
            extent=(0.5, epochs + 0.5, len(each.weights) - 0.5, -0.5),
        )
        best = each.aucs.argmax(axis=1)
        rows_of = np.arange(len(best))
        axes.plot(best + 1, rows_of, "x", color="white", markeredgecolor="black", markersize=5)
        top = int(each.aucs.max(axis=1).argmax())
        axes.plot(best[top] + 1, top, "*", color="red", markeredgecolor="white", markersize=12)
        axes.set_yticks(rows_of, each.weights, fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_title(each.title)
        axes.set_xlabel("epoch")
        axes.set_ylabel("KL weight")
        figure.colorbar(image, ax=axes, label="AUC, adapt images, %")
    for axes in all_axes[len(maps) :]:
        axes.set_visible(False)
    save_figure(figure, path)
