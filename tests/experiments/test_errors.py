"""Bad input, through the command: one line, a non-zero exit status, nothing half-written."""

import fcntl
import json
import re
import subprocess

import commands
import cv2
import pytest
from conftest import make_folder, read_json, stripes, tiny

SCRIPT = "run_auc_adapted.py"


def error_of(*flags):
    """The one line that a command ends with."""
    command = commands.run(SCRIPT, *flags, expected=1)
    lines = [line for line in command.stderr.splitlines() if "%  " not in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--seeds=1,two", "Expected whole numbers"),
        ("--seeds=", "Expected whole numbers"),
        ("--seeds=-1", "Expected whole numbers"),
        ("--seeds=4294967296", "Expected whole numbers"),
        ("--f_update=0", "positive integer"),
        ("--image_size=50", "divisible by 16"),
        ("--image_size=64x", "divisible by 16"),
        ("--image_size=0", "divisible by 16"),
        ("--image_size=32x40", "divisible by 16"),
        ("--batch_size=-1", "positive integer"),
        ("--epochs=many", "many"),
        ("--learning_rate=0", "above 0"),
        ("--learning_rate=nan", "above 0"),
        ("--kl_weight=inf", "finite number of at least 0"),
        ("--dataset=screws", "bellows"),
        ("--score=ssim", "max1p"),
        ("--num_threads=0", "positive integer"),
        ("--num_threads=1025", "at most 1024"),
        ("--batch_size=2147483648", "at most 2147483647"),
        ("--latent_dim=100000000000000000000", "at most 2147483647"),
        ("--image_size=16400", "at most 16384"),
        ("--learning_rate=1e400", "above 0"),
        ("--kl_weight=-1", "at least 0"),
        ("--epoch=3", "did you mean --epochs?"),
    ],
)
def test_wrong_flags(flag, expected):
    line = error_of(flag)
    assert expected in line
    assert flag.partition("=")[2] in line or flag.partition("=")[0][2:] in line


@pytest.mark.parametrize(
    ("script", "flags", "name"),
    [
        (SCRIPT, ["--dataset=folder", "--data_dir="], "data_dir"),
        (SCRIPT, ["--dataset=folder", "--data_dir=photographs", "--roi_mask="], "roi_mask"),
        ("check_images.py", [""], "data_dir"),
        ("inspect_images.py", ["--model_dir=", "--images=."], "model_dir"),
        ("inspect_images.py", ["--model_dir=.", "--images=.", "--roi_mask="], "roi_mask"),
        ("inspect_images.py", ["--model_dir=.", "--images=.", "--output_dir="], "output_dir"),
        ("export_model.py", ["--model_dir=.", "--output="], "output"),
        ("run_baselines.py", ["--run_dir="], "run_dir"),
    ],
)
def test_an_empty_path_is_not_the_current_directory(script, flags, name):
    command = commands.Command(script, *flags)
    assert command.wait() != 0
    expected = f"error: Expected a path as --{name}. Received: an empty text"
    assert command.stderr.strip().rstrip(".") == expected


@pytest.mark.exhaustive
def test_more_than_the_memory_holds(image_folder, tmp_path):
    line = error_of(*tiny(image_folder, tmp_path / "run", "--latent_dim=2000000000"))
    assert "Expected a run that fits into the memory" in line
    assert line.endswith("Received: 16x16, 2000000000 and 8")


def test_words_that_are_no_flags(tmp_path):
    assert "Received: bellows" in error_of("bellows", f"--run_dir={tmp_path / 'run'}")


def spoil(folder, path, content):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)


def truncated_jpeg():
    data = cv2.imencode(".jpg", stripes(1, size=(60, 80)))[1].tobytes()
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("train/good/text.png", b"this is text"),
        ("test/spot/cut.jpg", truncated_jpeg()),
        ("test/good/empty.png", b""),
    ],
)
def test_broken_images_are_named_and_nothing_is_left(image_folder, tmp_path, path, content):
    spoil(image_folder, path, content)
    run = tmp_path / "run"
    line = error_of(*tiny(image_folder, run))
    assert re.search("Expected (a whole|an) image", line)
    assert str(image_folder / path) in line
    assert not run.exists()


