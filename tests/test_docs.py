"""The fenced blocks of the pages run, page by page, in their order.

So that they take less time, those of one language that follow each other run in one process, of
what they write to test on few images are left, and nobody measures their coverage.
"""

import itertools
import operator
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FEW = 12
"""Images of a split in a directory that are left."""

LONGEST = ("architecture.md", "detector.md", "many-machines.md", "without-labels.md")
"""Pages whose blocks train or export many times, which other tests do, too."""

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page):
    """(language, text) of the blocks that are run: those of a shell, and Python's."""
    for note, language, text in BLOCK.findall(page.read_text()):
        if language in ("", "bash", "python") and not note:
            yield language, text


def marked(page):
    marks = [pytest.mark.exhaustive] if page.name in LONGEST else []
    return pytest.param(page, id=page.name, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("page", [marked(page) for page in PAGES if any(blocks(page))])
def test_the_blocks_of_a_page_run(page, tmp_path):
    place = tmp_path
    if page.name == "CONTRIBUTING.md":
        pytest.importorskip("ruff")
        place = ROOT
    # The commands of this environment, whatever else is on the path.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: os.environ[name] for name in os.environ if "COVERAGE" not in name}
    for language, group in itertools.groupby(blocks(page), key=operator.itemgetter(0)):
        text = "\n".join(text for _, text in group)
        shell = ["bash", "-euo", "pipefail", "-c", text]
        command = [sys.executable, "-c", text] if language == "python" else shell
        finished = subprocess.run(
            command, cwd=place, env=environment | {"PATH": path}, capture_output=True, text=True
        )
        assert finished.returncode == 0, f"{text}\n{finished.stderr}"
        for directory in tmp_path.glob("photographs/test/*"):
            for split in ("adapt", "test"):
                for image in sorted(directory.glob(f"{split}_*"))[FEW:]:
                    image.unlink()


def test_what_is_not_run_says_why_and_is_little():
    left_out = [note for page in PAGES for note, *_ in BLOCK.findall(page.read_text()) if note]
    assert len(left_out) <= 10
    assert sum(len([*blocks(page)]) for page in PAGES) >= 12
