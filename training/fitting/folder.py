"""The images that a detector is fitted to: which files, of what size, which are left out."""

import itertools
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from awl_vae.data import Dataset
from awl_vae.data.check.survey import read_layout
from awl_vae.data.dataset import DataError
from awl_vae.data.folder import items_of
from awl_vae.data.images import Placement
from awl_vae.data.layout import Layout
from awl_vae.data.masks import match_masks
from awl_vae.data.reading import image_size as size_of
from awl_vae.evaluation.tiles import LEAST_SIDE, OVERLAP, has_room, whole_size
from awl_vae.features.backbones import SIZE_DIVISOR
from awl_vae.system.errors import UserError
from awl_vae.system.words import and_others, quantity, with_first

SHORT_SIDE = 224
"""Pixels of the shorter side that images are brought to."""

MOST_PIXELS = 4 * SHORT_SIDE**2
"""Both sides are cut down where a tile would have more, of a shorter side that is 224."""

NEAR = 1.05
"""A side is made longer by this factor at most where that keeps all that there is to see."""

ALIKE = 0.08
"""Images whose height over width differs by no more from that of the network are stretched."""

LEAST_IMAGES = 3
"""Good images: two are fitted while the third is held out."""


@dataclass(frozen=True)
class Folder:
    """The images of a folder.

    Attributes:
        dataset: normal images in `train`, and labelled ones, if there are any, in `test`.
        grid: (rows, columns) of tiles that an image is seen in.
        tile_size: (height, width) of a tile, as the network sees it.
        resize: how.
        layout: all files, those that are left out included.
        masks_of: by image that has a mask, its files.
        shapes: by name, (height, width) of the file of each image.
        checksums: by name, that of the file of each image and mask.
    """

    dataset: Dataset
    grid: tuple[int, int]
    tile_size: tuple[int, int]
    resize: str
    layout: Layout
    masks_of: Mapping[Path, tuple[Path, ...]]
    shapes: dict[str, tuple[int, int]]
    checksums: dict[str, int]

    @property
    def root(self) -> Path:
        """The directory."""
        return self.layout.root

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) that images are brought to."""
        return whole_size(self.tile_size, self.grid)

    @property
    def num_tiles(self) -> int:
        """Of an image."""
        return self.grid[0] * self.grid[1]

    @property
    def about_sizes(self) -> str:
        """How the images are brought to their size, in a sentence."""
        height, width = self.image_size
        shapes = Counter(self.shapes[item.name] for item in self.dataset.train)
        (usual_height, usual_width), count = shapes.most_common(1)[0]
        text = f"Images are brought to {height}x{width} pixels"
        if self.num_tiles > 1:
            rows, columns = self.grid
            tile = "x".join(map(str, self.tile_size))
            text += f", in {rows}x{columns} tiles of {tile}"
        if len(shapes) == 1:
            text += f" (height x width) from {usual_height}x{usual_width}"
            return f"{text}, with a black border." if self.resize == "pad" else f"{text}."
        text += (
            f" from {len(shapes)} sizes, the most frequent {usual_height}x{usual_width} "
            f"({quantity(count, 'image')})"
        )
        if self.resize == "pad":
            return f"{text}; their proportions are kept, and black fills up what is left."
        return f"{text}; their proportions are nearly the same."


def find_images(
    root: Path,
    excluded: Sequence[str] = (),
    *,
    short_side: int = SHORT_SIDE,
    grid: tuple[int, int] = (1, 1),
) -> Folder:
    """Looks for the images of a folder; none is decoded.

    Args:
        root: a directory that holds good images, or the layout of `awl_vae.data.layout`.
        excluded: names of normal images that are left out, see `read_list`.
        short_side: pixels of the shorter side, of a tile.
        grid: (rows, columns) of tiles.

    Raises:
        DataError: If there are too few images, one cannot be read, or one that is to be left out is
            not there.
    """
    layout = read_layout(root)
    names = {layout.name(path) for path in layout.normal}
    kept = tuple(path for path in layout.normal if layout.name(path) not in set(excluded))
    if len(kept) < LEAST_IMAGES:
        raise DataError(
            f"Expected at least {LEAST_IMAGES} good images. Received: {len(kept)} in {root}"
        )
    unknown = [name for name in excluded if name not in names]
    if unknown:
        raise DataError(
            f"Expected names of good images in {root} to leave out, such as "
            f"{layout.name(kept[0])}. Received: {with_first(len(unknown), 'other', unknown[0])}"
        )
    used = replace(layout, normal=kept)
    shapes, checksums = {}, {}
    errors: list[str] = []
    for path in [*kept, *(path for path, _ in used.labelled)]:
        name = layout.name(path)
        try:
            shapes[name] = size_of(path)  # which refuses what would never end, such as a pipe
        except DataError as error:
            errors.append(str(error))
            continue
        checksums[name] = zlib.crc32(path.read_bytes())
    if errors:
        raise DataError(and_others(errors, "file"))
    of_normal = Counter(shapes[layout.name(path)] for path in kept)
    tile_size, resize = common_size(of_normal, short_side, grid)
    if not has_room(tile_size, grid):
        raise UserError(
            f"Expected tiles of at least {LEAST_SIDE} pixels in each direction. "
            f"Received: {'x'.join(map(str, tile_size))}, by --short_side={short_side} and "
            f"--tiles={'x'.join(map(str, grid))}"
        )
    masks_of = match_masks(layout.masks, layout.anomalous)
    for path in itertools.chain(*masks_of.values()):
        checksums[layout.name(path)] = zlib.crc32(path.read_bytes())
    normal, labelled = items_of(
        used,
        masks_of,
        whole_size(tile_size, grid),
        resize=resize,
        channels="rgb",
    )
    dataset = Dataset(tuple(normal), (), (), tuple(labelled))
    return Folder(dataset, grid, tile_size, resize, layout, masks_of, shapes, checksums)


def common_size(
    shapes: Counter[tuple[int, int]], short_side: int = SHORT_SIDE, grid: tuple[int, int] = (1, 1)
) -> tuple[tuple[int, int], str]:
    """The (height, width) of a tile, so that a grid of them is what images are brought to; and how.

    Their proportions are kept: those of the median image are the network's.
    """
    ratios = np.log([height / width for height, width in shapes.elements()])
    usual = math.exp(float(np.median(ratios)))
    short = float(max(short_side, SIZE_DIVISOR))
    most = MOST_PIXELS * (short / SHORT_SIDE) ** 2
    sides = _tile(short, usual, grid)
    if sides[0] * sides[1] > most:
        sides = _tile(short * math.sqrt(most / (sides[0] * sides[1])), usual, grid)
    height, width = map(_multiple, sides)
    whole_height, whole_width = whole_size((height, width), grid)
    others = np.abs(ratios - math.log(whole_height / whole_width))
    return (height, width), "stretch" if others.max() <= ALIKE else "pad"


def _multiple(side: float) -> int:
    """A side as a multiple of `SIZE_DIVISOR`: the next above, if it is near, else the nearest."""
    above = math.ceil(side / SIZE_DIVISOR - 1e-6) * SIZE_DIVISOR
    return above if above <= NEAR * side else round(side / SIZE_DIVISOR) * SIZE_DIVISOR


def _tile(short: float, ratio: float, grid: tuple[int, int]) -> tuple[float, float]:
    """(height, width) of a tile by its shorter side and the height over width of the whole."""
    rows, columns = ((number, (number - 1) * OVERLAP) for number in grid)

    def other(of: tuple[int, int], along: tuple[int, int], ratio: float) -> float:
        """The side along which a tile is longer."""
        return ((of[0] * short - of[1]) * ratio + along[1]) / along[0]

    width = other(rows, columns, 1.0 / ratio)
    return (short, width) if width >= short else (other(columns, rows, ratio), short)


def scale_of(shape: tuple[int, int], folder: Folder) -> float:
    """How many pixels of an image of a shape are one at the size of the network."""
    vertical, horizontal = Placement.of(shape, folder.image_size, folder.resize).scales
    return 1.0 / math.sqrt(vertical * horizontal)


def read_list(path: Path, root: Path) -> list[str]:
    """The names, below a folder, of the images that a text file lists.

    A line is a path, as the report has it, below the folder or in full; empty lines and those that
    begin with # are none.

    Raises:
        UserError: If it cannot be read, or is no text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"Expected a list of images in UTF-8. Received: --exclude={path}") from None
    except OSError as error:
        raise UserError(
            f"Expected a list of images. Received: --exclude={path}, {error.strerror}"
        ) from None
    return list(dict.fromkeys(_names(lines, root)))


def _names(lines: Sequence[str], root: Path) -> Iterator[str]:
    for line in map(str.strip, lines):
        if line and not line.startswith("#"):
            given = Path(line)
            for base in (root, root.resolve()):
                if given.is_relative_to(base):
                    given = given.relative_to(base)
            yield given.as_posix()
