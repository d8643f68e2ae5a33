"""Images in figures: what a model makes of them (Figs. 16 to 19), and defects outlined.

Each function writes one PNG file whole.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from awl_vae.figures.canvas import ANOMALOUS_COLOR, save_figure
from awl_vae.figures.examples import Example

MOST_TALL = 2.0
"""Height over width from which on a figure shrinks what is taller."""

NARROW = 1.5
"""Height over width from which on a colour bar goes below, and not beside."""


def plot_defects(
    path: Path,
    images: np.ndarray,
    masks: Sequence[np.ndarray],
    kinds: Sequence[str],
    title: str,
    *,
    aspects: Sequence[float] | None = None,
) -> None:
    """Images with defects, a column each: the defect outlined above, the image alone below.

    Args:
        path: the PNG file.
        images: (N, H, W) in [0, 1], or (N, H, W, 3) RGB.
        masks: N bool arrays (H, W), the pixels of the defects.
        kinds: N names.
        title: what the images are.
        aspects: see `plot_examples`.
    """
    aspects = aspects or [1.0] * len(images)
    tallest = _tallest(images.shape[1:3], aspects)
    figure = Figure(figsize=(1.9 * len(images), 3.8 * tallest + 0.7), layout="constrained")
    figure.suptitle(title)
    columns = figure.subplots(2, len(images), squeeze=False).T
    for image, mask, kind, aspect, (above, below) in zip(
        images, masks, kinds, aspects, columns, strict=True
    ):
        above.set_title(kind, fontsize=9)
        above.contour(mask, levels=[0.5], colors=ANOMALOUS_COLOR, linewidths=0.8)
        for axes in (above, below):
            axes.imshow(image, cmap="gray", vmin=0, vmax=1, aspect=aspect)
            axes.set(xticks=[], yticks=[])
    save_figure(figure, path)


def plot_examples(
    path: Path,
    examples: Sequence[Example],
    *,
    score: str,
    title: str,
    maps: Sequence[np.ndarray] | None = None,
    map_label: str = "squared error",
    lightest: float | None = None,
    aspects: Sequence[float] | None = None,
    one_scale: bool = True,
    largest: float = 0.0,
) -> None:
    """Original, reconstruction and anomaly map, a row an image (Figs. 16 to 19).

    A marked defect is outlined in the original. Of a model of features, what it leaves is laid over
    the image in the place of a reconstruction.

    Args:
        path: the PNG file.
        examples: the images.
        score: the score's name.
        title: what the images are and who reconstructed them.
        maps: of each, the map (H, W) that its score is taken from; None for its squared error.
        map_label: what the maps are.
        lightest: the value of the lightest colour, and of all above, in every map; None for the
            largest value that there is.
        aspects: of each, the height of a pixel over its width, 1 by default: that of an image which
            was stretched is as before.
        one_scale: without `lightest`, whether all maps share one scale.
        largest: the value that this scale reaches at least, for figures side by side.
    """
    maps = maps or [example.squared_error for example in examples]
    aspects = aspects or [1.0] * len(examples)
    row_height = 2.2 * _tallest(examples[0].x.shape[:2], aspects) + 0.3
    figure = Figure(figsize=(7.4, 0.6 + row_height * len(examples)), layout="constrained")
    figure.suptitle(title)
    rows = figure.subplots(len(examples), 3, squeeze=False)
    one_scale = one_scale or lightest is not None
    vmax = lightest or max(largest, *(float(each.max()) for each in maps))
    residuals = [example.residual for example in examples if example.residual is not None]
    most = max((float(residual.max()) for residual in residuals), default=0.0)
    for axes, example, map_, aspect in zip(rows, examples, maps, aspects, strict=True):
        axes[0].imshow(example.x, cmap="gray", vmin=0, vmax=1, aspect=aspect)
        if example.mask is not None and example.mask.any():
            axes[0].contour(example.mask, levels=[0.5], colors=ANOMALOUS_COLOR, linewidths=0.8)
        if example.x_hat is None:
            axes[1].imshow(example.x, cmap="gray", vmin=0, vmax=1, aspect=aspect)
            axes[1].imshow(
                example.residual, cmap="inferno", vmin=0, vmax=most, aspect=aspect, alpha=0.6
            )
        else:
            x_hat = np.clip(example.x_hat, 0, 1)
            axes[1].imshow(x_hat, cmap="gray", vmin=0, vmax=1, aspect=aspect)
        heat = axes[2].imshow(
            map_, cmap="inferno", vmin=0, vmax=vmax if one_scale else None, aspect=aspect
        )
        if not one_scale:
            figure.colorbar(heat, ax=axes[2], shrink=0.8)
        axes[0].set_xlabel(example.name, fontsize=7, parse_math=False)
        axes[2].set_xlabel(f"{score} = {example.score:.6f}", fontsize=8)
        for axis in axes:
            axis.set(xticks=[], yticks=[])
    middle = "residual" if residuals else "reconstruction"
    headings = ("(a) original", f"(b) {middle}", f"(c) {map_label}")
    for axis, heading in zip(rows[0], headings, strict=True):
        axis.set_title(heading, fontsize=9)
    if one_scale:
        extend = "neither" if lightest is None else "max"
        # Beside narrow images it would lie on what stands below them.
        beside = _tallest(examples[0].x.shape[:2], aspects) < NARROW
        place = (
            {"ax": rows[:, 2]}
            if beside
            else {"ax": rows, "location": "bottom", "aspect": 40, "pad": 0.01}
        )
        figure.colorbar(heat, shrink=0.8, extend=extend, **place)
    save_figure(figure, path)


def _tallest(shape: Sequence[int], aspects: Sequence[float]) -> float:
    """Height over width of the tallest of images of a shape (H, W), as they are shown."""
    height, width = shape
    return min(max(aspects) * height / width, MOST_TALL)
