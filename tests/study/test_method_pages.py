"""The tables of the methods' pages, from runs drawn at random."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from stand_in import write_study

from awl_vae.study.compared_methods import COMPARED_METHODS
from awl_vae.study.grid import EPOCHS
from awl_vae.study.method_pages import PAGES, PART, write_method_pages
from awl_vae.study.run_files import Study
from awl_vae.system.errors import UserError

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_has_the_figures_of_its_methods(tmp_path):
    write_study(tmp_path / "study", without=["bellows/rivals"])
    pages = shutil.copytree(DOCS / "methods", tmp_path / "methods")
    study = Study(tmp_path / "study")
    write_method_pages(study, pages)
    text = (pages / "geco.md").read_text()
    assert text.count(PART.begin) == text.count(PART.end) == 1
    rows = [line for line in text.splitlines() if line.startswith("| ")][-len(EPOCHS) + 1 :]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [*EPOCHS][1:]
    entries = study.get("comb", "rivals").summary["methods"]["geco"]["per_seed"]
    mean = 100 * np.mean([entry["test_auc"] for entry in entries])
    assert f"| comb | {mean:.2f} ± " in text
    once = {path.name: path.read_text() for path in pages.iterdir()}
    write_method_pages(study, pages)
    assert {path.name: path.read_text() for path in pages.iterdir()} == once


def test_a_page_without_a_place_for_its_table_is_an_error(tmp_path):
    write_study(tmp_path / "study", without=[])
    pages = shutil.copytree(DOCS / "methods", tmp_path / "methods")
    (pages / "geco.md").write_text("# GECO\n")
    with pytest.raises(UserError, match=r"geco\.md without them"):
        write_method_pages(Study(tmp_path / "study"), pages)
    (pages / "geco.md").unlink()
    with pytest.raises(UserError, match=r"geco\.md without them"):
        write_method_pages(Study(tmp_path / "study"), pages)


def test_pages_are_there_and_about_methods_that_are_compared():
    assert {f"{name}.md" for name in PAGES} | {"index.md"} == {
        path.name for path in (DOCS / "methods").iterdir()
    }
    assert {method for methods in PAGES.values() for method in methods} <= {*COMPARED_METHODS}
