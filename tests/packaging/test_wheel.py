"""The wheel: what is in it, and that it works beside a user's own packages of the same names."""

import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest
from conftest import black_detector, stripes

from awl_vae.study.grid import runs

ROOT = Path(__file__).parent.parent.parent
NOT_INSTALLED = shutil.ignore_patterns(".*", "docs", "tests", "build", "runs", "__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    # Of a copy: what an earlier build has left in the checkout would be in the wheel, too.
    source = shutil.copytree(ROOT, directory / "source", ignore=NOT_INSTALLED)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w"]
    subprocess.run([*build, str(directory), str(source)], check=True)
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture
def installed(wheel, tmp_path):
    """A folder that the wheel is unpacked to, as site-packages, and an environment with it."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return os.environ | {"PYTHONPATH": str(site), "SITE": str(site)}


def python(installed, *arguments, cwd, expected=0):
    command = [sys.executable, *map(str, arguments)]
    finished = subprocess.run(command, cwd=cwd, env=installed, capture_output=True, text=True)
    assert finished.returncode == expected, finished.stderr
    return finished.stdout


def test_one_folder_at_top_level(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"awl_vae"}
    assert len(tops) == 2
    for needed in ("py.typed", "__main__.py", "detection/report.html", "losses/__init__.pyi"):
        assert f"awl_vae/{needed}" in names
    assert not [name for name in names if "/tests/" in name or "/docs/" in name]


@pytest.mark.exhaustive
def test_the_study_and_its_page_from_an_empty_folder(installed, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    text = python(installed, "-m", "awl_vae", "study", "--list", cwd=work)
    commands = [shlex.split(line.removeprefix("to do")) for line in text.splitlines()]
    assert len(commands) == len(list(runs("quick")))
    assert all(Path(command[1]).is_relative_to(installed["SITE"]) for command in commands)
    assert all(Path(command[1]).is_file() for command in commands)
    python(installed, "-m", "awl_vae", "results", cwd=work, expected=1)
    assert not list(work.iterdir())
    for name in ("gravel/labels", "gravel/baselines"):
        shutil.copytree(ROOT / "docs/results/study" / name, work / "docs/results/study" / name)
    text = python(installed, "-m", "awl_vae", "results", cwd=work)
    assert text.splitlines()[-1] == "No table and verdicts beside it: there is no README.md."
    assert (work / "docs/RESULTS.md").read_text().startswith("# Results")


@pytest.mark.slow
def test_it_works_beside_packages_of_a_user_with_the_same_names(installed, tmp_path):
    work = tmp_path / "work"
    for name in ("data", "models", "losses", "experiments", "training", "system", "study"):
        (work / name).mkdir(parents=True)
        (work / name / "__init__.py").write_text(f"mine = {name!r}\n")
    (work / "flags.py").write_text("mine = True\n")
    black_detector(threshold=0.05).save(work / "detector")
    cv2.imwrite(str(work / "image.png"), stripes(1))
    program = (
        "import data, models, flags\n"
        "from awl_vae import Detector, VAE, train\n"
        "import awl_vae, cv2, os\n"
        "assert awl_vae.__file__.startswith(os.environ['SITE']), awl_vae.__file__\n"
        "detector = Detector.load('detector')\n"
        "print(data.mine, models.mine, flags.mine, len(detector.score([cv2.imread('image.png')])))"
    )
    text = python(installed, "-c", program, cwd=work)
    assert text.splitlines()[-1] == "data models True 1"
    flags = ["--images=image.png", "--model_dir=detector"]
    python(installed, "-m", "awl_vae", "inspect", *flags, cwd=work, expected=1)
    # The file of an installation is a program, too.
    script = f"{installed['SITE']}/awl_vae/experiments/inspect_images.py"
    python(installed, script, *flags, cwd=work, expected=1)
