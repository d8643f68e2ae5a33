"""Real photographs: electroluminescence images of solar cells, from the package elpv-dataset.

Deitsch et al., "Automatic classification of defective photovoltaic module cells in
electroluminescence images", Solar Energy 185 (2019); images CC BY-NC-SA 4.0. They are 300 × 300,
8-bit gray, and each has the probability of a defect: 0 is normal here, 1 is anomalous, and the
two grades between are left out.

The files are ordered by module and type. To have cells that look alike, as on one production line,
we take the longest unbroken run of one type: 714 monocrystalline, 530 polycrystalline cells.
"""

import importlib.resources
import importlib.util
from functools import partial
from importlib.resources.abc import Traversable
from itertools import groupby

from awl_vae.data.dataset import DataError, Dataset, Item
from awl_vae.data.images import read_gray, resize
from awl_vae.data.splits import split_pool
from awl_vae.system.errors import install_hint


def elpv(
    cell_type: str,
    image_size: tuple[int, int],
    *,
    num_train: int | None,
    protocol: str,
    resize: str,
) -> Dataset:
    """The cells of one type.

    Args:
        cell_type: "mono" or "poly".
        image_size: (height, width) that every image is brought to.
        num_train: number of training images to use, or None for all.
        protocol: "heldout" or "paper".
        resize: "stretch", "pad" or "crop".

    Returns:
        Dataset whose images are read from the installed package when they are loaded.

    Raises:
        DataError: If the package is not installed.
    """
    if importlib.util.find_spec("elpv_dataset") is None:
        hint = install_hint("elpv")
        raise DataError(f"Expected the package elpv-dataset. Received: none; {hint}")
    root = importlib.resources.files("elpv_dataset") / "data"
    rows = [line.split() for line in (root / "labels.csv").read_text(encoding="utf-8").splitlines()]
    runs = [list(run) for _, run in groupby(rows, key=lambda row: row[2])]
    cells = max((run for run in runs if run[0][2] == cell_type), key=len)
    pool = {
        probability: [
            _item(root, file_name, defect, image_size, resize)
            for file_name, value, _ in cells
            if float(value) == probability
        ]
        for probability, defect in ((0.0, None), (1.0, "defective"))
    }
    return split_pool(pool[0.0], pool[1.0], num_train=num_train, protocol=protocol)


def _item(
    root: Traversable, file_name: str, defect: str | None, image_size: tuple[int, int], mode: str
) -> Item:
    read = partial(read_gray, root / file_name)
    return Item(name=file_name, defect=defect, load=lambda: resize(read(), image_size, mode))
