"""A command that is run as a file runs the code that it lies beside, whatever is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import awl_vae

ROOT = Path(__file__).parent.parent.parent


def run(*command, **more):
    finished = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=True, **more
    )
    return finished.stdout


@pytest.fixture
def other(tmp_path):
    """Another checkout, of another version."""
    path = tmp_path / "other"
    left_out = shutil.ignore_patterns(".*", "docs", "tests", "build", "runs", "__pycache__")
    shutil.copytree(ROOT, path, ignore=left_out)
    front_door = path / "awl_vae/__init__.py"
    text = front_door.read_text()
    front_door.write_text(text.replace(awl_vae.__version__, "0.0.1"))
    return path


@pytest.mark.slow
def test_each_checkout_runs_its_own_code(other, tmp_path):
    flags = ["--dataset=bellows", "--image_size=16", "--num_train=2", f"--output_dir={tmp_path}/d"]
    for checkout, version in ((ROOT, awl_vae.__version__), (other, "0.0.1")):
        lines = run(checkout / "experiments/info.py", cwd=tmp_path).splitlines()
        assert lines[0].startswith(f"awl-vae {version}")
        assert lines[1] == f"in {checkout / 'awl_vae'}"
    # What is changed in the other checkout alone changes what it does, in rooms of its own too.
    terminal = other / "data/folder.py"
    terminal.write_text(terminal.read_text().replace("ground_truth/", "elsewhere/"))
    dataset = other / "data/dataset.py"
    dataset.write_text(dataset.read_text().replace('f"ground_truth/', 'f"elsewhere/'))
    run(other / "experiments/write_dataset.py", *flags, cwd=tmp_path)
    assert (tmp_path / "d/elsewhere").is_dir()
    assert not (tmp_path / "d/ground_truth").exists()


def test_a_checkout_needs_no_installation(other, tmp_path):
    # Python without the installed package: only what it depends on is on the path.
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if '__editable__' not in str(f)]\n"
    )
    environment = os.environ | {"PYTHONPATH": str(hidden)}
    text = run("-m", "awl_vae", "--version", cwd=other, env=environment)
    assert text == "awl-vae 0.0.1\n"


def test_names_of_a_checkout_do_not_get_into_a_program_that_uses_it(other, tmp_path):
    script = (
        "import sys\n"
        f"sys.path[0] = {str(other / 'experiments')!r}\n"
        "import checkout\n"
        "import awl_vae.data.dataset\n"
        "print(awl_vae.__version__, 'data' in sys.modules, sys.path[0] == sys.argv[0])\n"
        f"print(any({str(other)!r} in path for path in sys.path))\n"
    )
    assert run("-c", script, cwd=tmp_path) == "0.0.1 False False\nFalse\n"
