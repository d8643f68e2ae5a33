"""What models say of good images that they were not fitted on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from awl_vae.data.images import to_float
from awl_vae.evaluation import FeatureScorer, TiledScorer
from awl_vae.system import atomic_path
from awl_vae.training.fitting.defects import Damaged
from awl_vae.training.fitting.explaining import BATCH_SIZE, Read, batches

NUM_STRANGEST = 10
"""Images that are shown, those with the highest scores."""

ALONE = 40
"""Below so many images each is held out alone: without a sixth of them others look strange."""

NUM_PARTS, NUM_PARTS_OF_MANY, MANY = 6, 3, 1000
"""Parts that are held out in turn, and how many where there are many images."""


def num_parts(num_images: int) -> int:
    """In how many parts images are held out."""
    if num_images < ALONE:
        return num_images
    return NUM_PARTS if num_images < MANY else NUM_PARTS_OF_MANY


@dataclass(frozen=True)
class HeldOut:
    """What is said of some images by a model of others.

    Attributes:
        indices: (N,) of the images.
        scores: (N,) float32.
        peaks: (N,) float32, the largest values of their maps.
        strangest: (n,) indices of those with the highest scores, the highest first.
        maps: (n, H, W) float16, theirs.
        defects: of copies with a synthetic defect, the index (M,) of the image.
        kinds: (M,) the kind of the defect.
        extents: (M,) float64; see `Damaged`.
        defect_scores: (M,) float32.
    """

    indices: np.ndarray
    scores: np.ndarray
    peaks: np.ndarray
    strangest: np.ndarray
    maps: np.ndarray
    defects: np.ndarray
    kinds: np.ndarray
    extents: np.ndarray
    defect_scores: np.ndarray

    @classmethod
    def of(
        cls,
        scorer: FeatureScorer | TiledScorer,
        read: Read,
        indices: np.ndarray,
        damaged: Iterable[Damaged],
        extract: Callable[[np.ndarray], np.ndarray],
    ) -> Self:
        """What a scorer says of images that it was not fitted on, and of damaged copies of them.

        Args:
            scorer: the scorer.
            read: indices to features.
            indices: (N,) of the images.
            damaged: the copies.
            extract: images in [0, 1] to features.
        """
        scores, peaks = np.empty(0, np.float32), np.empty(0, np.float32)
        strangest, maps = np.empty(0, int), np.empty((0, *scorer.image_size), np.float16)
        most = min(BATCH_SIZE, scorer.batch_size)
        for batch in batches(indices, most):
            of_batch, maps_of_batch = scorer.score_and_map_of_features(tf.constant(read(batch)))
            scores = np.append(scores, of_batch)
            peaks = np.append(peaks, maps_of_batch.numpy().max(axis=(1, 2)))
            strangest = np.append(strangest, np.arange(len(scores) - len(batch), len(scores)))
            maps = np.concatenate([maps, maps_of_batch.numpy().astype(np.float16)])
            kept = np.argsort(-scores[strangest], kind="stable")[:NUM_STRANGEST]
            strangest, maps = strangest[kept], maps[kept]
        copies: list[tuple[int, str, float]] = []
        found = np.empty(0, np.float32)
        damaged = iter(damaged)
        while some := list(islice(damaged, most)):
            copies += [(copy.index, copy.kind, copy.extent) for copy in some]
            x = extract(to_float(np.stack([copy.image for copy in some])))
            found = np.append(found, scorer.score_and_map_of_features(tf.constant(x))[0])
        of, kinds, extents = zip(*copies, strict=True) if copies else ((), (), ())
        return cls(
            indices,
            scores,
            peaks,
            indices[strangest],
            maps,
            np.array(of, int),
            np.array(kinds, str),
            np.array(extents, float),
            found,
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All parts, the images in the order of their indices."""
        order = np.argsort(np.concatenate([part.indices for part in parts]))
        fields = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__dataclass_fields__
        }
        for name in ("indices", "scores", "peaks"):
            fields[name] = fields[name][order]
        places = np.searchsorted(fields["indices"], fields["strangest"])
        most = np.argsort(-fields["scores"][places], kind="stable")[:NUM_STRANGEST]
        for name in ("strangest", "maps"):
            fields[name] = fields[name][most]
        return cls(**fields)

    def save(self, path: Path) -> None:
        """Writes it whole."""
        with atomic_path(path) as temporary:
            np.savez(temporary, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)
