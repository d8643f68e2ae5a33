from importlib.resources import files

import numpy as np
import pytest

from awl_vae.data import SPLITS, DataError, load_dataset
from awl_vae.data.images import read_gray
from awl_vae.data.textures import DEFECTS, LEAST_CHANGE, PARTS, _render

pytest.importorskip("skimage")


def load(name="brick", image_size=(64, 64), protocol="heldout"):
    return load_dataset(name, image_size, num_train=12, protocol=protocol)


def test_splits_are_of_disjoint_parts_of_the_photograph():
    taken = np.zeros((512, 512), int)
    for part in PARTS.values():
        taken[part] += 1
    assert taken.max() == taken.min() == 1


@pytest.mark.parametrize("name", ["brick", "gravel"])
def test_counts_names_and_images(name):
    dataset = load(name)
    counts = {split: len(getattr(dataset, split)) for split in SPLITS}
    assert counts == {"train": 12, "calibration": 200, "adapt": 200, "test": 1000, "synthetic": 0}
    assert len({item.name for _, item in dataset.items()}) == sum(counts.values())
    assert {item.defect for item in dataset.adapt} == {None, *DEFECTS}
    images = [item.load() for item in dataset.train]
    assert all(image.shape == (64, 64) and image.dtype == np.uint8 for image in images)
    assert len({image.tobytes() for image in images}) == len(images)
    assert load(name, protocol="paper").test == ()


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_where_its_mask_is(defect):
    for item in [item for item in load().test if item.defect == defect][:20]:
        index = int(item.name[-9:-4])
        twin = load_normal(index)
        mask = item.load_mask()
        assert 0.001 < mask.mean() < 0.35
        change = np.abs(item.load().astype(int) - twin)
        assert change[~mask].max() <= 255 * LEAST_CHANGE + 1
        assert change[mask].min() > 0


def load_normal(index):
    """The cut that an image of the test split is made of, without its defect."""
    photographs = [read_gray(files("skimage") / "data" / f"{n}.png") for n in ("brick", "gravel")]
    return _render(photographs, (64, 64), (64, 64), "test", index, None)[0]


def test_other_sizes_show_the_same_place():
    small, large = (load(image_size=size).test[-1].load() for size in ((64, 64), (128, 128)))
    shrunk = large.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_a_cut_must_fit_into_its_part():
    with pytest.raises(DataError, match="at most 3.5 heights"):
        load(image_size=(16, 64))
