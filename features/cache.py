"""Features on disk: computed once for each image, read by position, never all in memory."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from awl_vae.features.backbones import BACKBONES
from awl_vae.system import atomic_path
from awl_vae.system.rows import RowFile, write_header

BATCH_SIZE = 16
"""Images in memory at a time."""


def feature_path(
    directory: Path,
    backbone: str,
    image_size: tuple[int, int],
    crc32: int,
    *,
    grid: tuple[int, int] = (1, 1),
    mirrored: bool = False,
) -> Path:
    """Where the features of some images are: named by all that they depend on.

    Args:
        directory: where the file goes.
        backbone: a key of `BACKBONES`.
        image_size: (height, width) in pixels.
        crc32: checksum of the images.
        grid: rows and columns of the tiles that they are of.
        mirrored: see `extractor`.
    """
    height, width = image_size
    tiles = [] if grid == (1, 1) else ["x".join(map(str, grid))]
    layers = "-".join([*BACKBONES[backbone].layers, *tiles, *["mirrored"] * mirrored])
    return directory / f"features-{backbone}-{layers}-{height}x{width}-{crc32:08x}.npy"


def cache_features(
    path: Path,
    extract: Callable[[np.ndarray], np.ndarray],
    shape: tuple[int, ...],
    read: Callable[[np.ndarray], np.ndarray],
    count: int,
    *,
    num_tiles: int = 1,
    progress: Callable[[int], None] = lambda count: None,
) -> RowFile:
    """The features of images float16, from the file or computed and written whole.

    Args:
        path: the file, see `feature_path`.
        extract: RGB images (B, H, W, 3) float32 in [0, 1] to features (B, h, w, C), or of their
            tiles (B, tiles, h, w, C).
        shape: (h, w, C).
        read: positions (B,) to images.
        count: N, the number of images.
        num_tiles: of an image.
        progress: called after each batch with how many images were done in it.

    Returns:
        The rows (N, h, w, C), or those of the tiles of image after image, (N · tiles, h, w, C).

    Raises:
        OSError: If the file cannot be written.
    """
    most = max(1, BATCH_SIZE // num_tiles)
    if not path.exists():
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            write_header(file, (count * num_tiles, *shape), np.float16)
            for start in range(0, count, most):
                positions = np.arange(start, min(start + most, count))
                file.write(extract(read(positions)).astype(np.float16).tobytes())
                progress(len(positions))
    return RowFile(path)
