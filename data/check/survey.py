"""A folder of images, looked at: each file read once, a few numbers kept of each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from awl_vae.data.check.concern import Concern, listed
from awl_vae.data.check.defects import MeasuredMask, defect_concerns, measure_mask
from awl_vae.data.check.levels import level_concerns, unlike_concerns
from awl_vae.data.check.picture import picture
from awl_vae.data.check.repeated import repeated_concerns
from awl_vae.data.dataset import DataError
from awl_vae.data.layout import NORMAL, Layout
from awl_vae.data.masks import FOLDERS, match_masks, without_ending
from awl_vae.data.measure import ImageFile, Measured
from awl_vae.data.reading import SUFFIXES, TOGETHER, is_image_name
from awl_vae.system.ahead import map_ahead
from awl_vae.system.words import in_one_line, with_first


@dataclass(frozen=True)
class Unreadable:
    """An image that cannot be used.

    Attributes:
        name: its path below the folder.
        reason: why, in a line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Survey:
    """What was seen of a folder.

    Attributes:
        layout: its files.
        images: those that could be read, in the order of the files.
        unreadable: by the name of an image that could not, why.
        masks: of each image that has one.
        masks_of: by image that has a mask, its files.
        wrong: what is wrong with the masks all together, or an empty text.
    """

    layout: Layout
    images: tuple[Measured, ...]
    unreadable: Mapping[str, str]
    masks: tuple[MeasuredMask, ...]
    masks_of: Mapping[Path, tuple[Path, ...]]
    wrong: str

    @classmethod
    def of(
        cls,
        root: Path,
        image_size: tuple[int, int],
        mode: str,
        *,
        num_threads: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> "Survey":
        """Looks at a folder.

        Args:
            root: a directory in the layout of `awl_vae.data.layout`, or one that holds images,
                which are normal then.
            image_size: (height, width) of training.
            mode: how images are brought to it: "stretch", "pad" or "crop".
            num_threads: how many files are read at a time.
            progress: called after each file, with how many were read and how many there are.

        Returns:
            What was seen.

        Raises:
            DataError: If there is no such directory, or no image in it.
        """
        layout = read_layout(root)
        try:
            masks_of, wrong = match_masks(layout.masks, layout.anomalous), ""
        except DataError as error:
            masks_of, wrong = {}, str(error)
        looks = list(_looks(layout, masks_of, image_size, mode))
        seen: dict[type, list[Any]] = {Measured: [], Unreadable: [], MeasuredMask: []}
        found = map_ahead(
            _call, looks, num_threads=num_threads, ahead=16 * num_threads, together=TOGETHER
        )
        for done, one in enumerate(found, 1):
            seen[type(one)].append(one)
            progress(done, len(looks))
        unreadable = {one.name: one.reason for one in seen[Unreadable]}
        # Where an image cannot be read, its mask is not what is wrong.
        masks = tuple(mask for mask in seen[MeasuredMask] if mask.name not in unreadable)
        return cls(layout, tuple(seen[Measured]), unreadable, masks, masks_of, wrong)

    @property
    def _others(self) -> list[Path]:
        return self.layout.others(self.masks_of)

    def picture(self, name: str) -> np.ndarray | None:
        """What is shown of an image, see `picture`; None where it cannot be read."""
        path = self.layout.root / name
        return picture(path, self.masks_of.get(path, ()))

    def concerns(self) -> Iterator[Concern]:
        """What is to be said of it, whatever is done with the images."""
        yield from self._files()
        yield from self._classes()
        yield from image_concerns(self.images)
        yield from defect_concerns(self.masks)

    def _files(self) -> Iterator[Concern]:
        if self.unreadable:
            names = tuple(self.unreadable)
            reason = in_one_line(self.unreadable[names[0]])
            text = f"{with_first(len(names), 'image', in_one_line(names[0]))}: {reason}"
            yield Concern("unreadable", text, names)
        images = [path for path in self._others if is_image_name(path)]
        masks = self.layout.masks_among(images)
        yield from listed(
            "not used",
            [self.layout.name(path) for path in images if path not in masks],
            "by the name an image, but not in the layout or of a format that is not read",
            of="file",
        )
        if self.wrong:
            yield Concern("masks", in_one_line(self.wrong))
            return
        yield from listed(
            "masks without image",
            [self.layout.name(path) for path in masks],
            "no anomalous image that it is of",
            of="mask",
        )
        if self.layout.masks:
            bare = [path for path in self.layout.anomalous if path not in self.masks_of]
            names_of_bare = [self.layout.name(path) for path in bare]
            yield from listed("images without mask", names_of_bare, "anomalous, and no mask")

    def _classes(self) -> Iterator[Concern]:
        """Which kinds of images are too few to train with."""
        num_normal = len(self.layout.normal)
        if num_normal < 2:
            text = f"{num_normal} normal images in train/{NORMAL}, where training takes 2 at least"
            yield Concern("training images", text)
        num_labelled, num_anomalous = len(self.layout.labelled), len(self.layout.anomalous)
        if num_labelled and min(num_labelled - num_anomalous, num_anomalous) < 2:
            yield Concern(
                "labels",
                f"{num_labelled - num_anomalous} normal and {num_anomalous} anomalous images have "
                f"a label, where it takes 2 of each. {self.layout.what_test_has}",
            )


def image_concerns(images: Sequence[Measured]) -> Iterator[Concern]:
    """What is to be said of images by what was seen of each."""
    stems = {image.name: PurePath(image.name).with_suffix("") for image in images}
    known = set(stems.values())
    of_others = [
        name
        for name, stem in stems.items()
        if (bare := without_ending(stem.name)) not in ("", stem.name)
        and stem.with_name(bare) in known
    ]
    yield from listed(
        "masks among images",
        of_others,
        "by the name a mask of an image beside it, and taken as an image; masks are looked for in "
        f"{' and '.join(FOLDERS)}",
    )
    yield from repeated_concerns(images)
    yield from level_concerns(images)
    yield from unlike_concerns(images)


def read_layout(root: Path) -> Layout:
    """The files of a directory that has train/ and test/, or holds normal images itself.

    Raises:
        DataError: If there is no such directory, or no image in it.
    """
    if not root.is_dir():
        raise DataError(f"Expected a folder of images. Received: {root}, which is none")
    layout = Layout.of(root)
    if layout.parts == layout.masks:  # a folder of masks beside images makes no layout
        layout = Layout.of_normal(root)
    if not layout.normal and not layout.labelled:
        below = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
        raise DataError(
            f"Expected images ({', '.join(SUFFIXES)}) in {root} itself, or in train/{NORMAL} and "
            f"test/* below it. Received: none{f', but the folders {below}' if below else ''}"
        )
    return layout


Look = Callable[[], Measured | Unreadable | MeasuredMask]


def _looks(
    layout: Layout,
    masks_of: Mapping[Path, tuple[Path, ...]],
    image_size: tuple[int, int],
    mode: str,
) -> Iterator[Look]:
    """What is to be called, for each image and each mask."""
    for path in layout.normal:
        yield partial(_measure, path, layout.root, "train", None, image_size, mode)
    for path, defect in layout.labelled:
        yield partial(_measure, path, layout.root, "test", defect, image_size, mode)
        if defect and path in masks_of:
            name, masks = layout.name(path), masks_of[path]
            yield partial(measure_mask, masks, path, name, defect, image_size, mode)


def _measure(
    path: Path, root: Path, split: str, defect: str | None, image_size: tuple[int, int], mode: str
) -> Measured | Unreadable:
    try:
        return ImageFile(path, root, split, defect, image_size, mode).measured()
    except DataError as error:
        return Unreadable(path.relative_to(root).as_posix(), str(error))


def _call(look: Look) -> Measured | Unreadable | MeasuredMask:
    return look()
