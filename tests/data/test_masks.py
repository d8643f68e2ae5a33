"""Masks by the names and codings that datasets have."""

import io
import shutil
import unicodedata

import cv2
import numpy as np
import pytest
from conftest import stripes
from PIL import Image
from test_folder import load

from awl_vae.data import DataError
from awl_vae.data.masks import read_marked

MASK = np.zeros((20, 24), np.uint8)
MASK[4:10, 4:10] = 255


def masked(image_folder, name, mask=MASK):
    """The mask of test/spot/000.png as it is read, with nothing else in ground_truth than this."""
    shutil.rmtree(image_folder / "ground_truth", ignore_errors=True)
    path = image_folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), mask)[1].tobytes())
    items = {item.name: item for _, item in load(image_folder).items()}
    load_mask = items["test/spot/000.png"].load_mask
    return load_mask and load_mask()


@pytest.mark.parametrize(
    "name",
    [
        "ground_truth/spot/000_mask.png",
        "ground_truth/spot/000.png",
        "ground_truth/spot/000.bmp",
        "ground_truth/spot/000_mask.TIF",
        "ground_truth/spot/000_MASK.png",
        "ground_truth/Spot/000_mask.png",
        "Ground_Truth/spot/000_mask.png",
        "ground_truth/spot/000/000.png",
        "ground_truth/spot/000_GT.png",
        "ground_truth/spot/000_label.bmp",
        "ground_truth/spot/000_mask.jpg",
        "ground_truth/spot/000-mask.png",
        "ground_truth/spot/000_SEG.png",
        "masks/spot/000.png",
        "Masks/spot/000_mask.png",
    ],
)
def test_names(image_folder, name):
    expected = cv2.resize(MASK.astype(np.float32), (32, 32), interpolation=cv2.INTER_LINEAR) > 0
    assert np.mean(masked(image_folder, name) != expected) < 0.02


