"""What the page says that very many images take."""

import json
import re
from pathlib import Path

import numpy as np

from awl_vae.evaluation.feature_scorer import SAMPLE
from awl_vae.features.backbones import extractor
from awl_vae.training.fitting.explaining import MAX_IMAGES
from awl_vae.training.fitting.fit import FitSettings
from awl_vae.training.fitting.folder import SHORT_SIDE

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/many-machines.md").read_text()
UNITS = {"kB": 1e3, "GB": 1e9, "TB": 1e12, "ms": 1e-3, "min": 60.0, "h": 3600.0}


def row(beginning):
    """The numbers of a row of the table, in bytes or seconds."""
    (cells,) = re.findall(rf"^\| {beginning}[^|]*\| (.*) \|$", PAGE, re.MULTILINE)
    found = (cell.split() for cell in cells.split(" | "))
    return [float(number) * UNITS[unit] for number, unit in found]


def test_the_arithmetic_is_that_of_the_code():
    shape = extractor(FitSettings("").backbone, (SHORT_SIDE, SHORT_SIDE)).output_shape[1:]
    features = np.prod(shape) * np.dtype(np.float16).itemsize
    rows = json.loads((ROOT / "benchmarks/results/inspection.json").read_text())["rows"]
    one_core = rows[0]["ms an image"]["median"] / 1e3
    for beginning, of_one in (
        ("decoded", SHORT_SIDE**2 * 3),
        ("features", features),
        ("one core", one_core),
        ("reading features", features / 1e9),
    ):
        expected = of_one * np.array([1, 10**6, 10**8])
        np.testing.assert_allclose(row(beginning), expected, rtol=0.02)
    assert " · ".join(map(str, shape)) in PAGE
    assert f"at most {MAX_IMAGES:,} images; and {SAMPLE:,} vectors" in PAGE
