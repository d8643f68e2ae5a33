"""What is said of a folder: of a clean one nothing, and of each fault one thing."""

import os
import shutil

import cv2
import numpy as np
import pytest
from check_folder import NUM_TEST, NUM_TRAIN, clean_folder, texture

from awl_vae.data import DataError
from awl_vae.data.check import Concern, Report, Survey, Table, range_concern, write_page
from awl_vae.data.measure import CLIPPED

SIZE = (32, 32)


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path / "photographs")


def survey(root, mode="stretch"):
    return Survey.of(root, SIZE, mode, num_threads=2)


def concerns(root, mode="stretch"):
    """By topic, the texts."""
    found = {}
    for concern in survey(root, mode).concerns():
        found.setdefault(concern.topic, []).append(concern.text)
    return found


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def test_of_a_clean_folder_nothing_is_said(folder):
    assert concerns(folder) == {}
    seen = survey(folder)
    assert len(seen.images) == NUM_TRAIN + 2 * NUM_TEST
    assert len(seen.masks) == NUM_TEST


def test_what_is_kept_of_an_image_by_hand(tmp_path):
    image = np.zeros((40, 60), np.uint8)
    image[2:38, 3:57] = 255  # all but a border of a twentieth
    image[10, 10] = 51  # a fifth
    write(tmp_path / "one.png", image)
    (one,) = survey(tmp_path).images
    assert (one.name, one.split, one.defect, one.label) == ("one.png", "train", None, 0)
    assert (one.size, one.bits, one.colors, one.format) == ((40, 60), 8, "gray", "PNG")
    assert one.num_bytes == (tmp_path / "one.png").stat().st_size
    assert one.border == 0.0
    assert (2400 - 36 * 54) / 2400 <= one.black <= 0.25  # is not counted
    assert one.white == pytest.approx((36 * 54 - 1) / 2400)
    assert one.brightness == pytest.approx((36 * 54 - 1 + 0.2) / 2400)
    assert one.contrast == pytest.approx(np.std(image) / 255)
    assert one.thumbnail.shape == SIZE
    assert one.thumbnail.dtype == np.uint16
    assert one.brightest == 1.0


def test_depth_colours_and_formats_whatever_the_name_says(tmp_path):
    colour = np.dstack([texture(1)] * 3)
    write(tmp_path / "a.jpg", colour)
    write(tmp_path / "b.png", texture(2).astype(np.uint16) * 257)
    write(tmp_path / "c.png", np.dstack([colour, texture(3)]))
    shutil.copy(tmp_path / "a.jpg", tmp_path / "d.png")
    told = [(image.bits, image.colors, image.format) for image in survey(tmp_path).images]
    assert told == [
        (8, "colour", "JPEG"),
        (16, "gray", "PNG"),
        (8, "colour and alpha", "PNG"),
        (8, "colour", "JPEG"),
    ]


def test_a_folder_that_holds_images_is_of_normal_ones(tmp_path):
    for index in range(3):
        write(tmp_path / f"{index}.png", texture(index))
    assert [image.label for image in survey(tmp_path).images] == [0, 0, 0]
    assert concerns(tmp_path) == {}


def test_masks_beside_images_make_no_layout(tmp_path):
    for index in range(3):
        write(tmp_path / f"{index}.png", texture(index))
    write(tmp_path / "masks/0.png", texture(3))
    assert len(survey(tmp_path).images) == 3
    assert list(concerns(tmp_path)) == ["not used"]


def test_where_there_are_no_images(tmp_path):
    with pytest.raises(DataError, match="Expected a folder of images. Received: .*nowhere"):
        survey(tmp_path / "nowhere")
    write(tmp_path / "good/0.png", texture(0))
    write(tmp_path / "bad/0.png", texture(1))
    with pytest.raises(DataError, match="Received: none, but the folders bad, good"):
        survey(tmp_path)


def test_unreadable_files_and_their_reasons(folder):
    (folder / "train/good/005.png").write_text("hello")
    (folder / "test/good/001.png").write_bytes(b"")
    found = concerns(folder)
    assert list(found) == ["unreadable"]
    (text,) = found["unreadable"]
    assert text.startswith("2 images (first: train/good/005.png): Expected an image (PNG, ")
    assert text.endswith(f"{folder / 'train/good/005.png'}")


def test_a_name_that_is_no_text_is_told_in_its_line(folder):
    os.rename(folder / "train/good/000.png", os.fsencode(folder / "train/good") + b"/\xff\n.png")
    (text,) = concerns(folder)["unreadable"]
    assert text.startswith(r"1 image (train/good/\udcff\n.png): Expected file names in UTF-8")
    assert "\n" not in text


