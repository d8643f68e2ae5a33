"""Images as a run sees them, and the file that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from awl_vae.system import atomic_path


@dataclass(frozen=True)
class Example:
    """One image as a run sees it.

    Attributes:
        name: the image's name.
        x: the image (H, W) in [0, 1], or (H, W, 3) RGB.
        x_hat: its reconstruction, of the same shape; None where it is of features.
        score: its anomaly score.
        mask: the defect's pixels (H, W), or None where there is none marked.
        residual: in the place of a reconstruction, the size (H, W) of what it leaves of features.
    """

    name: str
    x: np.ndarray
    x_hat: np.ndarray | None
    score: float
    mask: np.ndarray | None = None
    residual: np.ndarray | None = None

    @property
    def squared_error(self) -> np.ndarray:
        """(H, W) float32, of colours the mean.

        Raises:
            ValueError: If there is no reconstruction.
        """
        if self.x_hat is None:
            raise ValueError("Expected an example of pixels. Received: one of features.")
        squares = np.square(np.float32(self.x) - np.float32(self.x_hat))
        return squares if squares.ndim == 2 else squares.mean(axis=-1)


def write_examples(path: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    """Writes images as a run sees them, by kind; the same ones give the same bytes."""
    arrays = {
        f"{kind}/{index}/{name}": value
        for kind, of_kind in examples.items()
        for index, example in enumerate(of_kind)
        for name, value in asdict(example).items()
        if value is not None
    }
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_examples(path: Path) -> dict[str, list[Example]]:
    """What `write_examples` wrote."""
    examples: dict[str, dict[str, dict[str, Any]]] = {}
    with np.load(path) as arrays:
        for key in arrays:
            kind, index, name = key.split("/")
            value = arrays[key]
            of_kind = examples.setdefault(kind, {}).setdefault(index, {})
            of_kind[name] = value if value.ndim else value.item()
    return {
        kind: [Example(**{"x_hat": None} | fields) for fields in of_kind.values()]
        for kind, of_kind in examples.items()
    }
