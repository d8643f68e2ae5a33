"""Images of one's own, in the layout of MVTec AD.

train/good/*                              normal images to train on
test/good/*                               labelled normal images
test/<defect>/*                           labelled anomalous images, by the kind of defect
ground_truth/<defect>/<stem>_mask.*       optional: the defect's pixels; see `match_masks`

The names of the layout are taken in either case.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.dataset import DataError, Dataset, Item, mask_path
from awl_vae.data.images import read_gray, resize
from awl_vae.data.masks import match_masks, read_mask
from awl_vae.data.reading import SUFFIXES
from awl_vae.data.splits import split_train_and_labelled
from awl_vae.system import atomic_path

NORMAL, GROUND_TRUTH = "good", "ground_truth"


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
        DataError: If the directory, its normal images, or a class in test/ is missing, or if it is
            not clear which mask is whose.
    """
    check_folder(data_dir)
    root = Path(data_dir)
    train, test, masks = (_named(root, name) for name in ("train", "test", GROUND_TRUTH))
    normal = [path for part in train for good in _named(part, NORMAL) for path in _images(good)]
    if not normal:
        raise DataError(
            f"Expected normal images ({', '.join(SUFFIXES)}) in {root / 'train' / NORMAL}. "
            f"Received: none; {len(_images(root))} in {root} itself."
        )
    kinds = {kind: _images(kind) for part in test for kind in _children(part) if kind.is_dir()}
    labelled = [
        (path, None if kind.name.casefold() == NORMAL else kind.name)
        for kind, paths in kinds.items()
        for path in paths
    ]
    anomalous = [path for path, defect in labelled if defect]
    masks_of = match_masks(masks, anomalous)
    item = partial(_item, root, image_size, resize, masks_of)
    try:
        dataset = split_train_and_labelled(
            [item(path, None) for path in normal],
            [item(path, defect) for path, defect in labelled],
            num_train=num_train,
            protocol=protocol,
            needs_labels=needs_labels,
        )
    except DataError as error:
        raise DataError(f"{root}: {error.in_flags} {_what_test_has(kinds)}") from error
    used = {
        *normal,
        *(path for path, _ in labelled),
        *(m for own in masks_of.values() for m in own),
    }
    notes = list(_notes(root, (*train, *test, *masks), used, masks_of, anomalous))
    if labelled and not dataset.adapt:
        notes.append(_what_test_has(kinds))
    return replace(dataset, notes=tuple(notes))


def _what_test_has(kinds: Mapping[Path, Sequence[Path]]) -> str:
    found = ", ".join(f"{len(paths)} in {kind.name}" for kind, paths in kinds.items())
    return f"Normal ones are looked for in test/{NORMAL}; test has {found or 'no folders'}."


def check_folder(data_dir: str) -> None:
    """Checks that there is such a directory.

    Raises:
        DataError: If there is none.
    """
    if not Path(data_dir).is_dir():
        raise DataError(
            f"Expected a directory with train/good. Received: --data_dir={data_dir}, which is none"
        )


def _notes(
    root: Path,
    parts: Sequence[Path],
    used: set[Path],
    masks_of: Mapping[Path, Sequence[Path]],
    anomalous: Sequence[Path],
) -> Iterator[str]:
    """What is said of the directory before it is used."""
    without = [path for path in anomalous if path not in masks_of]
    if any(part.name.casefold() == GROUND_TRUTH for part in parts):
        text = f"Masks of {len(masks_of)} of {len(anomalous)} anomalous images."
        yield text + (f" First without: {without[0].relative_to(root)}." if without else "")
    files = (path for part in parts for path in part.rglob("[!.]*") if path not in used)
    if others := sorted(path for path in files if not path.is_dir()):
        first = others[0].relative_to(root).as_posix()
        yield f"Not in the layout, and ignored: {len(others)} files (first: {first})."


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
    root: Path,
    image_size: tuple[int, int],
    mode: str,
    masks_of: Mapping[Path, Sequence[Path]],
    path: Path,
    defect: str | None,
) -> Item:
    name = path.relative_to(root).as_posix()
    _check_name(name, root)
    masks = masks_of.get(path)

    def load_mask() -> np.ndarray:
        # First what is marked, then the size: as gray levels, masks of 0 and 1 would lose pixels.
        marked = np.uint8(255) * read_mask(masks or (), path)
        return resize(marked, image_size, mode) > 0

    return Item(
        name=name,
        defect=defect,
        load=lambda: resize(read_gray(path), image_size, mode),
        load_mask=load_mask if masks else None,
        file=path,
    )


def _check_name(name: str, root: Path) -> None:
    """Checks that a name can be kept in our files, and said in a line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"Expected file names in UTF-8. Received: {name!r} in {root}") from None
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        raise DataError(
            f"Expected file names without control characters. Received: {name!r} in {root}"
        )


def _named(parent: Path, name: str) -> list[Path]:
    """The directories of a name, in whichever case."""
    return [path for path in _children(parent) if path.is_dir() and path.name.casefold() == name]


def _images(path: Path) -> list[Path]:
    return [child for child in _children(path) if child.suffix.lower() in SUFFIXES]


def _children(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(child for child in path.iterdir() if not child.name.startswith("."))