def test_images_that_are_not_used(folder):
    (folder / "train/good/a.heic").write_bytes(b"")
    write(folder / "train/scratch/000.png", texture(1))
    (folder / "train/notes.txt").write_text("no image")
    assert concerns(folder) == {
        "not used": [
            "2 files (first: train/good/a.heic): by the name an image, but not in the layout or of "
            "a format that is not read"
        ]
    }


def test_classes_that_are_too_few(folder):
    shutil.rmtree(folder / "test/good")
    for index in range(1, NUM_TRAIN):
        (folder / f"train/good/{index:03d}.png").unlink()
    assert concerns(folder) == {
        "training images": ["1 normal images in train/good, where training takes 2 at least"],
        "labels": [
            f"0 normal and {NUM_TEST} anomalous images have a label, where it takes 2 of each. "
            f"Normal ones are looked for in test/good; test has {NUM_TEST} in hole."
        ],
    }


def test_the_same_pixels_by_copy_by_link_and_stored_anew(folder):
    train, test = folder / "train/good", folder / "test/good"
    shutil.copy(train / "000.png", train / "copy.png")
    (train / "link.png").symlink_to(train / "000.png")
    image = cv2.imread(str(train / "001.png"), cv2.IMREAD_UNCHANGED)
    write(test / "anew.bmp", image)
    write(folder / "test/hole/anew.tif", cv2.imread(str(test / "002.png"), cv2.IMREAD_UNCHANGED))
    (folder / "ground_truth/hole/anew.png").symlink_to(folder / "ground_truth/hole/000_mask.png")
    assert concerns(folder) == {
        "same pixels": [
            "1 pair (test/good/002.png, test/hole/anew.tif): normal and anomalous at once, which "
            "training refuses",
            "1 pair (train/good/001.png, test/good/anew.bmp): in train and in test; training uses "
            "each in one of them alone",
            "2 pairs (first: train/good/000.png, train/good/copy.png): twice for the same use, so "
            "that they count double",
        ]
    }


def test_nearly_the_same_are_those_stored_anew_and_no_others(folder):
    train, test = folder / "train/good", folder / "test/good"
    first, second = (cv2.imread(str(train / f"00{i}.png"), cv2.IMREAD_UNCHANGED) for i in (0, 1))
    write(test / "jpeg.jpg", first)
    noise = np.random.RandomState(0).normal(0, 1, second.shape)
    write(train / "noisy.png", np.clip(second + noise, 0, 255).astype(np.uint8))
    write(train / "turned.png", np.rot90(first))
    write(train / "brighter.png", np.clip(first * 1.2, 0, 255).astype(np.uint8))
    defect = first.copy()
    defect[10, 10] ^= 32
    write(folder / "test/hole/small.png", defect)
    assert concerns(folder)["nearly the same"] == [
        "2 pairs (first: train/good/000.png, test/hole/small.png): one normal and one anomalous; "
        "a small defect, or a wrong label",
        "1 pair (train/good/000.png, test/good/jpeg.jpg): one in train and one in test, which "
        "makes what is measured in test too good",
        "1 pair (train/good/001.png, train/good/noisy.png): both for the same use, so that they "
        "count double",
    ]


def test_images_that_are_all_alike_are_no_copies_of_each_other(tmp_path):
    """Photographs of one pose differ by a level or two; twins differ by much less than they."""
    rng = np.random.RandomState(3)
    pose = cv2.resize(rng.uniform(60, 190, (8, 8)), (96, 96), interpolation=cv2.INTER_CUBIC)
    for index in range(12):
        own = cv2.resize(rng.normal(0, 2, (32, 32)), (96, 96), interpolation=cv2.INTER_NEAREST)
        write(tmp_path / f"{index:02d}.png", np.clip(pose + own, 0, 255).astype(np.uint8))
    assert concerns(tmp_path) == {}
    image = cv2.imread(str(tmp_path / "04.png"), cv2.IMREAD_UNCHANGED)
    image[0, 0] ^= 1
    write(tmp_path / "12.png", image)
    (text,) = concerns(tmp_path)["nearly the same"]
    assert text.startswith("1 pair (04.png, 12.png)")


def test_more_images_than_are_compared_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("awl_vae.data.check.repeated.BLOCK", 3)
    monkeypatch.setattr("awl_vae.data.check.repeated.SAMPLE", 4)
    for index in range(10):
        write(tmp_path / f"{index}.png", texture(index))
    image = texture(7)
    image[5, 5] ^= 1
    write(tmp_path / "x.png", image)
    (text,) = concerns(tmp_path)["nearly the same"]
    assert text.startswith("1 pair (7.png, x.png)")


def levels(low, high, seed=0):
    """An image of evenly spread levels, from `low` up to `high`."""
    return np.random.RandomState(seed).randint(low, high, (40, 60)).astype(np.uint8)


