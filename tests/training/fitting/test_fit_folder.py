"""Which images a detector is fitted to, and at which size."""

from collections import Counter

import cv2
import numpy as np
import pytest
from photographs import part, write_good, write_layout

from awl_vae.data.dataset import DataError
from awl_vae.system.errors import UserError
from awl_vae.training.fitting.folder import common_size, find_images, read_list


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ({(500, 500): 9}, ((224, 224), "stretch")),
        ({(640, 256): 9}, ((560, 224), "stretch")),
        ({(256, 629): 9, (256, 611): 1}, ((224, 560), "stretch")),
        ({(402, 400): 9}, ((224, 224), "stretch")),
        ({(100, 100): 5, (100, 150): 2}, ((224, 224), "pad")),
        ({(4000, 400): 3}, ((1424, 144), "stretch")),  # 4 · 224² pixels, and what rounding adds
    ],
)
def test_proportions_are_kept(shapes, expected):
    assert common_size(Counter(shapes)) == expected


def test_a_shorter_side_that_is_asked_for():
    assert common_size(Counter({(100, 200): 1}), 96) == ((96, 192), "stretch")


def test_images_of_a_folder_in_colours(tmp_path):
    folder = find_images(write_good(tmp_path / "parts", 4), short_side=64)
    assert folder.image_size == (64, 80)
    assert "64x80 pixels (height x width) from 72x96" in folder.about_sizes
    assert [item.name for item in folder.dataset.train] == [f"00{i}.png" for i in range(4)]
    image = folder.dataset.train[0].load()
    assert image.shape == (64, 80, 3)
    red, green, _ = image[18, 40]
    assert green > red


def test_images_of_other_proportions_are_filled_up_and_that_is_said(tmp_path):
    root = write_good(tmp_path, 3)
    cv2.imwrite(str(root / "tall.png"), part(9, (96, 72))[0])
    folder = find_images(root)
    assert folder.resize == "pad"
    assert "2 sizes, the most frequent 72x96 (3 images); their proportions are kept" in (
        folder.about_sizes
    )


def test_what_is_left_out(tmp_path):
    root = write_layout(tmp_path / "set", 5)
    listed = tmp_path / "list.txt"
    listed.write_text(f"# odd ones\n\ntrain/good/001.png\r\n{root}/train/good/003.png\n")
    names = read_list(listed, root)
    assert names == ["train/good/001.png", "train/good/003.png"]
    folder = find_images(root, names)
    kept = [item.name for item in folder.dataset.train]
    assert kept == [f"train/good/00{i}.png" for i in (0, 2, 4)]
    assert len(folder.dataset.test) == 24
    expected = r"Expected names of good images.*such as train/good/000.png.*1 other \(nobody.png\)"
    with pytest.raises(DataError, match=expected):
        find_images(root, ["nobody.png"])
    with pytest.raises(DataError, match="Expected at least 3 good images. Received: 2"):
        find_images(root, [*names, "train/good/000.png"])


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "list").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="Expected a list of images in UTF-8"):
        read_list(tmp_path / "list", tmp_path)
    with pytest.raises(UserError, match=r"Expected a list of images.*exclude=.*none, No such file"):
        read_list(tmp_path / "none", tmp_path)


def test_an_image_that_is_none_is_named(tmp_path):
    root = write_good(tmp_path, 3)
    (root / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="broken.png$"):
        find_images(root)
    for name in ("cut.png", "empty.png"):
        (root / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"broken.png \(and 2 other files\)"):
        find_images(root)


def test_files_are_told_apart_by_their_content(tmp_path):
    root = write_good(tmp_path, 3)
    before = find_images(root).checksums
    assert find_images(root).checksums == before
    image = cv2.imread(str(root / "001.png"))
    image[0, 0] = np.uint8(255) - image[0, 0]
    cv2.imwrite(str(root / "001.png"), image)
    after = find_images(root).checksums
    assert [name for name in before if before[name] != after[name]] == ["001.png"]


def test_tiles_that_would_be_all_overlap(tmp_path):
    root = write_good(tmp_path, 3)
    with pytest.raises(UserError, match=r"tiles of at least 64 pixels.*tiles=4x6"):
        find_images(root, short_side=32, grid=(4, 6))


def test_a_mask_that_is_drawn_anew_is_another(tmp_path):
    root = write_layout(tmp_path, 3)
    before = find_images(root).checksums
    mask = root / "ground_truth/red/000_mask.png"
    cv2.imwrite(str(mask), 255 - cv2.imread(str(mask)))
    assert find_images(root).checksums != before


@pytest.mark.parametrize(
    ("shape", "grid", "expected"),
    [
        ((72, 96), (2, 2), (64, 80)),
        ((4000, 6000), (4, 6), (224, 224)),
        ((300, 300), (1, 2), (256, 144)),
    ],
)
def test_tiles_cover_an_image_in_its_proportions(shape, grid, expected):
    short_side = min(64 if grid == (2, 2) else 224, *expected) if grid != (1, 2) else 144
    tile_size, resize = common_size(Counter({shape: 1}), short_side, grid)
    assert tile_size == expected
    assert resize == "stretch"
