import cv2
import numpy as np
import pytest
from conftest import stripes

from awl_vae.data import SPLITS, DataError, ImageCache, load_dataset, synthetic_copies
from awl_vae.data.images import resize, to_float
from awl_vae.system.words import and_others


def load(root, protocol="heldout", num_train=None, resize="stretch", **wanted):
    return load_dataset(
        "folder",
        (32, 32),
        num_train=num_train,
        protocol=protocol,
        resize=resize,
        data_dir=str(root),
        **wanted,
    )


def names(items):
    return {item.name for item in items}


def test_splits_by_file_name(image_folder):
    dataset = load(image_folder)
    files = {
        path.relative_to(image_folder).as_posix()
        for folder in ("train", "test")
        for path in (image_folder / folder).rglob("*.png")
    }
    split_names = [names(getattr(dataset, split)) for split in SPLITS]
    assert sum(map(len, split_names)) == len(files)
    assert set.union(*split_names) == files
    # 30 normal: a tenth is 3, at least 20, but never more than half.
    assert [len(dataset.train), len(dataset.calibration)] == [15, 15]
    assert all(name.startswith("train/good/") for name in names(dataset.train))
    for items in (dataset.adapt, dataset.test):
        kinds = [item.defect for item in items]
        assert kinds.count(None) == 3
        assert 1 <= kinds.count("blob") <= 2
        assert 2 <= kinds.count("spot") <= 3
        assert sum(kind is not None for kind in kinds) == 4


def test_splits_are_the_same_every_time_and_paper_uses_all_labels(image_folder):
    for split in SPLITS:
        assert names(getattr(load(image_folder), split)) == names(
            getattr(load(image_folder), split)
        )
    paper = load(image_folder, protocol="paper")
    assert len(paper.adapt) == 14
    assert paper.test == ()
    assert names(paper.train) == names(load(image_folder).train)


def test_num_train_takes_some_and_refuses_too_many(image_folder):
    assert len(load(image_folder, num_train=7).train) == 7
    assert names(load(image_folder, num_train=7).calibration) == names(
        load(image_folder).calibration
    )
    with pytest.raises(DataError, match="at most the 15 images"):
        load(image_folder, num_train=16)


def test_masks_are_found_by_name(image_folder):
    items = {item.name: item for _, item in load(image_folder).items()}
    mask = items["test/spot/000.png"].load_mask()
    assert mask.shape == (32, 32)
    assert mask.dtype == bool
    assert 0 < mask.mean() < 0.2
    assert items["test/spot/001.png"].load_mask is None


def test_other_files_are_passed_over_and_counted(image_folder):
    (image_folder / "train/good/notes.txt").write_text("not an image")
    (image_folder / "train/good/.hidden.png").write_text("not an image")
    (image_folder / "test/README").write_text("not a directory")
    (image_folder / "test/lost.png").write_bytes(b"")
    (image_folder / "train/good/more").mkdir()
    (image_folder / "train/good/more/000.png").write_bytes(b"")
    (image_folder / "ground_truth/000_mask.png").write_bytes(b"")
    dataset = load(image_folder)
    assert len(dataset.train) == 15
    assert dataset.notes == (
        "Masks of 1 of 8 anomalous images. First without: test/blob/000.png.",
        "Masks of no anomalous image, and ignored: 1 file (ground_truth/000_mask.png).",
        "Not in the layout, and ignored: 4 files (first: test/README).",
    )


def test_missing_images_are_named(tmp_path, image_folder):
    with pytest.raises(DataError, match="Received: data_dir=.*nowhere"):
        load(tmp_path / "nowhere")
    for path in (image_folder / "test/good").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="at least 2 normal labelled images.*Received: 0"):
        load(image_folder)
    for path in (image_folder / "train/good").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"normal images .*train/good\. Received: none"):
        load(image_folder)


def test_fit_by_hand():
    image = np.array([[10, 20, 30, 40]], np.uint8).repeat(2, axis=0)  # 2 × 4
    np.testing.assert_array_equal(resize(image, (2, 2), "stretch"), [[15, 35], [15, 35]])
    np.testing.assert_array_equal(resize(image, (2, 2), "crop"), [[20, 30], [20, 30]])
    padded = resize(image, (4, 4), "pad")
    np.testing.assert_array_equal(padded, [[0] * 4, [10, 20, 30, 40], [10, 20, 30, 40], [0] * 4])
    np.testing.assert_array_equal(resize(image, (2, 4), "pad"), image)


@pytest.mark.parametrize("mode", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 100), (100, 3), (33, 31), (500, 700)])
def test_fit_gives_the_size_whatever_comes(mode, shape):
    image = np.full(shape, 200, np.uint8)
    fitted = resize(image, (32, 48), mode)
    assert fitted.shape == (32, 48)
    assert fitted.max() == 200


def test_cache_reads_by_position(tmp_path, image_folder):
    items = [item for _, item in load(image_folder).items()]
    ImageCache.build(tmp_path / "cache.npy", items, num_threads=2)
    cache = ImageCache(tmp_path / "cache.npy")
    assert cache.dtype == np.uint8
    images = cache.read(np.array([3, 0, 3]))
    assert images.shape == (3, 32, 32, 1)
    for image, position in zip(images, (3, 0, 3), strict=True):
        np.testing.assert_array_equal(image[..., 0], to_float(items[position].load()))


def test_one_16_bit_image_makes_the_cache_16_bit(tmp_path, image_folder):
    deep = stripes(9, dtype=np.uint16, size=(20, 24))
    cv2.imwrite(str(image_folder / "train/good/012.png"), deep)
    items = [item for _, item in load(image_folder).items()]
    ImageCache.build(tmp_path / "cache.npy", items)
    cache = ImageCache(tmp_path / "cache.npy")
    assert cache.dtype == np.uint16
    for position, item in enumerate(items):
        image = cache.read(np.array([position]))[0, ..., 0]
        np.testing.assert_array_equal(image, to_float(item.load()))


def test_8_bits_widened_to_16_are_the_same_floats():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_float(levels.astype(np.uint16) * 257), to_float(levels))
    assert to_float(levels)[[0, 255]].tolist() == [0.0, 1.0]


def test_broken_images_are_counted_and_leave_no_cache(tmp_path, image_folder):
    (image_folder / "train/good/004.png").write_text("hello")
    (image_folder / "test/good/001.png").write_bytes(b"")
    items = [item for _, item in load(image_folder).items()]
    with pytest.raises(DataError, match=r"train/good/004\.png; and .*test/good/001\.png"):
        ImageCache.build(tmp_path / "cache.npy", items)
    assert list(tmp_path.glob("*.npy")) == list(tmp_path.glob(".*tmp*")) == []


def test_a_broken_image_with_damaged_copies_is_one(tmp_path, image_folder):
    calibration = load(image_folder).calibration
    (image_folder / calibration[0].name).write_text("hello")
    items = [*calibration, *synthetic_copies(calibration)]
    with pytest.raises(DataError) as error:
        ImageCache.build(tmp_path / "cache.npy", items)
    assert str(error.value).endswith(calibration[0].name)


def test_the_one_other_broken_file_is_named_and_more_are_counted():
    assert and_others(["a"], "file") == "a"
    assert and_others(["a", "b"], "file") == "a; and b"
    assert and_others(["a", "b", "c"], "file") == "a (and 2 other files)"