def test_levels(tmp_path):
    cut = levels(60, 200, 3)
    cut[:, :20] = 0
    white = levels(60, 200, 4)
    white[:, :20] = 255
    for name, image in {
        "dark": levels(0, 20, 1),
        "bright": levels(246, 255, 2),
        "cut": cut,
        "white": white,
        "blank": np.full((40, 60), 130, np.uint8),
    }.items():
        write(tmp_path / f"{name}.png", image)
    for index in range(3):
        write(tmp_path / f"well{index}.png", levels(20, 240, 10 + index))
    assert concerns(tmp_path) == {
        "one level": ["1 image (blank.png): nothing but one gray level"],
        "very dark": ["1 image (dark.png): a mean level below 5 % of the range"],
        "very bright": ["1 image (bright.png): a mean level above 95 % of the range"],
        "cut off at black": [
            "1 image (cut.png): more than 25 % of the pixels at level 0, where nothing can be seen"
        ],
        "cut off at white": [
            "1 image (white.png): more than 25 % of the pixels at the highest level, where nothing "
            "can be seen"
        ],
    }


@pytest.mark.parametrize("mode", ["stretch", "pad", "crop"])
def test_levels_and_border_are_those_of_the_image_and_not_of_what_training_makes_of_it(
    tmp_path, mode
):
    rng = np.random.RandomState(0)
    wide = rng.randint(1, 254, (48, 256)).astype(np.uint8)
    scattered = np.where(rng.rand(64, 64) < 0.5, 255, 100).astype(np.uint8)
    framed = np.full((64, 128), 100, np.uint8)
    framed[:4], framed[-4:], framed[:, :7], framed[:, -7:] = 200, 200, 200, 200
    for name, image in {"framed": framed, "scattered": scattered, "wide": wide}.items():
        write(tmp_path / f"{name}.png", image)
    seen = {image.name: image for image in Survey.of(tmp_path, SIZE, mode, num_threads=1).images}
    assert seen["scattered.png"].white == pytest.approx(np.mean(scattered == 255))
    assert max(seen["wide.png"].black, seen["wide.png"].white) <= CLIPPED
    assert seen["framed.png"].border == pytest.approx(200 / 255)


def test_a_part_of_the_range_of_levels(tmp_path):
    for index in range(4):
        deep = texture(index).astype(np.uint16) * 16  # 12 of 16 bits
        write(tmp_path / f"{index}.png", deep)
    (text,) = concerns(tmp_path)["range of levels"]
    assert "of the range of 16 bits; times" in text
    assert range_concern(0.25, 16) == []
    assert "lowest 10 % of the range of 8 bits; times 10" in range_concern(0.1, 8)[0].text


def test_12_of_16_bits_among_8(tmp_path):
    for index in range(4):
        write(tmp_path / f"{index}.png", texture(index))
    write(tmp_path / "deep.png", texture(5).astype(np.uint16) * 257)
    write(tmp_path / "dim.png", texture(6).astype(np.uint16) * 16)
    assert concerns(tmp_path) == {
        "16 bits among 8": [
            "1 image (dim.png): 16 bits that use less than 25 % of their range, as 12 of them do; "
            "beside the images of 8 bits they are dark"
        ]
    }


