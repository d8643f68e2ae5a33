"""Imports go one way, so that the architecture is what the folders show."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "storage": set(),
    "losses": set(),
    "models": {"losses"},
    "evaluation": {"storage"},
    "data": {"storage"},
    "callbacks": {"evaluation", "storage"},
    "detection": {"data", "evaluation", "models", "storage"},
    "experiments": {"callbacks", "data", "detection", "evaluation", "losses", "models", "storage"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package):
    files = list((ROOT / package).glob("*.py"))
    assert files
    for path in files:
        found = {name.partition(".")[0] for name in imported(path)} & set(MAY_IMPORT)
        assert found - {package} <= MAY_IMPORT[package], path


def test_loss_terms_import_keras_alone_and_patterns_nothing_of_ours():
    assert set(imported(ROOT / "losses/terms.py")) == {"math", "keras"}
    assert set(imported(ROOT / "losses/patterns.py")) == {"collections.abc", "itertools", "types"}


FLAG_FILES = ("flags", "detector_flags", "write_dataset", "study", "report")


def test_flags_are_defined_where_they_are_looked_for():
    for path in (path for package in MAY_IMPORT for path in (ROOT / package).glob("*.py")):
        if "flags.DEFINE" in path.read_text():
            assert path.parent.name == "experiments"
            assert path.stem in FLAG_FILES
