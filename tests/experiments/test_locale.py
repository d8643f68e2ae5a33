"""Commands where the locale knows nothing but ASCII."""

import os
import subprocess
import sys

import cv2
import pytest
from commands import SCRIPTS
from conftest import make_folder, stripes

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.slow
@pytest.mark.parametrize("start", [[str(SCRIPTS / "check_images.py")], ["-m", "awl_vae", "check"]])
def test_names_and_signs_are_those_of_utf_8(tmp_path, start):
    folder = make_folder(tmp_path / "präparate ×")
    cv2.imwrite(str(folder / "train/good/übersicht.png"), stripes(0, size=(20, 24)))
    (folder / "train/good/notes_ü.jpg").write_text("no image")
    command = [sys.executable, *start, str(folder), f"--output_dir={tmp_path / 'seite'}"]
    outputs = [
        subprocess.run(command, capture_output=True, env=os.environ | environment)
        for environment in ({"PYTHONUTF8": "1"}, ASCII)
    ]
    expected, found = outputs
    assert found.returncode == expected.returncode == 1
    assert found.stdout == expected.stdout
    assert "präparate ×" in found.stdout.decode()
    assert "notes_ü.jpg" in found.stdout.decode()
    assert "notes_ü.jpg" in (tmp_path / "seite/check.html").read_text(encoding="utf-8")


def test_what_another_locale_lacks_is_escaped(tmp_path):
    make_folder(tmp_path / "a×b")
    command = [sys.executable, str(SCRIPTS / "check_images.py"), str(tmp_path / "a×b")]
    environment = os.environ | {"PYTHONIOENCODING": "cp1251"}
    found = subprocess.run(command, capture_output=True, env=environment)
    assert found.returncode in (0, 1)
    assert rb"a\xd7b" in found.stdout
