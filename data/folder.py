"""Images of one's own, in the layout of MVTec AD; see `awl_vae.data.layout`."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from awl_vae.data.dataset import DataError, Dataset, Item, mask_path
from awl_vae.data.images import resize
from awl_vae.data.layout import NORMAL, Layout, images_in
from awl_vae.data.masks import match_masks, read_mask
from awl_vae.data.measure import ImageFile
from awl_vae.data.reading import SUFFIXES
from awl_vae.data.roi import RegionsOfInterest
from awl_vae.data.splits import split_train_and_labelled
from awl_vae.system import atomic_path
from awl_vae.system.words import with_first


def folder(
    data_dir: str,
    image_size: tuple[int, int],
    *,
    num_train: int | None,
    protocol: str,
    resize: str,
    needs_labels: bool = True,
    roi_mask: str | None = None,
    channels: str = "gray",
) -> Dataset:
    """The images of a directory.

    Args:
        data_dir: the directory that holds train/ and test/.
        image_size: (height, width) that every image is brought to.
        num_train: number of training images to use, or None for all.
        protocol: "heldout" or "paper".
        resize: "stretch", "pad" or "crop".
        needs_labels: whether too few images in test/ are an error; otherwise they are left out.
        roi_mask: the region of interest; see `RegionsOfInterest`.
        channels: a key of `CHANNELS`.

    Returns:
        Dataset whose images are read when they are loaded.

    Raises:
        DataError: If the directory, its normal images, a class in test/ or the region is missing,
            or if it is not clear which mask is whose.
    """
    check_folder(data_dir)
    root = Path(data_dir)
    layout = Layout.of(root)
    if not layout.normal:
        raise DataError(
            f"Expected normal images ({', '.join(SUFFIXES)}) in {root / 'train' / NORMAL}. "
            f"Received: none; {len(images_in(root))} in {root} itself."
        )
    masks_of = match_masks(layout.masks, layout.anomalous)
    rois = RegionsOfInterest(Path(roi_mask), image_size, resize) if roi_mask else None
    train_items, labelled_items = items_of(
        layout, masks_of, image_size, resize=resize, channels=channels, rois=rois
    )
    try:
        dataset = split_train_and_labelled(
            train_items,
            labelled_items,
            num_train=num_train,
            protocol=protocol,
            needs_labels=needs_labels,
        )
    except DataError as error:
        raise DataError(f"{error.in_flags} {layout.what_test_has} In {root}.") from error
    notes = list(_notes(layout, masks_of))
    if layout.labelled and not dataset.adapt:
        notes.append(layout.what_test_has)
    if rois is not None:
        note = rois.note([Path(item.name) for item in [*train_items, *labelled_items]])
        notes += [note] if note else []
    return replace(dataset, notes=tuple(notes))


def items_of(
    layout: Layout,
    masks_of: Mapping[Path, Sequence[Path]],
    image_size: tuple[int, int],
    *,
    resize: str,
    channels: str,
    rois: RegionsOfInterest | None = None,
) -> tuple[list[Item], list[Item]]:
    """The normal images of a layout, and the labelled ones.

    Args:
        layout: the files.
        masks_of: by labelled image that has masks of its defect, their files.
        image_size: (height, width) that every image is brought to.
        resize: how: "stretch", "pad" or "crop".
        channels: a key of `CHANNELS`.
        rois: the regions of interest, if there are any.
    """
    item = functools.partial(_item, layout.root, image_size, resize, channels, masks_of, rois)
    return (
        [item(path, "train", None) for path in layout.normal],
        [item(path, "test", defect) for path, defect in layout.labelled],
    )


def check_folder(data_dir: str) -> None:
    """Checks that there is such a directory.

    Raises:
        DataError: If there is none.
    """
    if not Path(data_dir).is_dir():
        raise DataError(
            f"Expected a directory with train/good. Received: --data_dir={data_dir}, which is none"
        )


def _notes(layout: Layout, masks_of: Mapping[Path, Sequence[Path]]) -> Iterator[str]:
    """What is said of the directory before it is used."""
    without = [path for path in layout.anomalous if path not in masks_of]
    if layout.masks:
        text = f"Masks of {len(masks_of)} of {len(layout.anomalous)} anomalous images."
        yield text + (f" First without: {layout.name(without[0])}." if without else "")
    others = layout.others(masks_of)
    masks = layout.masks_among(others)
    for text, files in (
        ("Masks of no anomalous image, and ignored", masks),
        ("Not in the layout, and ignored", [path for path in others if path not in masks]),
    ):
        if files:
            yield f"{text}: {with_first(len(files), 'file', layout.name(files[0]))}."


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
    channels: str,
    masks_of: Mapping[Path, Sequence[Path]],
    rois: RegionsOfInterest | None,
    path: Path,
    split: str,
    defect: str | None,
) -> Item:
    image = ImageFile(path, root, split, defect, image_size, mode, channels)
    masks = masks_of.get(path)
    load_roi = None
    if rois is not None:
        load_roi = functools.partial(rois.load, rois.mask_of(path.relative_to(root)), path)

    @_kept
    def load_mask() -> np.ndarray:
        # First what is marked, then the size: as gray levels, masks of 0 and 1 would lose pixels.
        marked = np.uint8(255) * read_mask(masks or (), path)
        mask = resize(marked, image_size, mode) > 0
        return mask if load_roi is None else mask & load_roi()

    return Item(
        name=image.name,
        defect=defect,
        load=image.load,
        load_mask=load_mask if masks else None,
        file=path,
        measured=image.measured,
        load_roi=load_roi,
    )


def _kept(load_mask: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    """A mask (H, W) that is read once, and kept with eight pixels a byte."""

    @functools.cache
    def packed() -> tuple[np.ndarray, tuple[int, int]]:
        mask = load_mask()
        return np.packbits(mask), mask.shape

    def unpacked() -> np.ndarray:
        bits, shape = packed()
        return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)

    return unpacked
