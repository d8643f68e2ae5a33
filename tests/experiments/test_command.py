"""The command `awl-vae`: quick answers, names that are nearest, and errors in one form."""

import json
import os
import re
import subprocess
import sys

import pytest

import awl_vae
from awl_vae.__main__ import COMMANDS
from awl_vae.system.errors import install_hint
from awl_vae.system.terminal import PIPE_CLOSED

HEAVY = ("tensorflow", "keras", "scipy", "sklearn", "matplotlib")

ENTERED = """
import atexit, json, os, sys
def note():
    loaded = [name for name in json.loads(os.environ["HEAVY"]) if name in sys.modules]
    print("loaded:", json.dumps(loaded), file=sys.stderr)
atexit.register(note)
from awl_vae.__main__ import main
main()
"""


def awl_vae_command(*arguments, expected=0):
    """Runs `awl-vae`; returns output, error, and which of the heavy libraries were imported."""
    finished = subprocess.run(
        [sys.executable, "-c", ENTERED, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"HEAVY": json.dumps(HEAVY)},
    )
    *lines, last = finished.stderr.splitlines()
    assert finished.returncode == expected, finished.stderr
    return finished.stdout, "\n".join(lines), json.loads(last.partition("loaded:")[2])


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_overview_has_a_line_for_each_command(arguments):
    text, _, loaded = awl_vae_command(*arguments)
    for name, (_, about) in COMMANDS.items():
        assert any(line.split() == [name, *about.split()] for line in text.splitlines())
    assert not loaded


def test_the_version():
    assert awl_vae_command("--version") == (f"awl-vae {awl_vae.__version__}\n", "", [])


def test_an_unknown_command_is_told_the_nearest():
    _, error, _ = awl_vae_command("inspct", expected=2)
    assert error == "error: Expected a command; did you mean inspect? Received: inspct"
    _, error, _ = awl_vae_command("--versio", expected=2)
    assert error == "error: Expected a command; did you mean --version? Received: --versio"
    _, error, _ = awl_vae_command("train", expected=2)
    assert "did you mean auc-adapted or loss-adapted? Received: train" in error
    _, error, _ = awl_vae_command("zzz", expected=2)
    assert error == "error: Expected a command; awl-vae --help lists them. Received: zzz"


