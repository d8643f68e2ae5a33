"""Odd values of flags and settings: one line, and nothing is trained."""

import contextlib

import commands
import numpy as np
import pytest
from cases import assert_nothing_half_written, assert_one_line, cases, state
from conftest import black_detector, make_folder

from awl_vae.system import DirectoryLock
from awl_vae.system.errors import UserError
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.resolve import resolve
from awl_vae.training.settings import settings_of

TEXTS = ("", " ", "nan", "inf", "-inf", "1e400", "-1", "0", "1,1", ",", "1,", "1.5", "0x10", "1_0")
TEXTS += ("٣", "😀", "\udcff", "\n", "a\nb", "x" * 10_000, "9" * 5_000, "-9" * 400, "None", "true")
TEXTS += ("16x16x16", "16x", "mse,mse", "../..", "%s", "<script>", "--", "=", "[]", "\0")
VALUES = (*TEXTS, None, True, False, [], {}, (), [1, 1], [True], float("nan"), float("inf"))
VALUES += (10**400, -(10**400), 1e308, np.float64(1), np.int64(3), object(), b"1", {1: 2}, [[1]])
VALUES += (
    range(3),
    {"mse"},
    int,
    lambda: 1,
    np.zeros(3),
    np.zeros((3, 3)),
    [None],
    "auc_adapted",
    2**63,
    -0.0,
)


@pytest.mark.parametrize("case", cases(dict.fromkeys(EXPERIMENTS, 10)))
def test_a_setting_from_python(case):
    experiment, rng = case.rpartition("-")[0], state(case)
    names = sorted(settings_of(EXPERIMENTS[experiment].config))
    # Many values are cheap to try.
    for _ in range(40):
        name, value = names[rng.randint(len(names))], VALUES[rng.randint(len(VALUES))]
        try:
            config = resolve(experiment, {name: value})
        except UserError as error:
            assert_one_line(str(error), name)
        else:
            kind = settings_of(type(config))[name]
            found = getattr(config, name)
            assert found is None or kind.is_valid(found)
            assert resolve(experiment, {name: found}) == config


SETTINGS = {name: tuple(settings_of(row.config)) for name, row in EXPERIMENTS.items()}
COMMANDS = {
    "run_auc_adapted.py": (*SETTINGS["auc_adapted"], "run_dir", "overwrite"),
    "run_loss_adapted.py": (*SETTINGS["loss_adapted"], "run_dir"),
    "run_baselines.py": (*SETTINGS["baselines"], "run_dir"),
    "inspect_images.py": ("images", "output_dir", "batch_size", "num_threads", "watch"),
    "calibrate_detector.py": ("threshold", "false_alarm_rate", "num_sigmas", "value", "setting"),
    "export_model.py": ("format", "output", "input_size", "input_dtype"),
    "write_dataset.py": ("dataset", "image_size", "num_train", "profile"),
}
PATHS = ("data_dir", "run_dir", "images", "output_dir", "output", "model_dir")


def fails_anyway(script, directory):
    """Flags with which a command ends with an error whatever else is said."""
    if script.startswith("run_"):
        return {
            "dataset": "folder",
            "data_dir": directory / "nowhere",
            "run_dir": directory / "run",
        }
    if script == "write_dataset.py":
        (directory / "full/there").mkdir(parents=True)
        return {"output_dir": directory / "full"}
    return {"model_dir": directory / "nowhere"} | (
        {"images": directory} if script == "inspect_images.py" else {}
    )


