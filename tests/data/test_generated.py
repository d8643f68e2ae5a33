from pathlib import Path

import commands
import cv2
import numpy as np
import pytest

from awl_vae.data import GENERATED, DataError, load_dataset

REFERENCE = Path(__file__).parent.parent / "reference"
BELLOWS, SQUARE, COMB = (GENERATED[name] for name in ("bellows", "square", "comb"))
PRODUCTS = pytest.mark.parametrize("product", GENERATED.values(), ids=list(GENERATED))
DEFECTS = pytest.mark.parametrize(
    ("product", "defect"),
    [(product, defect) for product in GENERATED.values() for defect in product.defects],
    ids=lambda value: value if isinstance(value, str) else value.name,
)


@PRODUCTS
def test_image_i_of_seed_s_is_the_same_for_ever(product):
    # One gray level is left to other processors, whose sine or exponential may differ by a bit.
    for defect in (None, *product.defects):
        image, _ = product.render(7, 3, image_size=(64, 64), defect=defect)
        reference = cv2.imread(str(REFERENCE / f"{product.name}_{defect or 'good'}.png"), -1)
        assert reference.shape == (64, 64)
        assert np.abs(image.astype(int) - reference).max() <= 1


@PRODUCTS
def test_images_differ_by_index_and_by_seed(product):
    images = [product.render(s, i, image_size=(32, 32))[0] for s, i in ((1, 0), (1, 1), (2, 0))]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
    np.testing.assert_array_equal(images[0], product.render(1, 0, image_size=(32, 32))[0])


@DEFECTS
@pytest.mark.parametrize("image_size", [(32, 32), (96, 160), (256, 256)])
def test_a_defect_changes_the_image_where_its_mask_is(product, defect, image_size):
    for index in range(5):
        normal, nothing = product.render(1, index, image_size=image_size)
        damaged, mask = product.render(1, index, image_size=image_size, defect=defect)
        assert normal.shape == damaged.shape == mask.shape == image_size
        assert not nothing.any()
        difference = np.abs(damaged.astype(int) - normal)
        assert difference[~mask].max(initial=0) <= 6  # below 0.02 of 255, and a rounding
        assert mask.any()
        assert mask.mean() < 0.3


def test_bellows_are_jagged_along_the_horizontal():
    image, _ = BELLOWS.render(1, 0, image_size=(256, 256))
    row = image[128].astype(float) - image[128].mean()
    assert np.argmax(np.abs(np.fft.rfft(row))) == 7
    column = image[:, 128].astype(float)
    assert column[100:156].mean() > 3 * column[:20].mean()  # a tube before a dark background


def test_square_is_white_around_a_device_that_is_no_defect():
    images = np.stack([SQUARE.render(1, i, image_size=(256, 256))[0] for i in range(20)])
    frame, device = images[:, 40, 128], images[:, 100:156, 100:156]
    assert frame.min() > 190
    assert device.max() < 170
    # The device differs from image to image more than the product does.
    assert device.std(axis=0).mean() > 1.5 * frame.std()
    for defect in SQUARE.defects:
        for index in range(20):
            _, mask = SQUARE.render(1, index, image_size=(256, 256), defect=defect)
            y, x = np.nonzero(mask)
            assert np.maximum(np.abs(y - 128), np.abs(x - 128)).min() > 80  # far from the disc


def test_comb_has_nine_teeth():
    image, _ = COMB.render(1, 0, image_size=(256, 256))
    row = image[170] > 80
    assert np.sum(row[1:] > row[:-1]) == 9
    assert image[60].max() > 100  # the back
    missing = [COMB.render(1, i, image_size=(256, 256), defect="missing")[0] for i in range(9)]
    assert {int(np.sum((m[200] > 80)[1:] > (m[200] > 80)[:-1])) for m in missing} == {8}


@PRODUCTS
def test_light_varies(product):
    means = [product.render(1, index, image_size=(32, 32))[0].mean() for index in range(40)]
    assert np.std(means) > 0.5


def test_unknown_defect_and_too_narrow_images_are_refused():
    with pytest.raises(ValueError, match="Received: defect='rust'"):
        BELLOWS.render(1, 0, image_size=(32, 32), defect="rust")
    with pytest.raises(DataError, match="Received: image_size=256x16"):
        BELLOWS.dataset((256, 16), num_train=1, protocol="paper")


@pytest.mark.parametrize(
    ("product", "num_adapt"), [(BELLOWS, (90, 104)), (SQUARE, (1000, 1000)), (COMB, (72, 100))]
)
def test_splits_have_the_counts_of_the_paper_and_no_name_in_common(product, num_adapt):
    dataset = product.dataset((16, 16), num_train=12, protocol="heldout")
    counts = {
        split: (sum(1 - i.label for i in items), sum(i.label for i in items))
        for split in ("train", "calibration", "adapt", "test")
        for items in [getattr(dataset, split)]
    }
    assert counts == {
        "train": (12, 0),
        "calibration": (200, 0),
        "adapt": num_adapt,
        "test": (500, 500),
    }
    names = [item.name for _, item in dataset.items()]
    assert len(set(names)) == len(names)
    assert {item.defect for item in dataset.adapt} == {None, *product.defects}


@PRODUCTS
def test_no_image_is_in_two_splits(product):
    dataset = product.dataset((16, 16), num_train=12, num_adapt=(40, 40), protocol="heldout")
    images = {item.load().tobytes() for _, item in dataset.items()}
    assert len(images) == len(dataset.items())


def test_paper_protocol_has_no_further_test_images():
    dataset = SQUARE.dataset((16, 16), num_train=12, num_adapt=(100, 100), protocol="paper")
    assert len(dataset.adapt) == 200
    assert dataset.test == ()


def test_written_to_disk_and_read_back_as_a_folder(tmp_path):
    output = tmp_path / "bellows"
    flags = ("--dataset=bellows", f"--output_dir={output}", "--image_size=16", "--num_train=30")
    commands.run("write_dataset.py", *flags)
    generated = {
        item.name: item
        for _, item in BELLOWS.dataset((16, 16), num_train=30, protocol="heldout").items()
    }
    dataset = load_dataset(
        "folder", (16, 16), num_train=None, protocol="heldout", data_dir=str(output)
    )
    read = {item.name: item for _, item in dataset.items()}
    assert read.keys() == generated.keys()
    for name, item in read.items():
        assert item.defect == generated[name].defect
    for name in ("train/good/train_00007.png", "test/hole/test_00501.png"):
        np.testing.assert_array_equal(read[name].load(), generated[name].load())
    np.testing.assert_array_equal(
        read["test/hole/test_00501.png"].load_mask(),
        generated["test/hole/test_00501.png"].load_mask(),
    )
    again = commands.run("write_dataset.py", *flags, expected=1)
    assert "Expected an empty directory" in again.stderr
