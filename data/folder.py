"""Images of one's own, in the layout of MVTec AD.

train/good/*                              normal images to train on
test/good/*                               labelled normal images
test/<defect>/*                           labelled anomalous images, by the kind of defect
ground_truth/<defect>/<stem>_mask.png     optional: the defect's pixels are not 0
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.dataset import DataError, Dataset, Item, mask_path
from awl_vae.data.images import read_gray, resize
from awl_vae.data.reading import SUFFIXES
from awl_vae.data.splits import split_train_and_labelled
from awl_vae.system import atomic_path

NORMAL = "good"


def folder(
    data_dir: str,
    image_size: tuple[int, int],
    *,
    num_train: int | None,
    protocol: str,
    resize: str,
    needs_labels: bool = True,
) -> Dataset:
    """The images of a directory.

    Args:
        data_dir: the directory that holds train/ and test/.
        image_size: (height, width) that every image is brought to.
        num_train: number of training images to use, or None for all.
        protocol: "heldout" or "paper".
        resize: "stretch", "pad" or "crop".
        needs_labels: whether too few images in test/ are an error; otherwise they are left out.

    Returns:
        Dataset whose images are read when they are loaded.

    Raises:
        DataError: If the directory, its normal images, or a class in test/ is missing.
    """
    check_folder(data_dir)
    root = Path(data_dir)
    read = partial(_item, root, image_size, resize)
    normal = [read(path, None) for path in _images(root / "train" / NORMAL)]
    if not normal:
        raise DataError(
            f"Expected normal images ({', '.join(SUFFIXES)}) in {root / 'train' / NORMAL}. "
            f"Received: none; {len(_images(root))} in {root} itself."
        )
    labelled = [
        read(path, None if kind.name == NORMAL else kind.name)
        for kind in _directories(root / "test")
        for path in _images(kind)
    ]
    try:
        dataset = split_train_and_labelled(
            normal,
            labelled,
            num_train=num_train,
            protocol=protocol,
            needs_labels=needs_labels,
        )
    except DataError as error:
        raise DataError(f"{root}: {error.in_flags}") from error
    return replace(dataset, ignored=_others(root, {item.name for item in (*normal, *labelled)}))


def check_folder(data_dir: str) -> None:
    """Checks that there is such a directory.

    Raises:
        DataError: If there is none.
    """
    if not Path(data_dir).is_dir():
        raise DataError(
            f"Expected a directory with train/good. Received: --data_dir={data_dir}, which is none"
        )


def _others(root: Path, known: set[str]) -> tuple[str, ...]:
    """Names of the files in train/ and test/ that are not among the known ones."""
    files = (path for part in ("train", "test") for path in (root / part).rglob("[!.]*"))
    names = {path.relative_to(root).as_posix() for path in files if path.is_file()}
    return tuple(sorted(names - known))


def write_folder(
    dataset: Dataset, output_dir: Path, progress: Callable[[], None] = lambda: None
) -> None:
    """Writes a generated dataset as PNG files in the layout above, with its masks.

    The names of the files tell their splits.

    Args:
        dataset: a dataset whose names are paths in the layout.
        output_dir: a directory that is not there or is empty.
        progress: called after each image.

    Raises:
        DataError: If the directory holds something.
    """
    if output_dir.exists() and any(output_dir.iterdir()):
        raise DataError(f"Expected an empty directory. Received: --output_dir={output_dir}")
    for _, item in dataset.items():
        _write_png(output_dir / item.name, item.load())
        if item.label:
            assert item.load_mask is not None
            _write_png(output_dir / mask_path(item.name), item.load_mask().astype(np.uint8) * 255)
        progress()


def _write_png(path: Path, image: np.ndarray) -> None:
    _, data = cv2.imencode(".png", image)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _item(
    root: Path, image_size: tuple[int, int], mode: str, path: Path, defect: str | None
) -> Item:
    name = path.relative_to(root).as_posix()
    if not name.isprintable():
        raise DataError(f"Expected file names in UTF-8. Received: {name!r} in {root}")
    mask = root / mask_path(name)
    return Item(
        name=name,
        defect=defect,
        load=lambda: resize(read_gray(path), image_size, mode),
        load_mask=(lambda: resize(read_gray(mask), image_size, mode) > 0)
        if mask.exists()
        else None,
    )


def _directories(path: Path) -> list[Path]:
    return sorted(child for child in _children(path) if child.is_dir())


def _images(path: Path) -> list[Path]:
    return sorted(child for child in _children(path) if child.suffix.lower() in SUFFIXES)


def _children(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return [child for child in path.iterdir() if not child.name.startswith(".")]
