"""What calibration images looked like, and what is unlike them."""

import cv2
import numpy as np
import pytest
from conftest import black_detector, read_json, stripes

from awl_vae.detection import Detector, DetectorError
from awl_vae.detection.likeness import Likeness, measure
from awl_vae.system import write_json


def test_what_is_measured():
    flat = measure(np.full((4, 6), 0.5, np.float32), (40, 60))
    assert flat == {"brightness": 127.5, "contrast": 0, "sharpness": 0, "width": 60, "height": 40}
    columns = np.tile(np.float32([0, 1]), (4, 3))
    # Each pixel differs by 1 from its left and its right neighbour: |Laplacian| = 2.
    assert measure(columns, None) == {"brightness": 127.5, "contrast": 127.5, "sharpness": 510.0}


def test_outside_of_a_region_of_interest_nothing_is_measured():
    inside = np.zeros((4, 6), np.float32)
    inside[1:3, 1:4] = 1.0
    grays = [np.where(inside > 0, np.float32(0.5), np.float32(outside)) for outside in (0, 1)]
    found = [measure(np.stack([gray, inside], -1), None) for gray in grays]
    # Against black: four corners of two edges and two middles of one, |Laplacian| of 1 and 0.5.
    assert found == [{"brightness": 127.5, "contrast": 0.0, "sharpness": 255 * 5 / 6}] * 2


def of_values(values, name="brightness"):
    return Likeness.of({name: value} for value in values)


def test_a_range_is_never_narrower_than_a_twentieth():
    assert of_values([100.0] * 20).ranges["brightness"] == pytest.approx((100 / 1.05, 105))
    assert of_values([0.0] * 20, "sharpness").difference({"sharpness": 0.0}) == ""


def test_a_range_goes_beyond_the_images_by_their_width_and_more_where_they_are_few():
    # In logarithms 0 to 1: the tails cut to 0.05 and 0.95, a margin of (0.75 + 10 / 101) · 0.9.
    low, high = of_values(np.exp(np.linspace(0, 1, 101))).ranges["brightness"]
    assert np.log([low, high]) == pytest.approx([0.05 - 0.7641089, 0.95 + 0.7641089])
    low, high = of_values(np.exp(np.linspace(0, 1, 21))).ranges["brightness"]
    assert np.log([low, high]) == pytest.approx([0.05 - 1.1035714, 0.95 + 1.1035714])


def test_a_few_odd_images_do_not_widen_a_range_and_two_kinds_of_images_do():
    alike = [*np.linspace(100, 110, 39)]
    assert of_values([*alike, 5.0]).difference({"brightness": 70.0})
    of_two_kinds = of_values([*alike, *np.linspace(20, 22, 10)])
    assert not of_two_kinds.difference({"brightness": 21.0})
    assert not of_two_kinds.difference({"brightness": 105.0})


def test_a_size_that_is_not_known_of_all_makes_no_range():
    shapes = [(4, 6)] * 9 + [None]
    looks = [measure(np.full((4, 6), 0.5, np.float32), shape) for shape in shapes]
    assert [*Likeness.of(looks).ranges] == ["brightness", "contrast", "sharpness"]


def test_few_images_tell_nothing():
    assert of_values([100.0] * 4) is None


@pytest.mark.parametrize(("number", "most"), [(5, 0.006), (20, 0.001), (100, 0.0005)])
def test_the_rate_of_normal_images_that_are_unlike(number, most):
    rng = np.random.default_rng(0)
    outside = 0
    for _ in range(1000):
        low, high = of_values(np.exp(rng.normal(3, 0.1, number))).ranges["brightness"]
        new = np.exp(rng.normal(3, 0.1, 100))
        outside += np.count_nonzero((new < low) | (new > high))
    assert outside <= most * 100_000


def detector_of(images):
    """A detector that was calibrated on images of 20 × 24 pixels."""
    detector = black_detector()
    looks = (measure(detector.preprocess(image), image.shape) for image in images)
    detector.likeness = Likeness.of(looks)
    return detector


IMAGES = [stripes(seed) for seed in range(20)]


@pytest.mark.parametrize(
    ("change", "unlike"),
    [
        (lambda image: image, ""),
        (lambda image: image // 2, "brightness"),
        (lambda image: image // 4 + 75, "contrast"),
        (lambda image: cv2.blur(image, (5, 5)) // 2 + 50, "sharpness"),
        (lambda image: np.tile(image, (1, 2)), "width"),
        (lambda image: image[:18], "height"),
    ],
)
def test_an_image_that_was_taken_otherwise_says_in_what(tmp_path, change, unlike):
    detector = detector_of(IMAGES)
    image = change(stripes(99))
    cv2.imwrite(str(tmp_path / "a.png"), image)
    for source in (image, tmp_path / "a.png"):
        found = detector.inspect(source).unlike_calibration
        assert (unlike in found) if unlike else (found == "")
        assert not unlike or ", of calibration " in found


def test_what_is_unreadable_is_only_that():
    finding = detector_of(IMAGES).inspect(b"no image")
    assert finding.verdict == "unreadable"
    assert finding.unlike_calibration == ""


def test_a_saved_detector_knows_the_ranges_and_an_earlier_one_flags_nothing(tmp_path):
    detector_of(IMAGES).save(tmp_path)
    loaded = Detector.load(tmp_path)
    assert loaded.likeness == detector_of(IMAGES).likeness
    loaded.save_settings(tmp_path)  # as who finds a new threshold does
    settings = read_json(tmp_path / "detector.json")
    assert set(settings["likeness"]) == {"brightness", "contrast", "sharpness", "width", "height"}
    del settings["likeness"]
    write_json(tmp_path / "detector.json", settings)
    earlier = Detector.load(tmp_path)
    assert earlier.likeness is None
    assert earlier.inspect(stripes(0) // 2).unlike_calibration == ""


@pytest.mark.parametrize(
    ("likeness", "message"),
    [
        ([1, 2], "Expected an object or null as likeness"),
        ({"width": 3}, "Expected a list as likeness.width. Received: 3"),
        ({"width": [3, "4"]}, r"Expected a finite number as likeness.width\[1\]. Received: '4'"),
        ({"width": [3]}, r"Expected a smallest and a largest value .* Received: \[3\]"),
        ({"colour": [3, 4]}, "Expected likeness of brightness, .* Received: 'colour'"),
        ({"width": [-4, -3]}, r"above 0 as likeness.width. Received: \[-4, -3\]"),
        ({"width": [4, 3]}, r"Expected a smallest and a largest value .* Received: \[4, 3\]"),
    ],
)
def test_damaged_ranges_are_one_line(tmp_path, likeness, message):
    black_detector().save(tmp_path)
    settings = read_json(tmp_path / "detector.json") | {"likeness": likeness}
    write_json(tmp_path / "detector.json", settings)
    with pytest.raises(DetectorError, match=message) as caught:
        Detector.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "detector.json") in str(caught.value)
