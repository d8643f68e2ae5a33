"""What every figure is drawn with: colours, lines, and how it becomes a file."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from awl_vae.system import atomic_path

NORMAL_COLOR, ANOMALOUS_COLOR = "tab:blue", "tab:red"
WEIGHT_LINES = (("goldenrod", "-"), ("navy", "--"), ("tab:green", ":"))
"""Colours and lines of the weights of up to three terms."""


def limit_weights(
    axes: Axes, weights: Iterable[float], *, top: float = 1.05, is_ladder: bool = False
) -> None:
    """Shows weights from 0 to 1, up to `top`, and those above 1 all on a logarithmic axis.

    With `is_ladder` it is logarithmic down to a thousandth, and next to nothing is 0.
    """
    values = np.array([*weights])
    if is_ladder:
        axes.set_yscale("symlog", linthresh=1e-3)
        axes.set_ylim(-1e-4, max(2.0, 2.0 * values.max()))
    elif values.max() > 1.0:
        axes.set_yscale("log")
    else:
        axes.set_ylim(-0.05, top)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG; the same figure gives the same bytes."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        # The name of an image may have letters that Matplotlib's font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # No date and no version in the file.
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
