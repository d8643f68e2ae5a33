"""Images in figures: what a model makes of them (Figs. 16 to 19), and defects outlined.

Each function writes one PNG file whole.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from awl_vae.figures.canvas import ANOMALOUS_COLOR, save_figure
from awl_vae.figures.examples import Example


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
