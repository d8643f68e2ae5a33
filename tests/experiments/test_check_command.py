"""`awl-vae check`: its exit status, its lines and its page."""

import commands
import cv2
import pytest
from check_folder import clean_folder, texture
from conftest import tiny

SCRIPT = "check_images.py"
RATE = "--false_alarm_rate=0.1"


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path / "photographs")


def test_nothing_found(folder, tmp_path):
    before = sorted(folder.rglob("*"))
    command = commands.run(SCRIPT, folder, RATE, expected=0)
    lines = command.stdout.splitlines()
    assert lines[0] == f"Images in {folder}"
    assert "| test/hole | 8 | 0 | 48x64 | 8 bit gray | PNG |" in lines
    assert lines[-1] == "All well."
    assert "100 %" in command.stderr
    assert sorted(folder.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


def test_something_found_and_its_page(folder, tmp_path):
    (folder / "train/good/003.png").write_bytes(b"\x89PNG")
    page = tmp_path / "check/check.html"
    command = commands.run(SCRIPT, f"--output_dir={page.parent}", RATE, folder, expected=1)
    assert "\n1 thing to look at:\n- unreadable: 1 image (train/good/003.png): " in command.stdout
    assert command.stdout.endswith(f"\nPage: {page}\n")
    assert [path.name for path in page.parent.iterdir()] == ["check.html"]
    assert "train/good/003.png" in page.read_text()
    assert page.read_text().count("<img ") == 1  # of the smallest defect; the other is unreadable

    commands.run(SCRIPT, f"--output_dir={page.parent}", RATE, folder, expected=1)
    page.write_text("<html>somebody's own</html>")
    command = commands.run(SCRIPT, f"--output_dir={page.parent}", folder, expected=2)
    assert command.stderr == (
        "error: Expected another --output_dir, or one without such a file. "
        f"Received: {page}, which awl-vae check has not written\n"
    )
    assert page.read_text() == "<html>somebody's own</html>"
    command = commands.run(SCRIPT, f"--output_dir={page}", folder, expected=2)
    assert command.stderr == (
        f"error: Expected a directory as --output_dir. Received: {page}, which is a file\n"
    )


def test_the_size_and_the_rate_that_are_asked_for(folder):
    """A defect of 16x16 in 48x64 pixels covers 85 of 32x32 and 21 of 16x16."""
    command = commands.run(SCRIPT, folder, "--image_size=16", expected=1)
    assert "| hole | 8 | 256 | 21.33 |" in command.stdout
    assert "a rate of false alarms of 0.01 takes 99 images" in command.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "Expected one FOLDER. Received: none"),
        (["a", "b"], "Expected one FOLDER. Received: a b"),
        (["/nowhere"], "Expected a folder of images. Received: /nowhere, which is none"),
        (["a", "--false_alarm_rate=1"], "Expected a number between 0 and 1 as --false_alarm_rate"),
        (["a", "--image_size=50"], "divisible by 16"),
        (["a", "--threshold=3"], "Expected a flag of this command"),
    ],
)
def test_not_run(words, expected):
    command = commands.run(SCRIPT, *words, expected=2)
    assert command.stderr.startswith("error: ")
    assert expected in command.stderr
    assert command.stdout == ""


def is_warning(line):
    return line.startswith("Warning: ")


@pytest.mark.slow
def test_training_warns_in_five_lines_at_most(folder, tmp_path):
    train = folder / "train/good"
    image = cv2.imread(str(train / "000.png"), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(folder / "test/good/again.png"), image ^ (image == image.max()))
    cv2.imwrite(str(train / "large.png"), texture(50, size=(90, 120)))
    cv2.imwrite(str(train / "dark.png"), texture(51) // 20)
    cv2.imwrite(str(train / "blank.png"), 0 * image + 120)
    flags = tiny(folder, tmp_path / "a", "--epochs=1", "--methods=conventional")
    command = commands.run("run_auc_adapted.py", *flags, "--adapt_signal=synthetic")
    warnings = filter(is_warning, command.stdout.partition("Conventional")[0].splitlines())
    assert [line.removeprefix("Warning: ") for line in warnings] == [
        "nearly the same: 1 pair (train/good/000.png, test/good/again.png): one in train and one "
        "in test, which makes what is measured in test too good.",
        "one level: 1 image (train/good/blank.png): nothing but one gray level.",
        "very dark: 1 image (train/good/dark.png): a mean level below 5 % of the range.",
        "other size: 1 image (train/good/large.png): far from the usual 48x64 (height x width).",
        f"2 more things to look at; awl-vae check {folder} --image_size=16x16 tells all.",
    ]
    flags = [*flags, "--adapt_signal=synthetic", "--seeds=1,2"]
    assert "nearly the same" not in commands.run("run_auc_adapted.py", *flags).stdout  # it goes on


@pytest.mark.exhaustive
def test_training_warns_and_goes_on(folder, tmp_path):
    for path in (folder / "test/hole").iterdir():
        path.write_bytes(path.read_bytes() + bytes(5000))
    flags = tiny(folder, tmp_path / "a", "--epochs=1", "--methods=conventional")
    command = commands.run("run_auc_adapted.py", *flags)
    warnings = [*filter(is_warning, command.stdout.splitlines())]
    assert warnings[0] == (
        "Warning: labels without a look: file size in bytes alone tells the classes apart, higher "
        "in anomalous images, with an AUC of 1.00: by the defects, or by how the images were taken."
    )
    assert "images for calibration" not in command.stdout  # the labels choose the threshold
    flags = [*flags, "--adapt_signal=synthetic", f"--run_dir={tmp_path / 'b'}"]
    command = commands.run("run_auc_adapted.py", *flags)
    assert "\nWarning: images for calibration: " in command.stdout
