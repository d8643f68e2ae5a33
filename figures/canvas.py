"""What every figure is drawn with: colours, lines, and how it becomes a file."""

import warnings
from pathlib import Path

from matplotlib.figure import Figure

from awl_vae.system import atomic_path

NORMAL_COLOR, ANOMALOUS_COLOR = "tab:blue", "tab:red"
WEIGHT_LINES = (("goldenrod", "-"), ("navy", "--"), ("tab:green", ":"))
"""Colours and lines of the weights of up to three terms."""


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG; the same figure gives the same bytes."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        # The name of an image may have letters that Matplotlib's font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # No date and no version in the file.
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
