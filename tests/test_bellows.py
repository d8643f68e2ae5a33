from pathlib import Path

import commands
import cv2
import numpy as np
import pytest

from data import load_dataset
from data.bellows import DEFECTS, bellows, render

REFERENCE = Path(__file__).parent / "reference"


@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_image_i_of_seed_s_is_the_same_for_ever(defect):
    # One gray level is left to other processors, whose sine or exponential may differ by a bit.
    image, _ = render(7, 3, image_size=(64, 64), defect=defect)
    reference = cv2.imread(str(REFERENCE / f"bellows_{defect or 'good'}.png"), -1)
    assert reference.shape == (64, 64)
    assert np.abs(image.astype(int) - reference).max() <= 1


def test_images_differ_by_index_and_by_seed():
    images = [render(s, i, image_size=(32, 32))[0] for s, i in ((1, 0), (1, 1), (2, 0))]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
    np.testing.assert_array_equal(images[0], render(1, 0, image_size=(32, 32))[0])


@pytest.mark.parametrize("image_size", [(32, 32), (96, 160), (256, 256)])
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_changes_the_image_where_its_mask_is(defect, image_size):
    visible = 0
    for index in range(5):
        normal, nothing = render(1, index, image_size=image_size)
        damaged, mask = render(1, index, image_size=image_size, defect=defect)
        assert normal.shape == damaged.shape == mask.shape == image_size
        assert not nothing.any()
        difference = np.abs(damaged.astype(int) - normal)
        assert difference[~mask].max(initial=0) <= 6  # below 0.02 of 255, and a rounding
        visible += mask.any()
        assert mask.mean() < 0.3
    assert visible == 5


def test_jagged_along_the_horizontal():
    image, _ = render(1, 0, image_size=(256, 256))
    row = image[128].astype(float) - image[128].mean()
    spectrum = np.abs(np.fft.rfft(row))
    assert np.argmax(spectrum) == 7
    column = image[:, 128].astype(float)
    assert column[100:156].mean() > 3 * column[:20].mean()  # a tube before a dark background


def test_light_varies_and_is_no_defect():
    means = [render(1, index, image_size=(32, 32))[0].mean() for index in range(40)]
    assert np.std(means) > 2


def test_unknown_defect_is_refused():
    with pytest.raises(ValueError, match="Received: defect='rust'"):
        render(1, 0, image_size=(32, 32), defect="rust")


def test_splits_have_the_counts_of_the_paper_and_no_image_in_common():
    dataset = bellows((16, 16), num_train=12, protocol="heldout")
    counts = {
        split: (sum(1 - i.label for i in items), sum(i.label for i in items))
        for split in ("train", "calibration", "adapt", "test")
        for items in [getattr(dataset, split)]
    }
    assert counts == {
        "train": (12, 0),
        "calibration": (200, 0),
        "adapt": (90, 104),
        "test": (500, 500),
    }
    names = [item.name for _, item in dataset.items()]
    assert len(set(names)) == len(names)
    images = {item.load().tobytes() for _, item in dataset.items()}
    assert len(images) == len(names)
    assert {item.defect for item in dataset.adapt} == {None, *DEFECTS}


def test_paper_protocol_has_no_further_test_images():
    dataset = bellows((16, 16), num_train=12, protocol="paper")
    assert len(dataset.adapt) == 194
    assert dataset.test == ()


def test_written_to_disk_and_read_back_as_a_folder(tmp_path):
    output = tmp_path / "bellows"
    flags = ("--dataset=bellows", f"--output_dir={output}", "--image_size=16", "--num_train=30")
    commands.run("write_dataset.py", *flags)
    generated = {
        item.name: item for _, item in bellows((16, 16), num_train=30, protocol="heldout").items()
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
