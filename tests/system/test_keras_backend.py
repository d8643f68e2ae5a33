"""A user's Keras of another backend is told in one line, before it is imported."""

import json
import os
import subprocess
import sys

import commands
import pytest
from conftest import make_folder, tiny

SETTINGS = {"floatx": "float16", "epsilon": 1e-3, "image_data_format": "channels_first"}


def in_a_process(code, home, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HOME": str(home)} | environment,
        capture_output=True,
        text=True,
    )


def write_settings(directory, **settings):
    directory.mkdir(parents=True)
    (directory / "keras.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("environment", "backend", "expected"),
    [
        ({"KERAS_BACKEND": "torch"}, "tensorflow", "torch, by the environment's KERAS_BACKEND"),
        ({"KERAS_BACKEND": ""}, "jax", "jax, by {home}/.keras/keras.json"),
        ({"KERAS_BACKEND": "tensorflow"}, "jax", None),
        ({"KERAS_HOME": "{home}/other"}, "jax", None),
    ],
)
def test_the_backend_that_keras_would_take(tmp_path, environment, backend, expected):
    write_settings(tmp_path / ".keras", backend=backend)
    environment = {key: value.format(home=tmp_path) for key, value in environment.items()}
    code = "from awl_vae.system.keras_backend import check_backend; check_backend()"
    error = in_a_process(code, tmp_path, **environment).stderr
    line = error.strip().rpartition("\n")[2]
    assert line.partition("Received: ")[2] == (expected or "").format(home=tmp_path)


def test_python_and_a_command_with_another_backend(tmp_path):
    write_settings(tmp_path / ".keras", backend="jax")
    error = in_a_process("from awl_vae import VAE", tmp_path).stderr.splitlines()[-1]
    assert "BackendError: Expected Keras with the backend tensorflow. Received: jax" in error
    code = "from awl_vae.__main__ import main; import sys; sys.argv[1:] = ['info']; main()"
    command = in_a_process(code, tmp_path)
    assert command.returncode == 2
    assert command.stderr.splitlines() == [
        "error: Expected Keras with the backend tensorflow. "
        f"Received: jax, by {tmp_path / '.keras/keras.json'}"
    ]


def test_tensorflow_knows_no_bfloat16_and_is_imported(tmp_path):
    write_settings(tmp_path / ".keras", floatx="bfloat16")
    code = (
        "from awl_vae.system import quiet_tensorflow; import os; print('KERAS_HOME' in os.environ)"
    )
    assert in_a_process(code, tmp_path).stdout == "False\n"


@pytest.mark.exhaustive
def test_settings_of_a_user_change_no_bit_of_a_run_and_stay_the_user_s(tmp_path):
    folder = make_folder(tmp_path / "photographs")
    flags = tiny(folder, tmp_path / "plain", "--epochs=1", "--methods=conventional")
    commands.run("run_auc_adapted.py", *flags)
    write_settings(tmp_path / ".keras", **SETTINGS)
    code = """
import sys
from awl_vae import train
import keras
train(
    sys.argv[1], run_dir=sys.argv[2], epochs=1, f_update=1, methods="conventional",
    image_size=16, latent_dim=4, batch_size=8,
)
config = keras.config
print(config.floatx(), config.epsilon(), config.image_data_format())
"""
    command = subprocess.run(
        [sys.executable, "-c", code, folder, tmp_path / "run"],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert command.stdout.splitlines()[-1:] == ["float16 0.001 channels_first"], command.stderr
    name = "conventional/seed-1/all_scores.csv"
    assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
