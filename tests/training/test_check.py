"""What training adds to what is said of a folder: the classes, and the threshold."""

import shutil

import cv2
import numpy as np
import pytest
from check_folder import clean_folder, texture

from awl_vae.data.check import Survey
from awl_vae.training.check import (
    Separation,
    calibration_concerns,
    check,
    separation_concerns,
    separations,
)

RATE = 0.1
"""What 20 images for calibration can support."""


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path / "photographs")


def report(root, rate=RATE):
    return check(Survey.of(root, (32, 32), "stretch", num_threads=2), rate)


def test_with_a_clean_folder_all_is_well(folder):
    found = report(folder)
    assert found.concerns == []
    counts, apart, defects = found.tables
    assert counts.rows == [
        ["train/good", "40", "0", "48x64", "8 bit gray", "PNG"],
        ["test/good", "8", "0", "48x64", "8 bit gray", "PNG"],
        ["test/hole", "8", "0", "48x64", "8 bit gray", "PNG"],
    ]
    assert len(apart.rows) == 6
    assert defects.rows == [("hole", "8", "256", "85.33")]  # 16 · 16, and a third of it


def test_counts_where_images_differ(folder):
    for index, side in enumerate((10, 20, 30, 40)):
        cv2.imwrite(str(folder / f"train/good/{index:03d}.jpg"), texture(9, size=(side, side)))
    (folder / "train/good/009.png").write_bytes(b"")
    row = report(folder).tables[0].rows[0]
    assert row[:4] == ["train/good", "44", "1", "48x64 (39), 10x10 (1), 20x20 (1), 2 others (2)"]
    assert row[5] == "PNG (39), JPEG (4)"


def test_without_labels_there_is_nothing_to_tell_apart(tmp_path):
    for index in range(25):
        cv2.imwrite(str(tmp_path / f"{index}.png"), texture(index))
    found = report(tmp_path)
    assert [table.title for table in found.tables] == ["What is there"]
    assert found.concerns == []
    assert found.tables[0].rows[0][0] == "."


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness", lambda image: image + 20),
        ("contrast", lambda image: ((image.astype(float) - 120) * 0.5 + 120).astype(np.uint8)),
        ("brightness of the border", lambda image: framed(image)),
        ("height", lambda image: image[:-1]),
        ("width", lambda image: image[:, :-1]),
    ],
)
def test_what_tells_the_classes_apart(folder, name, change):
    for path in (folder / "test/hole").iterdir():
        cv2.imwrite(str(path), change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
    texts = [each.text for each in report(folder).concerns if each.topic == "labels without a look"]
    assert any(text.startswith(f"{name} alone tells the classes apart") for text in texts)


def framed(image):
    image = image.copy()
    image[:1] = image[-1:] = image[:, :2] = image[:, -2:] = 200
    return image


def test_the_size_of_a_file_tells_the_classes_apart(folder):
    for path in (folder / "test/hole").iterdir():
        path.write_bytes(path.read_bytes() + bytes(5000))
    (concern,) = report(folder).concerns
    assert concern.text == (
        "file size in bytes alone tells the classes apart, higher in anomalous images, with an "
        "AUC of 1.00: by the defects, or by how the images were taken"
    )


def test_a_few_images_that_are_apart_may_be_by_chance():
    """3 against 3: 2 of the 20 orders are apart. 8 against 8: 2 of 12870."""
    for count, chance, is_strong in ((3, 2 / 20, False), (8, 2 / 12870, True)):
        labels = np.repeat([0, 1], count)
        (found,) = separations(labels, {"width": -np.arange(2.0 * count)})
        assert found.auc == 0.0
        assert found.chance == pytest.approx(chance)
        assert found.is_strong == is_strong


def test_copies_are_no_more_evidence(folder):
    """Four images of another width, four times each, are as probable by chance as four."""
    for path in sorted((folder / "test/hole").iterdir()):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[:, :-1]
        path.unlink()
        if path.stem < "004":
            for copy in ("", "a", "b", "c"):
                cv2.imwrite(str(path.with_stem(path.stem + copy)), image)
    rows = {row[0]: row for row in report(folder).tables[1].rows}
    assert rows["width"][1] == "0.000"
    assert float(rows["width"][2]) > 1e-4


def test_what_is_the_same_in_all_tells_nothing():
    (found,) = separations(np.array([0, 1, 1]), {"width": np.ones(3)})
    assert (found.auc, found.chance) == (0.5, 1.0)
    assert list(separations(np.zeros(3, int), {"width": np.arange(3.0)})) == []


@pytest.mark.parametrize(
    ("auc", "chance", "way"),
    [
        (0.75, 0.004, "higher"),
        (0.25, 0.004, "lower"),
        (0.74, 1e-9, ""),
        (0.26, 1e-9, ""),
        (1.0, 0.005, ""),
    ],
)
def test_an_auc_is_told_that_is_far_and_no_chance(auc, chance, way):
    found = [each.text for each in separation_concerns([Separation("width", auc, chance)])]
    assert len(found) == bool(way)
    assert way in "".join(found)


def test_images_for_a_rate_of_false_alarms(folder):
    # 1 / (n + 1) ≤ 0.01 from n = 99 on, a tenth of 990; 0.05 from 19 on, half of 38.
    assert [each.text for each in calibration_concerns(98, 0.01)] == [
        "a threshold for a rate of false alarms of 0.01 takes 99 images for calibration, and there "
        "are 98; of 990 images in train/good 99 are kept for it. awl-vae fit takes all, each held "
        "out once"
    ]
    assert list(calibration_concerns(99, 0.01)) == []
    assert "of 38 images in train/good 19 are" in next(calibration_concerns(18, 0.05)).text
    assert "of 999999990 images in train/good" in next(calibration_concerns(3, 1e-8)).text
    (concern,) = report(folder, 0.01).concerns
    assert concern.topic == "images for calibration"
    assert concern.text.endswith(
        "and there are 20; of 990 images in train/good 99 are kept for it. awl-vae fit takes all, "
        "each held out once"
    )


def test_concerns_of_the_images_are_among_them(folder):
    shutil.copy(folder / "train/good/000.png", folder / "train/good/copy.png")
    assert [concern.topic for concern in report(folder).concerns] == ["same pixels"]