def test_a_default_is_told_with_the_datasets_that_it_holds_for():
    text = " ".join(awl_vae_command("auc-adapted", "--help", expected=1)[0].split())
    assert "Default: quick 30 (elpv_mono, elpv_poly, folder: 100); paper 100." in text
    expected = "Default: bernoulli (square, comb: gaussian); with --input=features: gaussian."
    assert expected in text
    assert "Default: runs/auc_adapted/<dataset>." in text


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--help",), ("info",), ("auc-adapted", "--help")])
def test_what_is_no_longer_read_ends_a_command_quietly(arguments):
    command = [sys.executable, "-m", "awl_vae", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == PIPE_CLOSED == 141


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_flag_and_imports_nothing_heavy(name):
    text, _, loaded = awl_vae_command(name, "--help", expected=1)
    assert f"awl-vae {name}" in text
    assert not loaded


@pytest.mark.parametrize(
    ("arguments", "expected", "error"),
    [
        (
            ("auc-adapted", "--rul=climb"),
            1,
            "Expected a flag of this command; did you mean --rule? Received: --rul=climb",
        ),
        (
            ("auc-adapted", "--rule=clim"),
            1,
            "Expected one of paper, margin, climb, climb_averaged, monotonic, cyclical as --rule "
            "(did you mean climb?). Received: --rule=clim",
        ),
        (
            ("auc-adapted", "--methods=conventional,autoencode"),
            1,
            "Expected names with commas between, among conventional, auc_adapted, beta_vae, "
            "autoencoder, geco, control_vae, uncertainty as --methods (did you mean autoencoder?). "
            "Received: --methods=conventional,autoencode",
        ),
        (
            ("loss-adapted", "--e1=0"),
            1,
            "Expected a positive integer of at most 2147483647 as --e1. Received: --e1=0",
        ),
        (
            ("loss-adapted", "--e1=5", "--e2=3"),
            1,
            "Expected --e1 < --e2 < --e3. Received: --e1=5, --e2=3, --e3=40.",
        ),
        (("inspect", "--images=x"), 2, "Expected --model_dir. Received: none."),
        (
            ("inspect", "--images=x", "--model_dir=y", "--batch_size=many"),
            2,
            "Expected a whole number as --batch_size. Received: --batch_size=many",
        ),
        (
            ("inspect", "--images=x", "--model_dir=y", "--batch_size=0"),
            2,
            "Expected an integer in the range [1, 65536] as --batch_size. Received: --batch_size=0",
        ),
        (
            ("export", "--format=onn", "--model_dir=y"),
            1,
            "Expected one of saved_model, onnx, litert, litert_float16 as --format "
            "(did you mean onnx?). Received: --format=onn",
        ),
        (
            ("export", "--input_size=64x", "--model_dir=y"),
            1,
            "Expected N or HxW in pixels, each side at most 16384, or 'any' as --input_size. "
            "Received: --input_size=64x",
        ),
        (("inspect", "--images"), 2, "Expected --images=<value>. Received: --images"),
        (
            ("auc-adapted", "--overwrite=maybe"),
            1,
            "Expected --overwrite or --nooverwrite. Received: --overwrite=maybe",
        ),
        (
            ("auc-adapted", "--dataset=folder"),
            1,
            "Expected --data_dir with --dataset=folder. Received: none.",
        ),
        (
            ("baselines", "--dataset=brick", "--data_dir=x"),
            1,
            "Expected no --data_dir with --dataset=brick. Received: --data_dir=x",
        ),
        (
            ("baselines", "--dataset=folder", "--data_dir=/nowhere"),
            1,
            "Expected a directory with train/good. Received: --data_dir=/nowhere, which is none",
        ),
        (("study", "bellows"), 1, "Expected flags only. Received: bellows"),
    ],
)
def test_wrong_flags_in_one_form_before_anything_heavy(arguments, expected, error):
    _, found, loaded = awl_vae_command(*arguments, expected=expected)
    assert found == f"error: {error}"
    assert not loaded


def test_a_detector_that_is_not_there(tmp_path):
    flags = [f"--model_dir={tmp_path}", f"--images={tmp_path}"]
    (tmp_path / "image.png").write_bytes(b"")
    _, error, loaded = awl_vae_command("inspect", *flags, expected=2)
    expected = f"Expected the directory of a detector. Received: {tmp_path}"
    assert error == f"error: {expected}"
    assert not loaded


@pytest.mark.parametrize(
    "level",
    [pytest.param(None, marks=pytest.mark.slow), pytest.param("0", marks=pytest.mark.exhaustive)],
)
def test_python_is_as_quiet_as_the_command_but_where_a_log_level_is_set(level):
    program = (
        "import os, awl_vae\n"
        "assert 'TF_CPP_MIN_LOG_LEVEL' not in os.environ or os.environ['LEVEL']\n"
        "from awl_vae import Detector, VAE, train\n"
        "import tensorflow as tf\n"
        "tf.constant(1)\n"
        "print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    given = {name: text for name, text in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    given |= {"LEVEL": level or ""} | ({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=given, check=True
    )
    assert finished.stdout == f"{level or 3}\n"
    assert level or not finished.stderr


def test_info_tells_versions_devices_and_extras():
    text, _, _ = awl_vae_command("info")
    assert text.startswith(f"awl-vae {awl_vae.__version__}")
    for part in ("tensorflow 2.", "/physical_device:CPU:0", "Extra export: installed"):
        assert part in text
    (gpu,) = re.findall(r"Extra gpu: (.*)", text)
    hint = re.escape(install_hint("gpu"))
    assert gpu == "installed" or re.fullmatch(rf"no \S+( and (\d+ more|\S+))?; {hint}", gpu)
