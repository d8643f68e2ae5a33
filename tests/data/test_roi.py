"""Regions of interest: which mask is whose, what is inside, and what reaches a model."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import stripes

from awl_vae.data import DataError, ImageCache, load_dataset, synthetic_copies
from awl_vae.data.images import resize
from awl_vae.data.roi import RegionsOfInterest, bring_to_size, read_roi
from awl_vae.data.synthetic_defects import KINDS

SIZE = (32, 32)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def mask(size=(20, 24), rows=slice(4, 16), columns=slice(6, 18), value=255):
    marked = np.zeros(size, np.uint8)
    marked[rows, columns] = value
    return marked


@pytest.fixture
def folder(tmp_path):
    """Images of one size, in the layout."""
    for name, count in (("train/good", 22), ("test/good", 2), ("test/spot", 2)):
        for index in range(count):
            image = stripes([count, index], size=(20, 24), defect="spot" in name)
            write(tmp_path / "images" / name / f"{name[:2]}{name[-2:]}{index}.png", image)
    return tmp_path / "images"


def load(folder, roi_mask, resize="stretch"):
    wanted = {"data_dir": str(folder), "num_train": None, "protocol": "heldout"}
    return load_dataset("folder", SIZE, **wanted, resize=resize, roi_mask=str(roi_mask))


def by_name(dataset):
    return {item.name: item for _, item in dataset.items()}


@pytest.mark.parametrize("mode", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("size", [(20, 24), (100, 120), (10, 12)])
def test_no_pixel_inside_is_made_of_one_outside(mode, size):
    random = np.random.RandomState(0)
    marked = cv2.resize(mask(), size[::-1], interpolation=cv2.INTER_NEAREST) > 0
    roi = bring_to_size(marked, SIZE, mode, "a mask")
    one = random.randint(0, 256, size).astype(np.uint8)
    other = np.where(marked, one, random.randint(0, 256, size)).astype(np.uint8)
    one, other = (resize(image, SIZE, mode) for image in (one, other))
    np.testing.assert_array_equal(one[roi], other[roi])
    # and what is inside is not much less than what was marked
    share = resize(np.uint8(255) * marked, SIZE, mode) > 127
    assert 0.6 * share.sum() < roi.sum() <= share.sum()


@pytest.mark.parametrize("value", [1, 255])
def test_one_mask_for_all(folder, tmp_path, value):
    write(tmp_path / "roi.png", mask(value=value))
    dataset = load(folder, tmp_path / "roi.png")
    items = [item for _, item in dataset.items()]
    expected = read_roi(mask(), (20, 24), SIZE, "stretch")
    assert 0 < expected.mean() < 0.4
    for item in (items[0], items[-1]):
        np.testing.assert_array_equal(item.load_roi(), expected)
    assert not any("Regions" in note for note in dataset.notes)


@pytest.mark.parametrize(
    "name", ["trod1.png", "good/trod1_mask.png", "train/good/trod1.BMP", "Train/GOOD/TROD1.png"]
)
def test_a_directory_of_masks(folder, tmp_path, name):
    write(tmp_path / "roi" / name.replace(".BMP", ".bmp"), mask())
    dataset = load(folder, tmp_path / "roi")
    items = by_name(dataset)
    assert items["train/good/trod1.png"].load_roi().mean() < 0.4
    assert items["train/good/trod2.png"].load_roi().all()
    assert dataset.notes[-1] == (
        "Regions of interest of 1 of 26 images. First without: train/good/trod0.png."
    )


def test_a_mask_that_leaves_nothing_out_is_told(folder, tmp_path):
    roi = tmp_path / "roi.png"
    for content, expected in ((mask(), []), (np.full_like(mask(), 1), [roi])):
        write(roi, content)
        notes = [note for note in load(folder, roi).notes if "is inside the region" in note]
        assert notes == [
            f"All of an image is inside the region of interest: {name}." for name in expected
        ]


def test_a_longer_name_goes_before_a_shorter_one(tmp_path):
    for name in ("0.png", "good/0.png"):
        write(tmp_path / name, mask())
    rois = RegionsOfInterest(tmp_path, SIZE, "stretch")
    assert rois.mask_of(Path("test/good/0.png")) == tmp_path / "good/0.png"
    assert rois.mask_of(Path("test/bad/0.jpg")) == tmp_path / "0.png"
    with pytest.raises(DataError, match=r"one image for the mask .*/0\.png\. Received: test/bad"):
        rois.mask_of(Path("test/worse/0.png"))


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ({}, "Expected an image or a directory as roi_mask. Received: roi_mask=.*, which is none"),
        ({"roi/readme.txt": None}, "Expected masks in roi_mask. Received: none in .*/roi$"),
        (
            {"roi/a.png": mask(), "roi/A_mask.png": mask()},
            "Expected one mask of a name. Received: .*/A_mask.png and .*/a.png",
        ),
    ],
)
def test_no_masks_to_use(folder, tmp_path, masks, expected):
    for name, image in masks.items():
        if image is None:
            (tmp_path / "roi").mkdir()
            (tmp_path / name).write_text("")
        else:
            write(tmp_path / name, image)
    with pytest.raises(DataError, match=expected):
        load(folder, tmp_path / "roi")


def test_a_mask_of_another_shape_an_empty_one_and_a_broken_one(folder, tmp_path):
    roi = tmp_path / "roi.png"
    for content, expected in (
        (
            mask((24, 20)),
            r"height x width is 20x24\. Received: 24x20, .*roi\.png, for .*trod0\.png",
        ),
        (
            0 * mask(),
            r"a pixel inside at the size 32x32 \(height x width\)\. Received: none, .*roi\.png",
        ),
    ):
        write(roi, content)
        with pytest.raises(DataError, match=expected):
            ImageCache.build(tmp_path / "cache.npy", load(folder, roi).train)
    roi.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"roi\.png"):
        ImageCache.build(tmp_path / "cache.npy", load(folder, roi).train)
    assert not (tmp_path / "cache.npy").exists()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_cache_holds_image_and_region(folder, tmp_path, dtype):
    write(tmp_path / "roi.png", mask())
    write(folder / "train/good/trod3.png", stripes(3, size=(20, 24), dtype=dtype))
    items = load(folder, tmp_path / "roi.png").train
    ImageCache.build(tmp_path / "cache.npy", items)
    cache = ImageCache(tmp_path / "cache.npy")
    x = cache.read(np.arange(len(items)))
    assert (cache.dtype, x.shape) == (dtype, (len(items), *SIZE, 2))
    roi = items[0].load_roi()
    np.testing.assert_array_equal(x[..., 1], np.broadcast_to(roi, x.shape[:3]))
    assert not x[:, ~roi].any()
    image = items[1].load() / np.iinfo(items[1].load().dtype).max
    np.testing.assert_allclose(x[1, roi, 0], image[roi], atol=1e-6)


@pytest.mark.parametrize("columns", [slice(6, 18), slice(11, 13)], ids=["wide", "narrow"])
def test_synthetic_defects_are_seen_inside(folder, tmp_path, columns):
    write(tmp_path / "roi.png", mask(rows=slice(2, 18), columns=columns))
    calibration = load(folder, tmp_path / "roi.png").calibration
    copies = synthetic_copies(calibration)[: 5 * len(KINDS)]
    roi = calibration[0].load_roi()
    for index, copy in enumerate(copies):
        original = calibration[index % len(calibration)].load()
        marked = copy.load_mask()
        np.testing.assert_array_equal(copy.load_roi(), roi)
        assert marked.any()
        assert not marked[~roi].any()
        assert (copy.load() != original)[marked].any()
        np.testing.assert_array_equal(copy.load()[~marked], original[~marked])


def test_a_defect_outside_is_not_marked(folder, tmp_path):
    marked = mask(rows=slice(0, 20), columns=slice(0, 10))
    write(folder / "ground_truth/spot/teot0.png", marked)
    write(tmp_path / "roi.png", mask())
    item = by_name(load(folder, tmp_path / "roi.png"))["test/spot/teot0.png"]
    whole = by_name(load(folder, folder / "test/good/teod0.png"))["test/spot/teot0.png"]
    np.testing.assert_array_equal(item.load_mask(), whole.load_mask() & item.load_roi())
    assert 0 < item.load_mask().sum() < whole.load_mask().sum()