@pytest.mark.slow
def test_overwriting_removes_nothing_before_the_new_images_are_read(image_folder, tmp_path):
    run = tmp_path / "run"
    images = [f"--data_dir={image_folder}", "--dataset=folder", "--image_size=16"]
    baselines = [*images, f"--run_dir={run}", "--latent_dim=4"]
    commands.run("run_baselines.py", *baselines)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    spoil(image_folder, "train/good/text.png", b"this is text")
    line = error_of(*tiny(image_folder, run, "--overwrite"))
    assert "Expected an image (PNG" in line
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    (image_folder / "train/good/text.png").unlink()
    commands.run("run_baselines.py", *baselines, "--overwrite", "--batch_size=9")
    assert read_json(run / "config.json")["batch_size"] == 9
    assert not (run / ".new").exists()


def test_a_refused_run_leaves_a_directory_as_it_was(image_folder, tmp_path):
    remove(image_folder, "train/good/*")
    (tmp_path / "empty").mkdir()
    for run in (tmp_path / "empty", tmp_path / "runs/of/mine"):
        assert "Expected normal images" in error_of(*tiny(image_folder, run))
    assert not list((tmp_path / "empty").iterdir())
    assert not (tmp_path / "runs").exists()


def test_a_missing_directory(tmp_path):
    line = error_of(*tiny(tmp_path / "nowhere", tmp_path / "run"))
    assert f"Received: --data_dir={tmp_path / 'nowhere'}" in line


OTHER_RUN = json.dumps({"experiment": "auc_adapted", "dataset": "comb", "seeds": [1]})


def test_a_missing_directory_is_told_whatever_was_run_before(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(OTHER_RUN)
    for more in ((), ("--overwrite",)):
        line = error_of(*tiny(tmp_path / "nowhere", run, *more))
        assert f"Received: --data_dir={tmp_path / 'nowhere'}" in line
    assert [child.name for child in run.iterdir()] == ["config.json"]


@pytest.mark.slow
def test_a_finished_run_is_told_again_without_its_images(image_folder, tmp_path):
    flags = ["--dataset=folder", f"--data_dir={image_folder}", "--image_size=16", "--latent_dim=4"]
    commands.run("run_baselines.py", *flags, f"--run_dir={tmp_path / 'run'}")
    image_folder.rename(tmp_path / "elsewhere")
    again = commands.run("run_baselines.py", *flags, f"--run_dir={tmp_path / 'run'}")
    assert "Finished: 2 runs; no image was read again." in again.stdout


def test_folder_without_data_dir(tmp_path):
    assert "Expected --data_dir" in error_of("--dataset=folder", f"--run_dir={tmp_path / 'run'}")


def test_data_dir_with_a_packaged_dataset(tmp_path):
    line = error_of("--dataset=elpv_mono", f"--data_dir={tmp_path}", f"--run_dir={tmp_path / 'r'}")
    assert "Expected no --data_dir" in line


def remove(folder, pattern):
    for path in folder.glob(pattern):
        path.unlink()


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        ("train/good/*", "Expected normal images"),
        ("test/good/*", "normal labelled images"),
        ("test/[sb]*/*", "anomalous labelled images"),
        ("test/*/*", "normal labelled images"),
    ],
)
def test_missing_classes(image_folder, tmp_path, removed, expected):
    remove(image_folder, removed)
    line = error_of(*tiny(image_folder, tmp_path / "run"))
    assert expected in line
    assert str(image_folder) in line
    assert "Received: " in line


def test_more_training_images_than_there_are(image_folder, tmp_path):
    assert "num_train=999" in error_of(*tiny(image_folder, tmp_path / "run", "--num_train=999"))


