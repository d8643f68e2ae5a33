"""What a fit is made of, each part kept on disk so that a fit that was killed goes on."""

import zlib
from collections.abc import Callable
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import TextIO

import keras
import numpy as np

from awl_vae.data import PreparedData, prepare
from awl_vae.data.dataset import DataError, Item
from awl_vae.data.images import Placement
from awl_vae.detection import Detector, calibrate, pixel_threshold
from awl_vae.detection.likeness import Likeness, measure
from awl_vae.evaluation import FeatureScorer, TiledScorer
from awl_vae.evaluation.tiles import corners
from awl_vae.features.backbones import extractor, traced
from awl_vae.features.cache import cache_features, feature_path
from awl_vae.system import read_json
from awl_vae.system.rows import RowFile
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.fitting.defects import NUM_COPIES, damaged_copies
from awl_vae.training.fitting.explaining import BATCH_SIZE
from awl_vae.training.fitting.folder import LEAST_IMAGES, Folder, scale_of
from awl_vae.training.fitting.held_out import HeldOut, num_parts
from awl_vae.training.fitting.recipes import Recipe, fit as fit_recipe, folds

SEED = 1
"""Of everything that is chosen by chance, so that the same images give the same detector."""

THRESHOLD = "log_normal"
"""A key of `THRESHOLDS`."""

NUM_PASSES = 7
"""Times that a fit reads an image at most: for the scale of features, for components with each part
left out and with none, which is three times, and for what is normal in three ways."""


