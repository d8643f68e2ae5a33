"""The commands around a trained detector, as real processes."""

import csv
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import commands
import cv2
import numpy as np
import pytest
from conftest import black_detector, make_folder, read_csv, read_json, stripes, tiny

from awl_vae.data.images import RESIZE_MODES
from awl_vae.data.reading import read_image
from awl_vae.detection import Detector, DetectorError, calibrate
from awl_vae.detection.export import ExportError, export
from awl_vae.detection.export_formats import FORMATS
from awl_vae.detection.likeness import Likeness, measure
from awl_vae.evaluation import SCORES
from awl_vae.system import DirectoryLock


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of photographs and the directory of a method trained on them."""
    root = tmp_path_factory.mktemp("detector")
    folder = make_folder(root / "photographs")
    run = root / "run"
    command = commands.run(
        "run_auc_adapted.py", *tiny(folder, run, "--epochs=1", "--score=standardized")
    )
    return folder, run / "auc_adapted/seed-1", command


def inspected(model_dir, images, *more, expected):
    flags = (f"--model_dir={model_dir}", f"--images={images}", *more)
    return commands.run("inspect_images.py", *flags, expected=expected)


def test_an_experiment_leaves_a_detector_that_scores_as_it_did(trained):
    folder, model_dir, command = trained
    assert f"awl-vae inspect --model_dir={model_dir} --images=DIR" in command.stdout
    detector = Detector.load(model_dir / "detector")
    scores = {row["image"]: float(row["score"]) for row in read_csv(model_dir / "scores.csv")}
    names = [row["image"] for row in read_csv(model_dir / "scores.csv") if row["split"] == "test"]
    images = [cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in names]
    np.testing.assert_allclose(detector.score(images), [scores[name] for name in names], rtol=1e-4)
    assert detector.threshold.method == "youden"
    summary = read_json(model_dir.parent.parent / "summary.json")
    (entry,) = summary["methods"]["auc_adapted"]["per_seed"]
    assert detector.threshold.value == pytest.approx(entry["threshold"], rel=2e-5)
    # One image of the folder has a mask; it is in one of the two splits.
    values = [entry["pixel_auc"], entry["test_pixel_auc"]]
    assert values.count(None) == 1
    assert 0.5 < max(value for value in values if value is not None) <= 1.0


def test_an_experiment_keeps_what_the_calibration_images_looked_like(trained):
    folder, model_dir, _ = trained
    detector = Detector.load(model_dir)
    rows = [row for row in detector.calibration if row["split"] == "calibration"]
    paths = [folder / row["image"] for row in rows]
    # As at inspection: from the files.
    looks = [measure(detector.preprocess(path), read_image(path).shape) for path in paths]
    assert len(looks) >= 5
    assert detector.likeness == Likeness.of(looks)
    assert {finding.unlike_calibration for finding in detector.inspect(paths)} == {""}


def test_images_that_are_unlike_the_calibration_are_told(trained, tmp_path):
    folder, model_dir, _ = trained
    images, output = shutil.copytree(folder / "test/good", tmp_path / "images"), tmp_path / "output"
    cv2.imwrite(str(images / "dark.png"), stripes(0, size=(20, 24)) // 3)
    cv2.imwrite(str(images / "large.png"), stripes(0, size=(40, 24)))
    (images / "broken.png").write_bytes(b"broken")
    command = inspected(model_dir, images, f"--output_dir={output}", expected=1)
    again = inspected(model_dir, images, expected=1)
    for each in (command, again):
        assert "1 unreadable. Unlike the calibration images: 2.\n" in each.stderr
    found = {Path(row["path"]).stem: row for row in read_csv(output / "inspection.csv")}
    unlike = {name: row["unlike_calibration"] for name, row in found.items()}
    assert "brightness " in unlike.pop("dark")
    assert "height 40, of calibration " in unlike.pop("large")
    assert set(unlike.values()) == {""}
    page = (output / "report.html").read_text()
    assert '<dd id="unlike">2</dd>' in page
    assert "unlike calibration: height 40, of calibration " in page


def test_inspecting_a_folder(trained, tmp_path):
    folder, model_dir, _ = trained
    images = tmp_path / "images"
    shutil.copytree(folder / "test", images)
    (images / "good/broken.png").write_bytes(b"\x89PNG broken")
    output = tmp_path / "output"
    command = inspected(model_dir, images, f"--output_dir={output}", expected=1)
    rows = read_csv(output / "inspection.csv")
    assert (output / "inspection.csv").read_text().endswith(command.stdout.split("\n", 1)[1])
    assert len(rows) == 15
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    threshold = Detector.load(model_dir / "detector").threshold.value
    for row in rows:
        if row["verdict"] == "unreadable":
            assert "broken.png" in row["error"]
            continue
        assert (row["verdict"] == "anomalous") == (float(row["score"]) >= threshold)
        for x, y, width, height, area, peak in json.loads(row["regions"] or "[]"):
            assert 0 <= x < x + width <= 24
            assert 0 <= y < y + height <= 23
            assert 0 < area <= width * height
            assert peak > 0
    assert len(list((output / "overlays").rglob("*.jpg"))) == 14
    page = (output / "report.html").read_text()
    assert '<dd id="unreadable">1</dd>' in page
    assert page.count("data:image/jpeg;base64,") == 14
    assert "http" not in page.replace("http://www.w3.org", "")
    before = (output / "inspection.csv").read_bytes()
    again = inspected(model_dir, images, f"--output_dir={output}", expected=1)
    assert "Going on after 15 images." in again.stderr
    assert (output / "inspection.csv").read_bytes() == before


def test_a_store_is_inspected_as_a_directory_is(trained, tmp_path):
    folder, model_dir, _ = trained
    images, near, far = (tmp_path / name for name in ("images", "near", "far"))
    shutil.copytree(folder / "test", images)
    (images / "good/broken.png").write_bytes(b"\x89PNG broken")
    (images / "note.txt").touch()
    inspected(model_dir, images, f"--output_dir={near}", expected=1)
    first = f"file://{images}/good"
    command = inspected(model_dir, first, f"--output_dir={far}", expected=3)
    assert "7 images" in command.stderr
    (images / "good/000.png").write_bytes((images / "spot/000.png").read_bytes())
    command = inspected(model_dir, f"file://{images}", f"--output_dir={far}", expected=1)
    assert "Going on after 7 images." in command.stderr
    assert "no images by their names: 1 file (note.txt)" in command.stderr
    paths = [row["path"] for row in read_csv(far / "inspection.csv")]
    twice = {path for path in paths if paths.count(path) == 2}
    assert twice == {f"file://{images / 'good/000.png'}"}
    assert len({*paths}) == len(paths) - 1 == 15
    rows = {row["path"].removeprefix("file://"): row for row in read_csv(far / "inspection.csv")}
    for row in read_csv(near / "inspection.csv"):
        found = rows[row["path"]]
        if "good/000" not in row["path"]:
            assert (found["score"], found["verdict"]) == (row["score"], row["verdict"])
    assert (far / "overlays/spot/000.png.jpg").exists()
    assert "good/000.png" in (far / "report.html").read_text()


@pytest.mark.parametrize(
    ("names", "expected"), [(["test/good/000.png"], 0), (["test/good/000.png", "no.png"], 3)]
)
def test_exit_status_without_anomalies(trained, tmp_path, names, expected):
    folder, model_dir, _ = trained
    images = tmp_path / "images"
    images.mkdir()
    for name in names:
        source = folder / name
        target = images / source.name
        target.write_bytes(source.read_bytes() if source.exists() else b"")
    command = inspected(model_dir, images, expected=expected)
    assert command.stdout.startswith("path,score,verdict,regions,error,size,modified,")


def test_the_status_is_of_the_images_asked_for(trained, tmp_path):
    folder, model_dir, _ = trained
    output, images = tmp_path / "output", tmp_path / "images"
    shutil.copytree(folder / "test", images)
    (images / "good/broken.png").write_bytes(b"broken")
    inspected(model_dir, images, f"--output_dir={output}", expected=1)
    command = inspected(model_dir, images / "good", f"--output_dir={output}", expected=3)
    assert "7 images: 6 normal, 0 anomalous, 1 unreadable." in command.stderr
    assert '<dd id="anomalous">0</dd>' in (output / "report.html").read_text()
    assert len(read_csv(output / "inspection.csv")) == 15
    (images / "good/broken.png").unlink()
    command = inspected(model_dir, images / "good", f"--output_dir={output}", expected=0)
    assert "6 images: 6 normal" in command.stderr


def test_images_of_other_formats_are_unreadable_and_other_files_are_told(trained, tmp_path):
    folder, model_dir, _ = trained
    shutil.copy(folder / "test/good/000.png", tmp_path / "normal.png")
    spot = cv2.imread(str(folder / "test/spot/000.png"), 0)
    for suffix in ("webp", "pgm", "jp2"):
        cv2.imwrite(str(tmp_path / f"spot.{suffix}"), spot)
    shutil.copy(folder / "test/spot/000.png", tmp_path / "spot.jfif")
    (tmp_path / "spot.heic").write_bytes(b"no reader has seen this")
    (tmp_path / "notes.txt").write_text("no image")
    command = inspected(model_dir, tmp_path, expected=1)
    verdicts = {
        Path(row["path"]).name: row["verdict"]
        for row in csv.DictReader(io.StringIO(command.stdout))
    }
    readable = ("spot.webp", "spot.pgm", "spot.jfif")
    assert verdicts.pop("normal.png") == "normal"
    assert verdicts == dict.fromkeys(readable, verdicts["spot.pgm"]) | dict.fromkeys(
        ("spot.jp2", "spot.heic"), "unreadable"
    )
    assert "Received: JPEG2000" in command.stdout
    assert "no images by their names: 1 file (notes.txt)" in command.stderr


def has_one_error(command):
    (line,) = command.stderr.splitlines()
    return line.startswith("error: ")


@pytest.mark.parametrize("flags", [["--model_dir=nowhere", "--images=."], ["--images=."]])
def test_what_cannot_run_ends_with_one_line_and_status_2(flags):
    assert has_one_error(commands.run("inspect_images.py", *flags, expected=2))


def test_of_a_whole_run_the_detectors_are_named(trained):
    run = trained[1].parent.parent
    command = commands.run("inspect_images.py", f"--model_dir={run}", "--images=.", expected=2)
    assert has_one_error(command)
    assert f"Received: {run}, which holds those of " in command.stderr
    assert "auc_adapted/seed-1" in command.stderr
    with pytest.raises(DetectorError, match="which holds those of auc_adapted/seed-1, conv"):
        Detector.load(run)


def test_python_loads_from_where_the_command_does(trained):
    _, model_dir, _ = trained
    assert Detector.load(model_dir).threshold == Detector.load(model_dir / "detector").threshold


def test_a_directory_without_images_is_an_error(trained, tmp_path):
    (tmp_path / "note.txt").write_text("no image")
    command = inspected(trained[1], tmp_path, expected=2)
    assert has_one_error(command)
    assert f"Received: none in {tmp_path}" in command.stderr


def test_an_output_dir_is_one_process_s_and_one_detector_s(trained, tmp_path):
    folder, model_dir, _ = trained
    output = tmp_path / "output"
    with DirectoryLock(output):
        command = inspected(model_dir, folder, f"--output_dir={output}", expected=2)
        assert "that no other process uses" in command.stderr
    inspected(model_dir, folder / "test/spot", f"--output_dir={output}", expected=1)
    settings = read_json(output / "inspection.json")
    other = json.dumps(settings | {"score": "none"})
    for content, received in (
        (other, f"--output_dir={output}, of another score\n"),
        ("{", f"{output / 'inspection.json'} (Expecting"),
    ):
        (output / "inspection.json").write_text(content)
        command = inspected(model_dir, folder, f"--output_dir={output}", expected=2)
        assert has_one_error(command)
        assert f"Received: {received}" in command.stderr


@pytest.mark.slow
def test_a_list_on_standard_input_of_names_of_all_kinds(trained, tmp_path):
    folder, model_dir, _ = trained
    names = [b"spot.png", b"caf\xe9.png", '\u2028 ,"<b>.png'.encode(), b"x" * 250 + b".png"]
    paths = [os.fsencode(tmp_path / "images") + b"/" + name for name in names]
    (tmp_path / "images").mkdir()
    for path in paths:
        shutil.copy(folder / "test/spot/000.png", path)
    listed = b"\n".join([os.path.relpath(paths[0]), *paths, b"", paths[1] + b"\r", b"/nowhere.png"])
    command = [sys.executable, commands.SCRIPTS / "inspect_images.py", f"--model_dir={model_dir}"]
    command += ["--images=-", f"--output_dir={tmp_path / 'output'}"]
    environment = os.environ | {"PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=b"\n", capture_output=True, env=environment)
    assert done.returncode == 2
    assert b"Received: none in standard input" in done.stderr
    done = subprocess.run(command, input=listed, capture_output=True, env=environment)
    assert done.returncode == 1, done.stderr
    rows = list(csv.reader(io.StringIO(os.fsdecode(done.stdout))))
    assert [os.fsencode(row[0]) for row in rows[1:]] == [*paths, b"/nowhere.png"]
    assert [row[2] for row in rows[1:]] == [rows[1][2]] * 4 + ["unreadable"]
    assert len(list((tmp_path / "output/overlays").rglob("*.jpg"))) == 4
    assert "caf\ufffd.png" in (tmp_path / "output/report.html").read_text()


@pytest.mark.exhaustive
def test_findings_go_on_where_nobody_reads_them(trained, tmp_path):
    folder, model_dir, _ = trained
    command = [sys.executable, commands.SCRIPTS / "inspect_images.py", f"--model_dir={model_dir}"]
    command += [f"--images={folder}", f"--output_dir={tmp_path / 'output'}"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    # All images of the folder, and its mask.
    assert len(read_csv(tmp_path / "output/inspection.csv")) == 30 + 14 + 1


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def jpeg(image):
    return cv2.imencode(".jpg", image)[1].tobytes()


def bomb():
    """A PNG file of 30,000 × 30,000 pixels in 900 kB."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    lines = zlib.compressobj()
    data = b"".join(lines.compress(bytes(30_001)) for _ in range(30_000)) + lines.flush()
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def damaged(content):
    middle = len(content) // 2
    return content[:middle] + bytes(8) + content[middle + 8 :]