def test_a_run_dir_of_another_configuration(image_folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(OTHER_RUN)
    line = error_of(*tiny(image_folder, run))
    assert "--dataset=folder (there: comb)" in line
    assert "--overwrite" in line
    assert (run / "config.json").read_text() == OTHER_RUN


@pytest.mark.parametrize(
    ("name", "config", "expected"),
    [
        ("thesis.tex", '{"dataset": "ours", "lr": 0.1}', "whose config.json is not that of a run"),
        ("thesis.tex", "null", "Expected an object"),
        ("thesis.tex", "[]", "Expected an object"),
        ("thesis.tex", "", "Expected JSON"),
        ("thesis.tex", OTHER_RUN, "which holds thesis.tex, too"),
        ("pca/seed-1/notes.txt", OTHER_RUN, "which holds pca/seed-1/notes.txt, too"),
        ("pca/seed-1/figures/mine.png", OTHER_RUN, "which holds pca/seed-1/figures/mine.png, too"),
        (".new/thesis.tex", None, "which holds .new"),
    ],
)
def test_overwriting_removes_nothing_that_no_run_made(
    image_folder, tmp_path, name, config, expected
):
    run = tmp_path / "run"
    (run / name).parent.mkdir(parents=True)
    (run / name).write_text("precious")
    if config is not None:
        (run / "config.json").write_text(config)
    line = error_of(*tiny(image_folder, run, "--overwrite"))
    assert expected in line
    assert "--overwrite" not in error_of(*tiny(image_folder, run))
    assert (run / name).read_text() == "precious"
    assert config is None or (run / "config.json").read_text() == config
    assert not (run / ".lock").exists()


def test_a_run_dir_that_is_not_ours(image_folder, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    for more in ((), ("--overwrite",)):
        assert "no config.json" in error_of(*tiny(image_folder, tmp_path, *more))
    assert (tmp_path / "thesis.tex").read_text() == "precious"
    assert not (tmp_path / ".lock").exists()


def test_a_run_dir_that_is_a_file(image_folder, tmp_path):
    (tmp_path / "run").write_text("")
    assert str(tmp_path / "run") in error_of(*tiny(image_folder, tmp_path / "run"))


def test_a_run_dir_in_use(image_folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with open(run / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        line = error_of(*tiny(image_folder, run))
    assert "Expected a --run_dir that no other process uses" in line
    assert str(run) in line


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 kB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk(small_disk, tmp_path):
    folder = make_folder(tmp_path / "photographs")
    run = small_disk / "run"
    command = commands.run(SCRIPT, *tiny(folder, run), expected=1)
    errors = [line for line in command.stderr.splitlines() if "%  " not in line]
    assert len(errors) == 1, errors
    assert "No space left on device" in errors[0]
    assert str(run) in errors[0]
    for path in run.rglob("*.json"):
        json.loads(path.read_text())
    assert not (run / "conventional/seed-1/model.keras").exists()
    assert not list(run.rglob(".*.tmp*"))


def test_an_empty_disk_is_enough_for_nothing_but_the_lock(small_disk, tmp_path):
    folder = make_folder(tmp_path / "photographs")
    (small_disk / "ballast").write_bytes(b"x" * 290_000)
    assert "No space left on device" in error_of(*tiny(folder, small_disk / "run"))


@pytest.mark.slow
def test_other_images_in_a_run_dir_are_refused_and_change_nothing(image_folder, tmp_path):
    run = tmp_path / "run"
    commands.run(SCRIPT, *tiny(image_folder, run, "--epochs=1"))
    before = {path: path.read_bytes() for path in run.rglob("*.json")}
    cv2.imwrite(str(image_folder / "train/good/000.png"), stripes(99, size=(20, 24)))
    line = error_of(*tiny(image_folder, run, "--epochs=1", "--seeds=1,2"))
    assert "another content" in line
    # Where all is finished no image is read, but their names are.
    commands.run(SCRIPT, *tiny(image_folder, run, "--epochs=1"))
    cv2.imwrite(str(image_folder / "train/good/more.png"), stripes(99, size=(20, 24)))
    line = error_of(*tiny(image_folder, run, "--epochs=1"))
    assert "1 more and 0 missing (first: train/good/more.png)" in line
    assert {path: path.read_bytes() for path in run.rglob("*.json")} == before