class Work:
    """The images of a folder, their features, and what is fitted to them.

    Args:
        folder: the images.
        directory: where decoded images, features and what was said of each part are kept.
        backbone: a key of `BACKBONES`.
        precise: whether features are those of images and of their mirror images; see `extractor`.
        num_threads: how many images are decoded at a time.
        stream: where the progress is told.
        seed: of everything that is chosen by chance.
    """

    def __init__(
        self,
        folder: Folder,
        directory: Path,
        *,
        backbone: str,
        precise: bool = False,
        num_threads: int,
        stream: TextIO,
        seed: int = SEED,
    ):
        self.folder, self.directory = folder, directory
        self.backbone, self.precise = backbone, precise
        self.num_threads, self.stream, self.seed = num_threads, stream, seed

    def progress(self, total: int) -> closing[ProgressBar]:
        """A bar for one part of the work, to be used by `with`."""
        return closing(ProgressBar(total, self.stream))

    @cached_property
    def data(self) -> PreparedData:
        """The decoded images."""
        with self.progress(len(self.folder.dataset.items())) as bar:
            return prepare(
                self.folder.dataset,
                cache_path=self.directory / "images.npy",
                manifest_path=self.directory / "dataset.json",
                num_threads=self.num_threads,
                needs_classes=False,
                progress=lambda: bar.advance(1, "reading images"),
            )

    @property
    def items(self) -> tuple[Item, ...]:
        """The good images."""
        return self.data.items["train"]

    @cached_property
    def extractor(self) -> keras.Model:
        """The network from images to features."""
        return extractor(self.backbone, self.folder.tile_size, mirrored=self.precise)

    @cached_property
    def _traced(self) -> Callable[[np.ndarray], np.ndarray]:
        return traced(self.extractor)

    def extract(self, x: np.ndarray) -> np.ndarray:
        """Images (B, H, W, 3) float32 in [0, 1] to features; see `features`."""
        num_tiles = self.folder.num_tiles
        if num_tiles == 1:
            return self._traced(x)
        height, width = self.folder.tile_size
        tiles = [
            image[top : top + height, left : left + width]
            for image in x
            for top, left in self._corners
        ]
        parts = [
            self._traced(np.stack(tiles[start : start + BATCH_SIZE]))
            for start in range(0, len(tiles), BATCH_SIZE)
        ]
        found = np.concatenate(parts)
        return found.reshape(len(x), num_tiles, *found.shape[1:])

    @property
    def _corners(self) -> list[tuple[int, int]]:
        return corners(self.folder.tile_size, self.folder.grid)

    @cached_property
    def _rows(self) -> RowFile:
        """The features of all images, of each those of its tiles."""
        cache = self.data.cache
        crc32 = read_json(self.directory / "dataset.json")["crc32"]
        with self.progress(len(cache)) as bar:
            return cache_features(
                feature_path(
                    self.directory,
                    self.backbone,
                    self.folder.image_size,
                    crc32,
                    grid=self.folder.grid,
                    mirrored=self.precise,
                ),
                self.extract,
                self.extractor.output_shape[1:],
                cache.read,
                len(cache),
                num_tiles=self.folder.num_tiles,
                progress=lambda count: bar.advance(count, "computing features"),
            )

    def features(self, indices: np.ndarray, split: str = "train") -> np.ndarray:
        """Those of images of a split, (B, h, w, C) float32; in tiles (B, tiles, h, w, C)."""
        found = self._tiles(self._places(indices), split)
        num_tiles = self.folder.num_tiles
        return found if num_tiles == 1 else found.reshape(-1, num_tiles, *found.shape[1:])

    def _places(self, indices: np.ndarray) -> np.ndarray:
        """The tiles of images, which are counted image after image."""
        num_tiles = self.folder.num_tiles
        return np.add.outer(indices * num_tiles, np.arange(num_tiles)).ravel()

    def _tiles(self, places: np.ndarray, split: str = "train") -> np.ndarray:
        """The features (B, h, w, C) float32 of tiles of a split."""
        images, tiles = np.divmod(places, self.folder.num_tiles)
        rows = self.data.positions[split][images] * self.folder.num_tiles + tiles
        return self._rows.read(rows).astype(np.float32)

    def levels(self, index: int, split: str = "train") -> np.ndarray:
        """An image as it was decoded, (H, W, 3) of uint8 or uint16."""
        return self.data.cache.levels(int(self.data.positions[split][index]))

    @cached_property
    def _groups(self) -> np.ndarray:
        """Of each good image (N,) a number, the same for those of the same pixels."""
        checksums = [zlib.crc32(self.levels(index).tobytes()) for index in range(len(self.items))]
        different, groups = np.unique(checksums, return_inverse=True)
        if len(different) < LEAST_IMAGES:
            raise DataError(
                f"Expected at least {LEAST_IMAGES} good images that differ. "
                f"Received: {len(different)}, some of them several times, in {self.folder.root}"
            )
        return groups

    def fitted(
        self,
        recipe: Recipe,
        indices: np.ndarray | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> FeatureScorer | TiledScorer:
        """A recipe fitted to the good images.

        Args:
            recipe: the recipe.
            indices: of the images; None for all.
            progress: called with the number of images, or tiles, that are read, each time.
        """
        indices = np.arange(len(self.items)) if indices is None else indices
        groups = np.repeat(self._groups[indices], self.folder.num_tiles)

        def read(places: np.ndarray) -> np.ndarray:
            progress(len(places))
            return self._tiles(places)

        scorer = fit_recipe(
            read, self._places(indices), groups, self.extractor, recipe, seed=self.seed
        )
        return scorer if self.folder.num_tiles == 1 else TiledScorer(scorer, self.folder.grid)

    @property
    def _num_reads(self) -> int:
        """How many images or tiles are read where a recipe is fitted to all, at most."""
        return NUM_PASSES * len(self.items) * self.folder.num_tiles

    def parts(self) -> list[np.ndarray]:
        """The indices of good images that are held out together, copies of one in one part."""
        everything = np.arange(len(self.items))
        return folds(everything, self._groups, num_parts(self.num_different), self.seed)

    @property
    def num_different(self) -> int:
        """How many good images there are, copies of one counted once."""
        return len(np.unique(self._groups))

    def held_out(self, recipe: Recipe) -> HeldOut:
        """What models of the others say of each good image, and of damaged copies of it."""
        everything, parts = np.arange(len(self.items)), self.parts()
        found = []
        self._rows  # noqa: B018 (which has a bar of its own)
        with self.progress(len(parts) * self._num_reads) as bar:
            for number, part in enumerate(parts):
                path = self.directory / f"part-{number}.npz"
                text = f"fitting without part {number + 1} of {len(parts)}"
                bar.show(text)
                if not path.exists():
                    others = np.setdiff1d(everything, part)
                    scorer = self.fitted(recipe, others, partial(bar.advance, text=text))
                    first, last = (NUM_COPIES * edge // len(parts) for edge in (number, number + 1))
                    copies = damaged_copies(
                        self.levels,
                        self.inside,
                        part.tolist(),
                        range(first, last),
                        len(everything),
                    )
                    HeldOut.of(scorer, self.features, part, copies, self.extract).save(path)
                found.append(HeldOut.load(path))
                bar.advance((number + 1) * self._num_reads - bar.done, text)
        return HeldOut.joined(found)

    def inside(self, index: int) -> tuple[slice, slice]:
        """The rows and columns that a good image covers at its size, all but a black border."""
        placement = Placement.of(self.shape(index), self.folder.image_size, self.folder.resize)
        return placement.inside(self.folder.image_size)

    def likeness(self) -> Likeness | None:
        """What the good images look like."""
        positions = self.data.positions["train"]
        return Likeness.of(
            measure(self.data.cache.read(positions[[index]])[0], self.shape(index))
            for index in range(len(self.items))
        )

    def scales(self, indices: np.ndarray) -> np.ndarray:
        """How many pixels of the files of good images (N,) are one of the network's, (N,)."""
        return np.array([scale_of(self.shape(index), self.folder) for index in indices])

    def shape(self, index: int) -> tuple[int, int]:
        """(height, width) of the file of a good image."""
        return self.folder.shapes[self.items[index].name]

    def detector(self, recipe: Recipe, held_out: HeldOut, false_alarm_rate: float) -> Detector:
        """The detector of a recipe, with the threshold that the images held out give."""
        rows = [
            {"image": item.name, "split": "calibration", "label": 0, "score": repr(float(score))}
            for item, score in zip(self.items, held_out.scores, strict=True)
        ]
        with self.progress(self._num_reads) as bar:
            scorer = self.fitted(recipe, progress=partial(bar.advance, text="fitting to all"))
        return Detector(
            scorer,
            resize=self.folder.resize,
            threshold=calibrate(rows, THRESHOLD, false_alarm_rate),
            pixel_threshold=pixel_threshold(held_out.peaks),
            calibration=rows,
            likeness=self.likeness(),
        )
