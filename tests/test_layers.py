"""Imports go one way, so that the architecture is what the folders show."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "losses": set(),
    "system": set(),
    "evaluation": set(),
    "features": {"system"},
    "models": {"losses", "features"},
    "data": {"system"},
    "callbacks": {"evaluation", "system"},
    "figures": {"system"},
    "detection": {"models", "features", "figures", "data", "evaluation", "system"},
}
"""By room, the rooms that it may import; `docs/architecture.md` explains them."""

for room in ("training", "study", "experiments"):
    MAY_IMPORT[room] = set(MAY_IMPORT)


def modules(room):
    """Every module of a room, those of its sub-packages and its stubs included."""
    found = [path for suffix in ("py", "pyi") for path in (ROOT / room).rglob(f"*.{suffix}")]
    assert found
    return found


def imported(path, nodes=None):
    """Absolute names of what a module imports, wherever in it, or in some of its nodes."""
    folders = path.relative_to(ROOT).parent.parts
    package = ["awl_vae", *(folder for folder in folders if folder != "awl_vae")]
    for node in nodes or ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{name}.{alias.name}" for alias in node.names)


def rooms_of(path, nodes=None):
    """The rooms that a module imports, by the names of those in the checkout."""
    names = (name.split(".") for name in imported(path, nodes))
    return {parts[1] for parts in names if parts[0] == "awl_vae" and len(parts) > 1} & {
        child.name for child in ROOT.iterdir() if (child / "__init__.py").exists()
    }


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room):
    for path in modules(room):
        assert rooms_of(path) - {room} <= MAY_IMPORT[room], path


def test_every_room_is_in_the_table():
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert rooms == {*MAY_IMPORT, "awl_vae"}


def test_nothing_is_imported_by_a_name_that_an_installation_has_not():
    folders = {child.name for child in ROOT.iterdir() if child.is_dir()} - {"awl_vae"}
    for room in MAY_IMPORT:
        for path in modules(room):
            assert not {name.partition(".")[0] for name in imported(path)} & folders, path


def test_every_package_is_installed():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {
        ".".join(("awl_vae", *path.parent.relative_to(ROOT).parts))
        for room in MAY_IMPORT
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert listed == found | {"awl_vae"}


def test_loss_terms_import_keras_alone_and_patterns_nothing_of_ours():
    assert set(imported(ROOT / "losses/terms.py")) == {"math", "typing.Any", "keras.ops"}
    assert not rooms_of(ROOT / "losses/patterns.py")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_room_goes_in_by_the_front_door(room):
    for path in modules(room):
        found = {name for name in imported(path) if name.count(".") == 1}
        assert not found & {"awl_vae.Detector", "awl_vae.VAE", "awl_vae.train"}, path


@pytest.mark.parametrize(
    ("library", "room"), [("absl.flags", "experiments"), ("matplotlib", "figures")]
)
def test_a_library_has_one_room(library, room):
    for other in {*MAY_IMPORT, "awl_vae"} - {room}:
        for path in modules(other):
            assert not any(f"{name}.".startswith(f"{library}.") for name in imported(path)), path


def test_the_front_door_imports_rooms_inside_functions_alone():
    for path in modules("awl_vae"):
        if path.suffix == ".py":
            outside = [*statements_outside_functions(ast.parse(path.read_text()))]
            assert not rooms_of(path, outside), path


def statements_outside_functions(node):
    """Every node that is run on import: branches and bodies of classes, too."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from statements_outside_functions(child)


def test_no_room_imports_by_text():
    for room in MAY_IMPORT:
        for path in modules(room):
            names = set(imported(path))
            assert not names & {"importlib", "importlib.import_module", "runpy"}, path


def test_every_room_is_measured():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert {*config["coverage:run"]["source"].split()} == {*MAY_IMPORT, "awl_vae"}
