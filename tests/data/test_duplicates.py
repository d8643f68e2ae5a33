"""The same image twice: never on both sides of a split, never with two labels."""

import os
import shutil

import cv2
import numpy as np
import pytest
from conftest import read_json
from test_folder import load

from awl_vae.data import DataError, check_images, prepare
from awl_vae.data.images import to_float, to_gray
from awl_vae.data.measure import digest


def prepared(root, tmp_path, **wanted):
    return prepare(
        load(root, **wanted),
        cache_path=tmp_path / "cache.npy",
        manifest_path=tmp_path / "dataset.json",
        num_threads=1,
    )


def stored_anew(source, target):
    """The same pixels in another file."""
    cv2.imwrite(str(target.with_suffix(".bmp")), cv2.imread(str(source), cv2.IMREAD_GRAYSCALE))


def widened(source, target):
    """The same pixels times 257, in 16 bits."""
    cv2.imwrite(str(target), cv2.imread(str(source), cv2.IMREAD_GRAYSCALE).astype("uint16") * 257)


def widened_in_colour(source, target):
    """The same, in three channels that differ by nothing."""
    gray = cv2.imread(str(source), cv2.IMREAD_GRAYSCALE).astype("uint16") * 257
    cv2.imwrite(str(target), np.dstack([gray, gray, gray]))


def linked(source, target):
    os.symlink(source, target)


@pytest.mark.parametrize("again", [shutil.copy, linked, stored_anew, widened, widened_in_colour])
def test_an_image_is_in_one_split(image_folder, tmp_path, again):
    before = prepared(image_folder, tmp_path / "before")
    assert before.duplicates == {}
    for path in sorted((image_folder / "train/good").iterdir()):
        again(path, path.with_name(f"again_{path.name}"))
    for path in sorted((image_folder / "test/spot").iterdir()):
        again(path, path.with_name(f"again_{path.name}"))
    for index in range(3):
        again(
            image_folder / f"train/good/{index:03d}.png", image_folder / f"test/good/t{index}.png"
        )
    data = prepared(image_folder, tmp_path)
    originals = {
        split: {item.name.replace("again_", "").partition(".")[0] for item in items}
        for split, items in data.items.items()
    }
    for split, stems in originals.items():
        others = set.union(*(other for name, other in originals.items() if name != split))
        assert not stems & others
    assert not any("test/good/t" in item.name for items in data.items.values() for item in items)
    manifest = read_json(tmp_path / "dataset.json")
    listed = {image["image"] for image in manifest["images"]}
    assert listed == {item.name for items in data.items.values() for item in items}
    assert manifest["duplicates"].keys() == data.duplicates.keys()
    assert not listed & data.duplicates.keys()
    assert set(data.duplicates.values()) <= listed
    # What is cached and what is listed still belong together, now and when the run goes on.
    for item, position in zip(data.items["test"], data.positions["test"], strict=True):
        np.testing.assert_array_equal(data.cache.read([position])[0, ..., 0], to_float(item.load()))
    check_images(load(image_folder), tmp_path / "dataset.json")
    assert prepared(image_folder, tmp_path).duplicates == data.duplicates


def test_an_image_is_in_one_split_also_with_another_region(image_folder, tmp_path):
    shutil.copy(image_folder / "train/good/000.png", image_folder / "test/good/again.png")
    mask = np.zeros((20, 24), np.uint8)
    mask[:10] = 255
    (tmp_path / "roi").mkdir()
    cv2.imwrite(str(tmp_path / "roi/again.png"), mask)
    data = prepared(image_folder, tmp_path, roi_mask=str(tmp_path / "roi"))
    assert data.duplicates == {"test/good/again.png": "train/good/000.png"}


def test_an_image_has_one_label(image_folder, tmp_path):
    for index in range(2):
        shutil.copy(
            image_folder / f"test/spot/{index:03d}.png", image_folder / f"test/good/s{index}.png"
        )
    with pytest.raises(DataError, match=r"test/\w+/\w+\.png and test/.*the same \(and 1 more pair"):
        prepared(image_folder, tmp_path)


def test_a_class_of_nothing_but_duplicates_is_an_error(image_folder, tmp_path):
    for path in (image_folder / "test/good").iterdir():
        path.unlink()
    for index in range(4):
        shutil.copy(image_folder / f"train/good/{index:03d}.png", image_folder / "test/good")
    with pytest.raises(DataError, match="Expected normal images in adapt that are in no other"):
        prepared(image_folder, tmp_path)


def test_images_that_only_look_alike_when_small_are_two(image_folder, tmp_path):
    image = cv2.imread(str(image_folder / "train/good/000.png"), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(image, (240, 200), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(image_folder / "test/good/large.png"), large)
    other = large.copy()
    other[0, 0] ^= 1  # gone when it is resized
    cv2.imwrite(str(image_folder / "test/spot/large.png"), other)
    data = prepared(image_folder, tmp_path)
    assert data.duplicates == {}


def test_colours_in_8_and_in_16_bits_are_the_same():
    colours = np.random.RandomState(0).randint(0, 256, (12, 16, 3), np.uint8)
    deep = colours.astype(np.uint16) * 257
    assert digest(colours, to_gray(colours)) == digest(deep, to_gray(deep))
    deep[5, 5, 1] ^= 1
    assert digest(colours, to_gray(colours)) != digest(deep, to_gray(deep))
