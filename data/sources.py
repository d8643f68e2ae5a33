"""The datasets by the names that `--dataset` takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from awl_vae.data.bellows import BELLOWS
from awl_vae.data.comb import COMB
from awl_vae.data.dataset import SPLITS, DataError, Dataset, Item
from awl_vae.data.elpv import elpv
from awl_vae.data.folder import folder
from awl_vae.data.generated import Product
from awl_vae.data.images import CHANNELS
from awl_vae.data.square import SQUARE
from awl_vae.data.textures import BRICK, GRAVEL, Texture
from awl_vae.system.errors import check_name

GENERATED = {product.name: product for product in (BELLOWS, SQUARE, COMB)}
"""Stand-ins for the paper's confidential photographs, rendered when they are needed."""

TEXTURES = {texture.name: texture for texture in (BRICK, GRAVEL)}
"""Photographs of textures from the package scikit-image, with defects made on them."""


@dataclass(frozen=True)
class Request:
    """Which images are wanted of a dataset.

    Attributes:
        image_size: (height, width) of every image.
        num_train: number of training images, or None for all that there are; some are made, and
            have no such number.
        protocol: "heldout" or "paper".
        num_adapt: normal and anomalous adapt images of a generated dataset, or None for as many as
            the paper has.
        resize: how real images are brought to the size: "stretch", "pad" or "crop".
        data_dir: the images of "folder"; for a generated dataset, real images in its place.
        needs_labels: whether too few labelled images are an error; otherwise they are left out.
        roi_mask: the region of interest of the images in `data_dir`.
        channels: of every image, a key of `CHANNELS`.
    """

    image_size: tuple[int, int]
    num_train: int | None
    protocol: str
    num_adapt: tuple[int, int] | None = None
    resize: str = "stretch"
    data_dir: str | None = None
    needs_labels: bool = True
    roi_mask: str | None = None
    channels: str = "gray"


Source = Callable[[Request], Dataset]


def _made(product: Product | Texture, wanted: Request) -> Dataset:
    if wanted.num_train is None:
        raise DataError("Expected a number of images to be made. Received: --num_train=None")
    return product.dataset(
        wanted.image_size,
        num_train=wanted.num_train,
        protocol=wanted.protocol,
        num_adapt=wanted.num_adapt,
    )


def _elpv(cell_type: str, wanted: Request) -> Dataset:
    return elpv(
        cell_type,
        wanted.image_size,
        num_train=wanted.num_train,
        protocol=wanted.protocol,
        resize=wanted.resize,
    )


def _folder(wanted: Request) -> Dataset:
    assert wanted.data_dir is not None
    return folder(
        wanted.data_dir,
        wanted.image_size,
        num_train=wanted.num_train,
        protocol=wanted.protocol,
        resize=wanted.resize,
        needs_labels=wanted.needs_labels,
        roi_mask=wanted.roi_mask,
        channels=wanted.channels,
    )


SOURCES: dict[str, Source] = {
    **{name: partial(_made, product) for name, product in (GENERATED | TEXTURES).items()},
    "elpv_mono": partial(_elpv, "mono"),
    "elpv_poly": partial(_elpv, "poly"),
    "folder": _folder,
}
"""By the name that `--dataset` takes, what makes a dataset of a request."""


def check_data_dir(name: str, data_dir: object) -> None:
    """Checks that a dataset has a directory where it needs one, and none where it cannot.

    Raises:
        DataError: If that is not so.
    """
    if name == "folder" and data_dir is None:
        raise DataError("Expected --data_dir with --dataset=folder. Received: none.")
    if data_dir is not None and name not in ("folder", *GENERATED):
        raise DataError(
            f"Expected no --data_dir with --dataset={name}. Received: --data_dir={data_dir}"
        )


def load_dataset(name: str, image_size: tuple[int, int], **wanted: Any) -> Dataset:
    """The dataset of a name, split.

    Args:
        name: a key of `SOURCES`.
        image_size: (height, width) of every image.
        **wanted: the other attributes of `Request`.

    Returns:
        The dataset.

    Raises:
        DataError: If there is no such dataset, or the images are not there.
    """
    check_name("a dataset", name, SOURCES, DataError)
    request = Request(image_size, **wanted)
    if request.data_dir is not None and name in GENERATED:
        return _folder(request)
    check_data_dir(name, request.data_dir)
    dataset = SOURCES[name](request)
    return dataset if name == "folder" else _in_channels(dataset, request.channels)


def _in_channels(dataset: Dataset, channels: str) -> Dataset:
    """A dataset of gray images with so many channels; nothing in them is coloured."""
    if channels == "gray":
        return dataset

    def seen(item: Item) -> Item:
        return replace(item, load=lambda: CHANNELS[channels](item.load()))

    splits: dict[str, Any] = {split: tuple(map(seen, getattr(dataset, split))) for split in SPLITS}
    return replace(dataset, **splits)