@pytest.mark.parametrize("case", cases(dict.fromkeys(COMMANDS, 8)))
def test_a_flag(case, tmp_path):
    script, rng = case.rpartition("-")[0], state(case)
    name = COMMANDS[script][rng.randint(len(COMMANDS[script]))]
    value = TEXTS[rng.randint(len(TEXTS))].replace("\0", "0")
    given = fails_anyway(script, tmp_path)
    given[name] = tmp_path / value if name in PATHS else value
    arguments = [f"--{flag}={value}" for flag, value in given.items()]
    command = commands.run(script, *arguments, expected=2 if "inspect" in script else 1)
    lines = [line for line in command.stderr.splitlines() if not line.startswith("Warning: ")]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    places = (f"--{name}", f"{name}=", "nowhere", str(tmp_path))
    assert any(place in lines[0] for place in places), lines[0]
    assert_one_line(lines[0].removeprefix("error: "))
    assert command.stdout == ""
    assert_nothing_half_written(tmp_path)


USED = ("empty", "file", "missing", "foreign", "nested", "locked", "link", "loop")


def make_place(kind, path):
    """What stands where a command expects a directory."""
    if kind == "file":
        path.write_text("precious")
    elif kind == "link":
        path.symlink_to(path.with_name("nowhere"))
    elif kind == "loop":
        path.symlink_to(path)
    elif kind != "missing":
        path.mkdir()
    if kind == "foreign":
        (path / "thesis.tex").write_text("precious")
        (path / "overlays").mkdir()
        (path / "overlays/a.jpg").write_text("precious")
    if kind == "nested":
        (path / "train/train/good").mkdir(parents=True)
        (path / "detector/detector").mkdir(parents=True)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A detector and a folder of photographs."""
    root = tmp_path_factory.mktemp("things")
    black_detector().save(root / "model/detector")
    return root / "model", make_folder(root / "photographs")


DIRECTORIES = {
    "inspect_images.py": ("model_dir", "images", "output_dir"),
    "calibrate_detector.py": ("model_dir",),
    "run_baselines.py": ("data_dir", "run_dir"),
    "export_model.py": ("model_dir", "output"),
    "write_dataset.py": ("output_dir",),
}
PLACES = [
    f"{script}:{flag}:{kind}"
    for script, of_script in DIRECTORIES.items()
    for flag in of_script
    for kind in USED
]


@pytest.mark.parametrize("case", cases(dict.fromkeys(PLACES, 1)))
def test_a_directory(case, things, tmp_path):
    script, flag, kind = case.rpartition("-")[0].split(":")
    path = tmp_path / "place"
    make_place(kind, path)
    before = {p: p.is_dir() or p.read_bytes() for p in tmp_path.rglob("*") if not p.is_symlink()}
    model, photographs = things
    small = {"image_size": 16, "latent_dim": 4}
    given = {
        "inspect_images.py": {"model_dir": model, "images": photographs / "test"},
        "calibrate_detector.py": {"model_dir": model, "threshold": "manual", "value": 0.25},
        "run_baselines.py": {"dataset": "folder", "data_dir": photographs} | small,
        "export_model.py": {"model_dir": model, "output": tmp_path / "exported"},
        "write_dataset.py": {"image_size": 16, "num_train": 16},
    }[script]
    if script.startswith("run_"):
        given |= {"run_dir": tmp_path / "run"}
    given |= {flag: path}
    lock = DirectoryLock(path) if kind == "locked" else contextlib.nullcontext()
    with lock:
        command = commands.Command(script, *(f"--{name}={value}" for name, value in given.items()))
        status = command.wait()
    assert "Traceback" not in command.stderr
    if status == (2 if script == "inspect_images.py" else 1) and "error: " in command.stderr:
        lines = [line for line in command.stderr.splitlines() if "%  " not in line]
        (error,) = (line for line in lines if line.startswith("error: "))
        assert lines[-1] == error
        assert_one_line(error.removeprefix("error: "), path)
    else:
        assert status == 0 or (script == "inspect_images.py" and status in (1, 3)), command.stderr
        assert kind in ("empty", "missing", "link", "loop", "locked") or flag == "images"
    for other, content in before.items():
        assert other.exists(), other
        assert other.is_dir() or other.read_bytes() == content
    assert_nothing_half_written(tmp_path)