def make_broken(directory):
    """Ten kinds of files that are called images and are none; returns their names."""
    image = np.random.RandomState(0).randint(0, 256, (60, 60)).astype(np.uint8)
    contents = {
        "empty.png": b"",
        "text.jpg": b"no image",
        "cut.png": png(image)[:-500],
        "cut.jpg": jpeg(image)[:-500],
        "damaged.png": damaged(png(image)),
        "header.tif": b"II*\x00\x08\x00\x00\x00",
        "float.tif": cv2.imencode(".tif", image.astype(np.float32))[1].tobytes(),
        "bomb.png": bomb(),
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    (directory / "directory.png").mkdir()
    (directory / "link.png").symlink_to("nowhere.png")
    return {*contents, "link.png"}


def test_among_broken_files_every_good_image_has_its_verdict(trained, tmp_path):
    folder, model_dir, _ = trained
    for index in range(190):
        shutil.copy(folder / f"test/spot/00{index % 5}.png", tmp_path / f"{index:03d}.png")
    broken = make_broken(tmp_path)
    command = inspected(model_dir, tmp_path, expected=1)
    rows = {os.path.basename(row[0]): row for row in csv.reader(io.StringIO(command.stdout))}
    del rows["path"]
    assert {name for name, row in rows.items() if row[2] == "unreadable"} == broken
    for name in broken:
        assert name in rows[name][4]
        assert rows[name][1] == ""
    for index in range(190):
        assert rows[f"{index:03d}.png"][1:3] == rows[f"00{index % 5}.png"][1:3]
    assert "Traceback" not in command.stderr


@pytest.mark.slow
def test_watching_loses_and_doubles_nothing_when_killed(trained, tmp_path):
    _, model_dir, _ = trained
    images, output = tmp_path / "images", tmp_path / "output"
    images.mkdir()
    flags = [f"--model_dir={model_dir}", f"--images={images}", f"--output_dir={output}"]
    flags += ["--watch", "--batch_size=4"]
    journal = output / "inspection.csv"
    names = []
    for start in range(3):
        command = commands.Command("inspect_images.py", *flags)
        for index in range(12):
            names.append(f"{start}-{index:02d}.png")
            cv2.imwrite(str(images / names[-1]), stripes(index, size=(20, 20)))
        wanted = len(names) - (7 if start < 2 else 0)
        command.wait_for_lines(journal, 1 + wanted)
        if start < 2:
            assert command.kill() == -signal.SIGKILL
        else:
            command.interrupt()
            assert command.wait() in (0, 1)
    found = [row["path"] for row in read_csv(journal)]
    assert sorted(found) == [str(images / name) for name in names]
    assert '<dd id="total">36</dd>' in (output / "report.html").read_text()


def wait_for_report(command, output, num_images):
    """Waits for a report of so many images; whenever there is a report it is a whole one."""
    wanted = f'<dd id="total">{num_images}</dd>'
    page = ""
    while wanted not in page:
        assert command.is_running()
        time.sleep(0.02)
        if (output / "report.html").exists():
            page = (output / "report.html").read_text()
            assert page.endswith("</html>\n")


@pytest.mark.slow
def test_while_watching_the_report_is_written_and_moved_scores_are_told(tmp_path):
    detector = black_detector()
    detector.calibration = [
        {"image": str(i), "split": "calibration", "label": "0", "score": repr(0.1 + 0.001 * i)}
        for i in range(20)
    ]
    detector.threshold = calibrate(detector.calibration, "manual", 0.25)
    detector.save(tmp_path / "detector")
    images, output, whole = (tmp_path / name for name in ("images", "output", "whole"))
    images.mkdir()

    def arrive(start, end):
        for index in range(start, end):  # scores of (110 to 119)² / 255², of 0.186 and more
            image = np.full((20, 20), 110 + index % 10, np.uint8)
            cv2.imwrite(str(images / f"{index:03d}.png"), image)

    def start(output):
        flags = [f"--model_dir={tmp_path / 'detector'}", f"--images={images}", "--watch"]
        return commands.Command("inspect_images.py", *flags, f"--output_dir={output}")

    moved = "Scores of good parts have moved up: median "
    arrive(0, 60)
    command = start(output)
    wait_for_report(command, output, 60)
    arrive(60, 110)
    command.kill_at(output / "inspection.csv", 1 + 105)
    assert (output / "report.html").read_text().endswith("</html>\n")
    command = start(output)
    command.wait_for_lines(output / "inspection.csv", 1 + 110)
    arrive(110, 120)
    wait_for_report(command, output, 120)
    command.interrupt()
    assert command.wait() == 0
    assert command.stderr.count(moved) == 1
    assert "of the normal images 1 to 100, 0.1095 of the calibration" in command.stderr
    uninterrupted = start(whole)
    uninterrupted.wait_for_lines(whole / "inspection.csv", 1 + 120)
    uninterrupted.interrupt()
    assert uninterrupted.wait() == 0
    lines = [line for line in command.stderr.splitlines() if moved in line]
    assert lines == [line for line in uninterrupted.stderr.splitlines() if moved in line]
    page = (output / "report.html").read_text()
    assert f"<p>{lines[0]}</p>" in page
    assert page == (whole / "report.html").read_text()


INTERRUPTED_IN_A_CALLBACK = """
import runpy, signal, sys, weakref
from awl_vae.detection.watch import Watcher
class Referent: pass
def look(self):
    referent = Referent()
    reference = weakref.ref(referent, lambda _: signal.raise_signal(signal.SIGINT))
    del referent
    return []
Watcher.look = look
del sys.argv[0]
sys.path[0] = sys.argv[0].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_an_interrupt_ends_watching_wherever_it_meets_it(trained, tmp_path):
    # What a weak reference's callback raises is printed and forgotten.
    (tmp_path / "images").mkdir()
    flags = [f"--model_dir={trained[1]}", f"--images={tmp_path / 'images'}", "--watch"]
    flags.append(f"--output_dir={tmp_path / 'output'}")
    script = str(commands.SCRIPTS / "inspect_images.py")
    command = [sys.executable, "-c", INTERRUPTED_IN_A_CALLBACK, script, *flags]
    assert subprocess.run(command, timeout=300).returncode == 0
    assert (tmp_path / "output/report.html").exists()


@pytest.mark.exhaustive
def test_watching_ten_thousand_images_takes_no_more_memory_and_loses_none(trained, tmp_path):
    images, output = tmp_path / "images", tmp_path / "output"
    images.mkdir()
    flags = [f"--model_dir={trained[1]}", f"--images={images}", f"--output_dir={output}"]
    contents = [png(stripes(index, size=(64, 64), defect=index % 10 == 0)) for index in range(100)]
    journal = output / "inspection.csv"
    num_lines = 0
    command = commands.Command("inspect_images.py", *flags, "--watch")
    memory = []
    for start in range(0, 10_000, 500):
        for index in range(start, start + 500):
            # As a camera does: under another name first, or in two parts.
            path = images / f"{index:05d}.png"
            content = contents[index % 100]
            if index % 2:
                (images / f"{index:05d}.part").write_bytes(content)
                (images / f"{index:05d}.part").rename(path)
            else:
                path.write_bytes(content[:100])
                path.write_bytes(content)
        if start == 5_000:
            command.kill()
            command = commands.Command("inspect_images.py", *flags, "--watch")
            memory.clear()
        while num_lines < 1 + start + 500:
            assert command.is_running()
            time.sleep(0.05)
            num_lines = journal.read_bytes().count(b"\n") if journal.exists() else 0
        memory.append(command.memory())
    command.interrupt()
    assert command.wait() == 1
    rows = read_csv(journal)
    assert sorted(row["path"] for row in rows) == [
        str(images / f"{index:05d}.png") for index in range(10_000)
    ]
    expected = {int(os.path.basename(row["path"])[:5]): row for row in rows}
    for row in rows:
        twin = expected[int(os.path.basename(row["path"])[:5]) % 100]
        assert float(row["score"]) == pytest.approx(float(twin["score"]), rel=1e-4)
    # From the second round after the start to the last: 4,000 images.
    assert memory[-1] < 1.02 * memory[1], memory


@pytest.mark.slow
def test_watching_does_not_inspect_what_it_writes(trained, tmp_path):
    folder, model_dir, _ = trained
    shutil.copytree(folder / "test/spot", tmp_path / "spot")
    flags = [f"--model_dir={model_dir}", f"--images={tmp_path}", f"--output_dir={tmp_path / 'out'}"]
    command = commands.Command("inspect_images.py", *flags, "--watch")
    journal = tmp_path / "out/inspection.csv"
    command.wait_for_lines(journal, 6)
    # Long enough for what it has written to count as whole.
    time.sleep(3.0)
    command.interrupt()
    assert command.wait() == 1
    assert len(journal.read_text().splitlines()) == 6
    # Nor does a later inspection, wherever it writes.
    later = inspected(model_dir, tmp_path, f"--output_dir={tmp_path / 'again'}", expected=1)
    assert len(later.stdout.splitlines()) == 6


@pytest.mark.parametrize(
    ("method", "flags", "setting"),
    [
        ("quantile", ["--false_alarm_rate=0.2"], 0.2),
        ("quantile", [], 0.01),
        ("k_sigma", ["--num_sigmas=2"], 2.0),
        ("manual", ["--value=0.5"], 0.5),
        ("k_sigma", ["--setting=2"], 2.0),  # as it was called in 0.1.0
        ("f1", [], None),
        ("sensitivity", [], None),
    ],
)
def test_another_threshold(trained, tmp_path, method, flags, setting):
    model_dir = tmp_path / "detector"
    shutil.copytree(trained[1] / "detector", model_dir)
    is_old = flags == ["--setting=2"]
    flags = [f"--model_dir={model_dir}", f"--threshold={method}", *flags]
    before = Detector.load(model_dir).threshold
    command = commands.run("calibrate_detector.py", *flags)
    assert f"the place of {before.value:.6g} ({before.method}) in {model_dir}." in command.stdout
    threshold = Detector.load(model_dir).threshold
    assert (threshold.method, threshold.setting) == (method, setting)
    assert f"({method}" in command.stdout
    assert "Expected false alarms: " in command.stdout
    assert "95% interval" in command.stdout
    assert ("--setting is now --num_sigmas" in command.stderr) == is_old


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--threshold=quantile", "--num_sigmas=2"], "Expected --false_alarm_rate with"),
        (["--threshold=youden", "--value=2"], "Expected no number with --threshold=youden"),
        (["--threshold=manual"], "Expected a finite number as --value for the threshold 'manual'"),
        (["--threshold=f1", "--setting=2"], "Expected no number for the threshold 'f1'"),
        (
            ["--false_alarm_rate=2"],
            "Expected a number between 1e-09 and 1 as --false_alarm_rate for the threshold "
            "'quantile'. Received: 2",
        ),
    ],
)
def test_a_number_of_another_threshold(trained, tmp_path, flags, expected):
    model_dir = shutil.copytree(trained[1] / "detector", tmp_path / "detector")
    before = (model_dir / "detector.json").read_bytes()
    command = commands.run("calibrate_detector.py", f"--model_dir={model_dir}", *flags, expected=1)
    assert command.stderr.splitlines()[-1].startswith(f"error: {expected}")
    assert (model_dir / "detector.json").read_bytes() == before


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        pytest.param((16, 16), "uint8", marks=pytest.mark.slow),
        pytest.param((40, 30), "uint16", marks=pytest.mark.exhaustive),
    ],
)
def test_exports_do_what_the_detector_does(trained, tmp_path, kind, size, dtype):
    detector = Detector.load(trained[1] / "detector")
    path = tmp_path / f"exported{FORMATS[kind].suffix}"
    difference = export(detector, path, format=kind, input_size=size, dtype=dtype)
    assert difference < (1e-2 if kind == "litert_float16" else 1e-4)
    settings = read_json(tmp_path / f"{path.name}.json")
    assert settings["threshold"]["value"] == detector.threshold.value
    expected = {"name": "images", "shape": ["N", *size], "dtype": dtype, "content": "gray"}
    assert settings["input"] == expected
    assert {child.name for child in tmp_path.iterdir()} == {path.name, f"{path.name}.json"}
    # One image, as it comes from a camera.
    image = stripes(1, size=size, dtype=getattr(np, dtype))[None]
    *numbers, verdicts = FORMATS[kind].run(path)(image)
    for found, expected in zip(numbers, detector.analyze(image), strict=True):
        np.testing.assert_allclose(found, expected, rtol=FORMATS[kind].tolerance, atol=1e-4)
    np.testing.assert_array_equal(verdicts, detector.predict(image))


# Every score, and every way to resize.
@pytest.mark.parametrize(
    ("score", "resize"), list(zip(SCORES, [*RESIZE_MODES, "pad"], strict=True))
)
def test_exports_of_every_score_and_way_to_resize(tmp_path, score, resize):
    detector = black_detector(score=score, resize=resize)
    settings = {"format": "onnx", "input_size": (20, 30), "dtype": "uint8"}
    assert export(detector, tmp_path / "exported.onnx", **settings) < 1e-4


@pytest.mark.slow
def test_the_command_that_exports_and_what_it_refuses(trained, tmp_path):
    flags = (f"--model_dir={trained[1]}", "--format=onnx")
    command = commands.run("export_model.py", *flags, f"--output={tmp_path / 'a.onnx'}")
    assert f"{tmp_path / 'a.onnx'}: scores and maps within" in command.stdout
    commands.run("export_model.py", *flags, f"--output={tmp_path / 'a.onnx'}")
    # A name alone does not make something an earlier export.
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photograph.png").write_text("the only one")
    (tmp_path / "net.onnx").write_text("somebody's")
    (tmp_path / "saved/variables").mkdir(parents=True)
    (tmp_path / "saved/variables/thesis.tex").write_text("precious")
    before = sorted(tmp_path.iterdir())
    for output, json_text in (
        (precious, None),
        (precious, '{"images": []}'),
        (precious.parent / "saved", (tmp_path / "a.onnx.json").read_text()),
        (precious, (tmp_path / "a.onnx.json").read_text()),
        (tmp_path / "net.onnx", None),
        (tmp_path / "net.onnx", "[]"),
        (tmp_path / "other.onnx", "no JSON"),
    ):
        beside = output.with_name(f"{output.name}.json")
        if json_text is not None:
            beside.write_text(json_text)
        command = commands.run("export_model.py", *flags, f"--output={output}", expected=1)
        assert has_one_error(command)
        assert "Expected a new path" in command.stderr
        if json_text is not None:
            assert beside.read_text() == json_text
            beside.unlink()
    assert sorted(tmp_path.iterdir()) == before
    assert (precious / "photograph.png").read_text() == "the only one"


@pytest.mark.slow
@pytest.mark.parametrize("output", [0, 1])
def test_an_export_that_differs_is_not_left_and_an_earlier_one_is(
    trained, tmp_path, monkeypatch, output
):
    detector = Detector.load(trained[1] / "detector")
    settings = {"format": "onnx", "input_size": (16, 16), "dtype": "uint8"}
    run = FORMATS["onnx"].run

    def differing(path):
        def outputs(images):
            results = list(run(path)(images))
            results[output] = results[output] * np.float32(1.002)
            return results

        return outputs

    for has_earlier in (False, True):
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        assert bool(before) == has_earlier
        with monkeypatch.context() as patch:
            patch.setitem(FORMATS, "onnx", replace(FORMATS["onnx"], run=differing))
            with pytest.raises(ExportError, match="Expected scores and maps within"):
                export(detector, tmp_path / "exported.onnx", **settings)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
        export(detector, tmp_path / "exported.onnx", **settings)
