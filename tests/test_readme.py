"""What the README says is what the files of the runs say."""

import re
from pathlib import Path

import commands
import pytest
from conftest import read_json

from experiments.summary import to_markdown

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = sorted(path for path in (ROOT / "docs/results").iterdir() if path.is_dir())


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.name)
def test_tables_come_from_the_summaries(results):
    baseline = read_json(results / "baseline.json")
    text = to_markdown(read_json(results / "summary.json"), baseline["counts"])
    assert text == (results / "summary.md").read_text()
    tables = text[text.index("**Adapt images") : text.index("Every run:")]
    assert tables.strip() in README


def test_there_are_results():
    assert {"bellows", "elpv_mono"} <= {path.name for path in RESULTS}


def test_flags_of_the_readme_exist():
    text = commands.run("run_auc_adapted.py", "--help", expected=1).stdout
    own = set(re.findall(r"--(?:\[no\])?(\w+)", text))
    used = set(re.findall(r"--(\w+)", README)) - {"help", "logdir", "output_dir"}
    assert used <= own


def test_files_of_the_readme_exist():
    for path in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / path).exists()
