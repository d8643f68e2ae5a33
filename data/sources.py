"""The datasets by the names that `--dataset` takes."""

from functools import partial

from awl_vae.data.bellows import BELLOWS
from awl_vae.data.comb import COMB
from awl_vae.data.dataset import DataError, Dataset
from awl_vae.data.elpv import elpv
from awl_vae.data.folder import folder
from awl_vae.data.square import SQUARE
from awl_vae.data.textures import BRICK, GRAVEL

GENERATED = {product.name: product for product in (BELLOWS, SQUARE, COMB)}
"""Stand-ins for the paper's confidential photographs, rendered when they are needed."""

TEXTURES = {texture.name: texture for texture in (BRICK, GRAVEL)}
"""Photographs of textures from the package scikit-image, with defects made on them."""

REAL = {
    "elpv_mono": partial(elpv, "mono"),
    "elpv_poly": partial(elpv, "poly"),
    "folder": folder,
}
"""Photographs: of the package elpv-dataset, and of a directory."""


def load_dataset(
    name: str,
    image_size: tuple[int, int],
    *,
    num_train: int | None,
    protocol: str,
    num_adapt: tuple[int, int] | None = None,
    resize: str = "stretch",
    data_dir: str | None = None,
    needs_labels: bool = True,
) -> Dataset:
    """The dataset of a name, split.

    Args:
        name: a key of `GENERATED`, `TEXTURES` or `REAL`.
        image_size: (height, width) of every image.
        num_train: number of training images, or None for all that there are.
        protocol: "heldout" or "paper".
        num_adapt: normal and anomalous adapt images of a generated dataset, or None for as many as
            the paper has.
        resize: how real images are brought to the size: "stretch", "pad" or "crop".
        data_dir: the images of "folder"; for a generated dataset, real images in its place.
        needs_labels: whether too few labelled images are an error; otherwise they are left out.

    Returns:
        The dataset.

    Raises:
        DataError: If the images are not there.
    """
    if name == "folder" and data_dir is None:
        raise DataError("Expected --data_dir with --dataset=folder. Received: none.")
    settings = {"num_train": num_train, "protocol": protocol}
    if data_dir is not None:
        if name not in ("folder", *GENERATED):
            raise DataError(
                f"Expected no --data_dir with --dataset={name}. Received: data_dir={data_dir}"
            )
        return folder(data_dir, image_size, **settings, resize=resize, needs_labels=needs_labels)
    made = GENERATED | TEXTURES
    if name in made:
        return made[name].dataset(image_size, **settings, num_adapt=num_adapt)
    return REAL[name](image_size, **settings, resize=resize)
