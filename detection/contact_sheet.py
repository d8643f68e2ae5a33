"""A contact sheet: the strangest images and their heat maps in one picture, to look at or send."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from awl_vae.system import atomic_path
from awl_vae.system.words import in_one_line

SHEET = "strangest.jpg"

MOST = 12
"""Images on a sheet."""

COLUMNS, CELL, TALLEST, MARGIN, FONT_SIZE = 3, 480, 480, 8, 15
"""Columns; width and greatest height of an image with its heat map; and around them, in pixels."""


def write_contact_sheet(path: Path, overlays: Sequence[tuple[np.ndarray, str, str]]) -> None:
    """Writes images side by side, each with a line below it.

    Args:
        path: the JPEG file.
        overlays: (overlay (h, w, 3) BGR, what is said, name) of each, the strangest first; `MOST`
            are shown.
    """
    font = ImageFont.load_default(FONT_SIZE)
    cells = [_cell(*each, font) for each in overlays[:MOST]]
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    heights = [max(cell.height for cell in row) for row in rows]
    width = COLUMNS * (CELL + MARGIN) + MARGIN
    sheet = Image.new("RGB", (width, sum(heights) + MARGIN * (len(rows) + 1)), "white")
    tops = itertools.accumulate((height + MARGIN for height in heights), initial=MARGIN)
    for top, row in zip(tops, rows, strict=False):
        for column, cell in enumerate(row):
            sheet.paste(cell, (MARGIN + column * (CELL + MARGIN), top))
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="JPEG", quality=90)


def _cell(
    overlay: np.ndarray,
    said: str,
    name: str,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> Image.Image:
    """An overlay as wide as a cell, or as high as it may be, and its line below."""
    image = Image.fromarray(cv2.cvtColor(overlay, cv2.COLOR_BGR2RGB))
    scale = min(CELL / image.width, TALLEST / image.height)
    image = image.resize([max(1, round(side * scale)) for side in image.size])
    cell = Image.new("RGB", (CELL, image.height + 2 * FONT_SIZE), "white")
    cell.paste(image)
    name = in_one_line(name)
    while font.getlength(f"{said}: {name}") > CELL and len(name) > 1:
        name = f"…{name[2:]}"  # its end tells more than its beginning
    text = f"{said}: {name}"
    ImageDraw.Draw(cell).text((0, image.height + FONT_SIZE // 3), text, "black", font)
    return cell
