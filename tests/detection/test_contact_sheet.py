"""The contact sheet of the strangest images."""

import cv2
import numpy as np

from awl_vae.detection.contact_sheet import CELL, COLUMNS, MARGIN, MOST, write_contact_sheet


def flat(shape, color):
    return np.full((*shape, 3), color, np.uint8)


def test_images_of_any_shape_stand_side_by_side_in_their_order(tmp_path):
    red, green, blue = (0, 0, 255), (0, 255, 0), (255, 0, 0)
    overlays = [
        (flat((40, 80), red), "1", "wide.png"),
        (flat((400, 40), green), "2", "tall.png"),
        (flat((30, 60), blue), "3", "small.png"),
        (flat((30, 60), red), "4", f"{'ü' * 300}.png"),
    ]
    write_contact_sheet(tmp_path / "sheet.jpg", overlays)
    sheet = cv2.imread(str(tmp_path / "sheet.jpg"))
    assert sheet.shape[1] == COLUMNS * (CELL + MARGIN) + MARGIN
    for column, color in enumerate((red, green, blue)):
        left = MARGIN + column * (CELL + MARGIN)
        np.testing.assert_allclose(sheet[MARGIN + 20, left + 20], color, atol=12)
    # The lines are there, and stay in their cells.
    assert (sheet[MARGIN + CELL // 2 + 2 : MARGIN + CELL // 2 + 22, :CELL].min(axis=2) < 90).any()
    assert sheet[:, -MARGIN + 2 :].min() > 240


def test_a_name_that_is_no_utf8_is_drawn(tmp_path):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    write_contact_sheet(tmp_path / "sheet.jpg", [(flat((20, 40), (9, 9, 9)), "1", name)])
    assert cv2.imread(str(tmp_path / "sheet.jpg")) is not None


def test_there_are_no_more_than_fit_on_it(tmp_path):
    heights = []
    for count in (MOST, MOST + 7):
        overlays = [(flat((20, 40), (9, 9, 9)), "1", "name")] * count
        write_contact_sheet(tmp_path / "sheet.jpg", overlays)
        heights.append(cv2.imread(str(tmp_path / "sheet.jpg")).shape[0])
    assert heights[0] == heights[1]
