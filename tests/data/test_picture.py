"""What is shown of an image: its proportions, and where its defect is."""

import cv2
import numpy as np
import pytest

from awl_vae.data.check.picture import GAP, HIGHEST, OUTLINE, SIDE, WIDEST, picture


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((480, 480), (SIDE, SIDE)),
        ((12, 48), (SIDE // 2, 2 * SIDE)),  # of the area of a square one
        ((4000, 100), (HIGHEST, 12)),
        ((2, 9000), (1, WIDEST)),
    ],
)
def test_proportions(tmp_path, size, expected):
    image = np.full(size, 200 * 257, np.uint16)
    drawn = picture(write(tmp_path / "a.png", image), ())
    assert drawn.shape == (*expected, 3)
    assert (drawn == 200).all()


def outlined(drawn):
    """(top, left, bottom, right) of the outline."""
    rows, columns = np.nonzero((drawn == OUTLINE).all(-1))
    return rows.min(), columns.min(), rows.max(), columns.max()


def test_a_large_defect_is_outlined(tmp_path):
    marked = np.zeros((480, 480), np.uint8)
    marked[100:200, 200:400] = 255
    mask = write(tmp_path / "mask.png", marked)
    drawn = picture(write(tmp_path / "a.png", marked), [mask])
    assert drawn.shape == (SIDE, SIDE, 3)
    assert outlined(drawn) == (50 - 4, 100 - 4, 99 + 4, 199 + 4)  # around it
    assert (drawn[50:100, 100:200] == 255).all()


def test_a_small_defect_is_outlined_and_enlarged(tmp_path):
    marked = np.zeros((1200, 1200), np.uint8)
    marked[600:610, 300:310] = 255
    mask = write(tmp_path / "mask.png", marked)
    drawn = picture(write(tmp_path / "a.png", marked), [mask])
    assert drawn.shape == (SIDE, 2 * SIDE + GAP, 3)
    assert outlined(drawn[:, :SIDE]) == (120 - 4, 60 - 4, 121 + 4, 61 + 4)
    top, left, bottom, right = outlined(drawn[:, SIDE + GAP :])  # a quarter of the side
    assert (top, left) == (90 - 4, 90 - 4)
    assert (bottom, right) == (149 + 4, 149 + 4)


def test_what_cannot_be_read(tmp_path):
    image = write(tmp_path / "a.png", np.full((48, 48), 100, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"no image")
    assert picture(tmp_path / "broken.png", ()) is None
    assert (picture(image, [tmp_path / "broken.png"]) == 100).all()