def test_images_unlike_the_others(folder):
    write(folder / "train/good/big.png", texture(50, size=(80, 120)))
    write(folder / "train/good/dim.png", texture(51) // 2)
    write(folder / "train/good/near.png", texture(52, size=(49, 64)))  # a pixel more
    assert concerns(folder) == {
        "other size": ["1 image (train/good/big.png): far from the usual 48x64 (height x width)"],
        "other brightness": [
            "1 image (train/good/dim.png): a mean level far from the usual 47.1 %"
        ],
    }


def test_sizes_that_vary_are_no_fault(tmp_path):
    for index in range(20):
        write(tmp_path / f"{index}.png", texture(index, size=(40 + 3 * (index % 7), 60)))
    assert "other size" not in concerns(tmp_path)


def mask(folder, name, marked, size=(48, 64)):
    image = np.zeros(size, np.uint8)
    image[marked] = 255
    write(folder / f"ground_truth/hole/{name}_mask.png", image)


def test_masks(folder):
    mask(folder, "nobody", np.s_[:4, :4])
    (folder / "ground_truth/hole/001_mask.png").unlink()
    mask(folder, "002", np.s_[:0])
    mask(folder, "003", np.s_[:4, :4], size=(64, 48))
    found = concerns(folder)
    assert found.pop("unusable masks")[0].startswith(
        "1 image (test/hole/003.png): Expected a mask of the aspect ratio of its image, whose "
        "height x width is 48x64."
    )
    assert found == {
        "masks without image": [
            "1 mask (ground_truth/hole/nobody_mask.png): no anomalous image that it is of"
        ],
        "images without mask": ["1 image (test/hole/001.png): anomalous, and no mask"],
        "empty masks": ["1 image (test/hole/002.png): a mask that marks nothing counts as none"],
    }


def test_a_mask_of_two_images_is_told_and_the_rest_goes_on(folder):
    write(folder / "test/hole/000.bmp", texture(99))
    (folder / "train/good/000.png").write_text("hello")
    found = concerns(folder)
    assert list(found) == ["unreadable", "masks"]
    assert "Expected one image for the mask" in found["masks"][0]


def test_defects_at_the_size_of_training(folder):
    # 48x64 to 32x32: a pixel of the image covers 32 · 32 / (48 · 64) = 1/3 of one.
    mask(folder, "000", np.s_[10:11, 10:11])
    mask(folder, "001", np.s_[10:12, 10:12])
    mask(folder, "002", np.s_[10:13, 10:14])
    seen = {one.name: one for one in survey(folder).masks}
    areas = [
        (seen[f"test/hole/00{i}.png"].area, seen[f"test/hole/00{i}.png"].resized) for i in "012"
    ]
    np.testing.assert_allclose(areas, [(1, 0.33), (4, 1.33), (12, 4)])
    found = concerns(folder)
    assert found["vanishing defects"][0].startswith("1 image (test/hole/000.png): less than 0.5")
    assert found["small defects"][0].startswith("1 image (test/hole/001.png): less than 4")


def test_a_defect_that_is_cut_away_vanishes(folder):
    mask(folder, "000", np.s_[:, :6])
    assert "vanishing defects" not in concerns(folder)
    assert "vanishing defects" in concerns(folder, mode="crop")


def test_the_area_is_that_of_the_image_where_the_mask_is_of_another_size(folder):
    mask(folder, "000", np.s_[:10, :10], size=(96, 128))
    seen = {one.name: one for one in survey(folder).masks}
    assert seen["test/hole/000.png"].area == pytest.approx(25.0)


def test_the_page_holds_what_it_needs_and_escapes_names(tmp_path):
    names = tuple(f"<{index}>&\udcff.png" for index in range(1200))
    report = Report(
        "Images in <b>",
        [Table("What is there", ("folder", "images"), [("<i>good", "3")], "A note.")],
        [Concern("same pixels", "<u>", names)],
    )
    write_page(tmp_path / "check.html", report, lambda name: np.zeros((9, 9, 3), np.uint8))
    page = (tmp_path / "check.html").read_text()
    assert all(tag not in page for tag in ("<b>", "<i>", "<u>", "<0>", "http"))
    assert "1 thing to look at" in page
    assert page.count("data:image/jpeg;base64,") == 12
    assert page.count("<br>") == 1000
    assert "and 200 more" in page
    assert r"&lt;0&gt;&amp;\udcff.png" in page


def test_the_lines_of_a_report():
    table = Table("What is there", ("folder", "images"), [("good", "3")])
    concern = Concern("one level", "1 image (a.png): nothing but one gray level", ("a.png",))
    odd = Report("Images in a\nb", [Table("", ("folder",), [("a|b\n",)])], [Concern("a", "b\n|")])
    lines = list(odd.lines())
    assert (lines[0], lines[-4], lines[-1]) == (r"Images in a\nb", r"| a\|b\n |", r"- a: b\n|")
    assert list(Report("Images in x", [table], [concern, concern]).lines()) == [
        "Images in x",
        "",
        "What is there",
        "",
        "| folder | images |",
        "|---|---|",
        "| good | 3 |",
        "",
        "2 things to look at:",
        "- one level: 1 image (a.png): nothing but one gray level",
        "- one level: 1 image (a.png): nothing but one gray level",
    ]
    assert [*Report("Images in x", [], []).lines()][-1] == "All well."


def test_masks_among_images_and_images_where_nobody_looks(tmp_path):
    folder = clean_folder(tmp_path / "photographs")
    name = next((folder / "test/hole").iterdir()).stem
    mask = 255 * (texture(0) > texture(0).mean()).astype(np.uint8)
    (folder / "gt/hole").mkdir(parents=True)
    for path in (folder / f"test/hole/{name}_mask.png", folder / "gt/hole/000.png"):
        cv2.imwrite(str(path), mask)
    found = {concern.topic: concern for concern in survey(folder).concerns()}
    assert found["masks among images"].images == (f"test/hole/{name}_mask.png",)
    assert found["not used"].images == ("gt/hole/000.png",)


def test_masks_that_mark_everything_or_have_black_and_white_exchanged(tmp_path):
    folder = clean_folder(tmp_path / "photographs")
    full, exchanged, *_ = sorted((folder / "ground_truth/hole").iterdir())
    mask = cv2.imread(str(full), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(full), np.full_like(mask, 7))
    cv2.imwrite(str(exchanged), 255 - mask)
    (large,) = (each for each in survey(folder).concerns() if each.topic == "large masks")
    assert len(large.images) == 2
