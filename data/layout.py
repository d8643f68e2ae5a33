"""Which file of a directory is what, in the layout of MVTec AD. No file is read.

train/good/*                              normal images to train on
test/good/*                               labelled normal images
test/<defect>/*                           labelled anomalous images, by the kind of defect
ground_truth/<defect>/<stem>_mask.*       optional: the defect's pixels; see `FOLDERS` and
                                          `match_masks` of `masks`

The names of the layout are taken in either case.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from awl_vae.data.dataset import DataError
from awl_vae.data.masks import FOLDERS, files_below
from awl_vae.data.reading import SUFFIXES

NORMAL = "good"


@dataclass(frozen=True)
class Layout:
    """The files of a directory by what they are for.

    Attributes:
        root: the directory.
        parts: the directories of it that are looked into.
        normal: normal images to train on.
        kinds: by the directory of a kind of defect, or of labelled normal images, its images.
        masks: the directories of masks.
    """

    root: Path
    parts: tuple[Path, ...]
    normal: tuple[Path, ...]
    kinds: Mapping[Path, Sequence[Path]]
    masks: tuple[Path, ...]

    @classmethod
    def of(cls, root: Path) -> "Layout":
        """The layout of a directory that has train/ and test/, as far as they are there."""
        train, test, masks = (_named(root, *names) for names in (("train",), ("test",), FOLDERS))
        return cls(
            root,
            (*train, *test, *masks),
            tuple(
                path for part in train for good in _named(part, NORMAL) for path in images_in(good)
            ),
            {kind: images_in(kind) for part in test for kind in _children(part) if kind.is_dir()},
            tuple(masks),
        )

    @classmethod
    def of_normal(cls, root: Path) -> "Layout":
        """A directory that holds normal images alone, with no directories for them."""
        return cls(root, (root,), tuple(images_in(root)), {}, ())

    @property
    def labelled(self) -> list[tuple[Path, str | None]]:
        """Labelled images, each with the kind of its defect, or None."""
        return [
            (path, None if kind.name.casefold() == NORMAL else kind.name)
            for kind, paths in self.kinds.items()
            for path in paths
        ]

    @property
    def anomalous(self) -> list[Path]:
        """The labelled images that have a defect."""
        return [path for path, defect in self.labelled if defect]

    @property
    def what_test_has(self) -> str:
        """A sentence that tells which images are labelled how."""
        found = ", ".join(f"{len(paths)} in {kind.name}" for kind, paths in self.kinds.items())
        return f"Normal ones are looked for in test/{NORMAL}; test has {found or 'no folders'}."

    def others(self, masks_of: Mapping[Path, Sequence[Path]]) -> list[Path]:
        """The files that are neither images of the layout nor masks of one of them."""
        used = {*self.normal, *(path for path, _ in self.labelled)}
        used.update(mask for masks in masks_of.values() for mask in masks)
        files = [path for part in self.parts for path in files_below(part)]
        files += [path for folder in self.unknown for path in images_in(folder)]
        return sorted(path for path in files if path not in used)

    @property
    def unknown(self) -> list[Path]:
        """Directories beside those of the layout, and those in them, where somebody may look."""
        if self.root in self.parts:
            return []
        beside = [path for path in _children(self.root) if path not in self.parts]
        return [*beside, *(child for path in beside for child in _children(path))]

    def masks_among(self, files: Sequence[Path]) -> list[Path]:
        """Those of some files that are images in a directory of masks."""
        images = (path for path in files if path.suffix.lower() in SUFFIXES)
        return [path for path in images if any(map(path.is_relative_to, self.masks))]

    def name(self, path: Path) -> str:
        """What a file is called: its path below the directory."""
        return path.relative_to(self.root).as_posix()


def check_name(name: str, root: Path) -> None:
    """Checks that a name can be kept in our files, and said in a line.

    Raises:
        DataError: If it cannot.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"Expected file names in UTF-8. Received: {name!r} in {root}") from None
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        raise DataError(
            f"Expected file names without control characters. Received: {name!r} in {root}"
        )


def images_in(path: Path) -> list[Path]:
    """The images, by their names, that lie in a directory itself."""
    return [child for child in _children(path) if child.suffix.lower() in SUFFIXES]


def _named(parent: Path, *names: str) -> list[Path]:
    """The directories of some names, in whichever case."""
    return [path for path in _children(parent) if path.is_dir() and path.name.casefold() in names]


def _children(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(child for child in path.iterdir() if not child.name.startswith("."))