@pytest.mark.parametrize(
    "mask",
    [
        MASK // 255,
        MASK.astype(np.uint16) * 257,
        MASK.astype(np.uint16) // 255,
        np.dstack([0 * MASK, 0 * MASK, MASK // 255]),
        np.dstack([0 * MASK, 0 * MASK, 0 * MASK, MASK]),
        np.dstack([MASK, MASK, MASK, 0 * MASK + 255]),
        np.dstack([0 * MASK + 255, 0 * MASK + 255, 0 * MASK + 255, MASK]),
    ],
    ids=["0 and 1", "16 bit", "16 bit, 0 and 1", "blue", "alpha", "opaque", "alpha over white"],
)
def test_codings(image_folder, mask):
    name = "ground_truth/spot/000_mask.png"
    expected = masked(image_folder, name)
    np.testing.assert_array_equal(masked(image_folder, name, mask), expected)
    assert expected.any()


@pytest.mark.parametrize("lossless", [False, True])
def test_webp(lossless):
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 30:50] = 1 if lossless else 255
    buffer = io.BytesIO()
    Image.fromarray(mask).convert("RGB").save(buffer, "WEBP", quality=75, lossless=lossless)
    np.testing.assert_array_equal(read_marked(buffer.getvalue()), mask > 0)


def test_folders_of_masks_may_be_linked(image_folder, tmp_path):
    expected = masked(image_folder, "ground_truth/spot/000_mask.png")
    shutil.move(image_folder / "ground_truth/spot", tmp_path / "elsewhere")
    (image_folder / "ground_truth/spot").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/round").symlink_to(tmp_path / "elsewhere")
    items = {item.name: item for _, item in load(image_folder).items()}
    np.testing.assert_array_equal(items["test/spot/000.png"].load_mask(), expected)


def test_a_black_mask_marks_nothing_also_where_it_is_opaque(image_folder):
    black = np.dstack([0 * MASK, 0 * MASK, 0 * MASK, 0 * MASK + 255])
    assert not masked(image_folder, "ground_truth/spot/000_mask.png", black).any()


def test_a_mask_may_be_of_another_size(image_folder):
    name = "ground_truth/spot/000_mask.png"
    larger = masked(image_folder, name, cv2.resize(MASK, (72, 60), interpolation=0))
    assert np.mean(larger != masked(image_folder, name)) < 0.02
    assert larger.any()


def test_a_palette_is_read_by_its_colours(image_folder):
    name = "ground_truth/spot/000_mask.png"
    expected = masked(image_folder, name)
    palette = Image.new("P", MASK.shape[::-1])
    palette.putpalette([0, 0, 0, 128, 0, 0])
    palette.putdata((MASK // 255).ravel().tolist())
    palette.save(image_folder / name)
    items = {item.name: item for _, item in load(image_folder).items()}
    np.testing.assert_array_equal(items["test/spot/000.png"].load_mask(), expected)


def test_a_mask_is_read_once_and_its_copies_are_nobodys(image_folder):
    masked(image_folder, "ground_truth/spot/000.png")
    items = {item.name: item for _, item in load(image_folder).items()}
    item = items["test/spot/000.png"]
    mask = item.load_mask()
    expected = mask.copy()
    mask[:] = False
    (image_folder / "ground_truth/spot/000.png").unlink()
    np.testing.assert_array_equal(item.load_mask(), expected)


def test_letters_are_the_same_however_they_are_composed(image_folder):
    composed, apart = (unicodedata.normalize(form, "prüf") for form in ("NFC", "NFD"))
    (image_folder / "test/spot/000.png").rename(image_folder / f"test/spot/{composed}.png")
    (image_folder / "ground_truth/spot/000_mask.png").rename(
        image_folder / f"ground_truth/spot/{apart}_mask.png"
    )
    items = {item.name: item for _, item in load(image_folder).items()}
    assert items[f"test/spot/{composed}.png"].load_mask().any()


def test_several_masks_in_a_folder_of_their_image_are_one(image_folder):
    one = masked(image_folder, "ground_truth/spot/000/0.png")
    more = np.zeros((20, 24), np.uint8)
    more[14:18, 14:18] = 1
    cv2.imwrite(str(image_folder / "ground_truth/spot/000/1.png"), more)
    items = {item.name: item for _, item in load(image_folder).items()}
    both = items["test/spot/000.png"].load_mask()
    assert both[one].all()
    assert both.sum() > one.sum()


def test_a_mask_in_the_case_of_its_image_goes_before_others(image_folder):
    """As on file systems where a.png and A.png are two files."""
    for index, name in enumerate(("A", "a")):
        cv2.imwrite(str(image_folder / f"test/spot/{name}.png"), stripes(index, size=(20, 24)))
    for index, name in enumerate(("A_mask", "a_mask")):
        mask = np.zeros((20, 24), np.uint8)
        mask[10 * index : 10 * index + 10] = 255
        cv2.imwrite(str(image_folder / f"ground_truth/spot/{name}.png"), mask)
    items = {item.name: item for _, item in load(image_folder).items()}
    assert items["test/spot/A.png"].load_mask()[0, 0]
    assert items["test/spot/a.png"].load_mask()[-1, 0]
    (image_folder / "test/spot/A.png").unlink()
    dataset = load(image_folder)
    assert {i.name: i for _, i in dataset.items()}["test/spot/a.png"].load_mask()[-1, 0]
    assert any("Masks of no anomalous image, and ignored" in note for note in dataset.notes)


def test_a_mask_of_another_shape_is_an_error_with_both_sizes(image_folder):
    with pytest.raises(
        DataError,
        match=r"height x width is 20x24\. Received: 24x20, .*spot/000_mask\.png",
    ):
        masked(image_folder, "ground_truth/spot/000_mask.png", cv2.rotate(MASK, 0))


def test_one_mask_for_two_images_and_two_for_one_are_errors(image_folder):
    shutil.copy(image_folder / "ground_truth/spot/000_mask.png", image_folder / "more.png")
    (image_folder / "more.png").rename(image_folder / "ground_truth/spot/000.png")
    with pytest.raises(DataError, match=r"Expected one mask for .*Received: .* and .*000_mask"):
        load(image_folder)
    (image_folder / "ground_truth/spot/000.png").unlink()
    cv2.imwrite(str(image_folder / "test/spot/000.bmp"), stripes(1))
    with pytest.raises(DataError, match=r"Expected one image for .*Received: .*bmp and .*png"):
        load(image_folder)


def test_the_layout_is_found_in_either_case_and_good_means_good(image_folder):
    expected = load(image_folder)
    (image_folder / "train").rename(image_folder / "Train")
    (image_folder / "test/good").rename(image_folder / "test/Good")
    found = load(image_folder)
    assert len(found.train) == len(expected.train)
    for split in ("adapt", "test"):
        kinds, others = (
            sorted(str(item.defect) for item in getattr(dataset, split))
            for dataset in (found, expected)
        )
        assert kinds == others


def test_too_few_of_a_class_names_what_there_is(image_folder):
    (image_folder / "test/good").rename(image_folder / "test/ok")
    with pytest.raises(
        DataError, match=r"looked for in test/good; test has 3 in blob, 6 in ok, 5 in spot"
    ):
        load(image_folder)


@pytest.mark.parametrize("code", [0x3000, 0x202F, 0xA0, 0x200D])
def test_names_with_unusual_spaces_are_names(image_folder, code):
    path = image_folder / "train/good/000.png"
    path.rename(path.with_name(f"part{chr(code)}1.png"))
    assert any(chr(code) in item.name for _, item in load(image_folder).items())


@pytest.mark.parametrize(
    ("name", "expected"), [("a\nb.png", "without control"), ("a\udcff.png", "in UTF-8")]
)
def test_names_that_no_file_of_ours_can_hold_are_refused(image_folder, name, expected):
    path = image_folder / "train/good/000.png"
    path.rename(path.with_name(name))
    with pytest.raises(DataError, match=f"Expected file names {expected}"):
        load(image_folder)
