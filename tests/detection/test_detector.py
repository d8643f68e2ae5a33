"""Thresholds, regions, the journal and the detector's arrays."""

import csv
import io
import math
import multiprocessing
import os
import re
import shutil
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from conftest import black_detector, read_csv

from awl_vae.data.images import Placement, resize, resize_back
from awl_vae.detection import (
    CalibrationError,
    Detector,
    DetectorError,
    calibrate,
    describe,
    find_regions,
)
from awl_vae.detection.false_alarms import supports
from awl_vae.detection.finding import COLUMNS, EARLIER_COLUMNS, FileState, Finding, csv_line
from awl_vae.detection.inspection import Inspect, Inspector
from awl_vae.detection.journal import Journal, read_lines
from awl_vae.detection.judging import find
from awl_vae.detection.listing import Listing
from awl_vae.detection.output import Output, overlay_name
from awl_vae.detection.overlay import draw
from awl_vae.detection.report import write_report
from awl_vae.detection.thresholds import (
    THRESHOLDS,
    f1,
    k_sigma,
    log_normal,
    quantile,
    sensitivity,
)
from awl_vae.detection.watch import Watcher
from awl_vae.evaluation import Scorer
from awl_vae.system.errors import UserError


def rows(normal, labelled=()):
    return [{"split": "calibration", "label": 0, "score": s} for s in normal] + [
        {"split": "adapt", "label": label, "score": score} for label, score in labelled
    ]


def test_a_quantile_by_hand():
    scores = np.arange(1.0, 100.0)  # 99 scores: 1 of 100 is 1 %
    # k = 1: above the largest score. k = 5 at 5 %: above the fifth largest, 95.
    assert 99.0 < quantile(scores, 0.01) < 99.001
    assert 95.0 < quantile(scores, 0.05) < 95.001
    assert supports(99, 0.01)
    assert not supports(98, 0.01)


def test_a_quantile_keeps_its_rate_on_new_images():
    rng = np.random.RandomState(0)
    alarms = [
        np.mean(rng.gamma(2.0, size=200) >= quantile(rng.gamma(2.0, size=60), 0.05))
        for _ in range(400)
    ]
    # 5 % of 61 is 3 whole ones: 3 / 61 = 4.9 % expected; the mean of 400 is within 0.5 %.
    assert np.mean(alarms) == pytest.approx(3 / 61, abs=0.005)


def test_k_sigma_f1_and_sensitivity_by_hand():
    assert k_sigma(np.array([1.0, 2.0, 3.0]), 2.0) == 4.0
    labels, scores = np.array([0, 0, 1, 0, 1]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    # From 3: precision 2/3, recall 1: F1 = 0.8. From 5: 1 and 1/2: 0.67.
    assert f1(labels, scores) == 3.0
    assert sensitivity(labels, scores) == 3.0


def test_a_threshold_with_labels_lies_a_little_below_a_score():
    labelled = [(0, 1.0), (0, 2.0), (1, 3.0), (1, 5.0)]
    for method in ("youden", "f1", "sensitivity"):
        threshold = calibrate(rows([1.0, 3.0], labelled), method)
        assert threshold.value == pytest.approx(3.0, rel=2e-5)
        assert threshold.value < 3.0
        found = threshold.false_alarms
        assert (found.count, found.rate) == (1, 0.5)


def alarms(scores, threshold, method="manual", setting=None):
    return THRESHOLDS[method].alarms(np.asarray(scores), threshold, setting)


def test_the_interval_of_false_alarms_is_the_exact_one():
    # Clopper-Pearson for 0 of 20: 1 − 0.025^(1/20) = 0.16843; by symmetry for 20 of 20.
    none = alarms(np.zeros(20), 1.0)
    assert (none.low, none.high) == (0.0, pytest.approx(0.16843, abs=1e-5))
    all_ = alarms(np.ones(20), 1.0)
    assert (all_.low, all_.high) == (pytest.approx(1 - 0.16843, abs=1e-5), 1.0)


def test_the_false_alarms_of_a_quantile_are_those_of_images_to_come():
    # k = 1 of n = 99: Beta(1, 99), whose distribution function is 1 − (1 − x)⁹⁹.
    scores = np.arange(99.0)
    found = alarms(scores, quantile(scores, 0.01), "quantile", 0.01)
    assert (found.rate, found.count, found.num_normal) == (pytest.approx(0.01), 0, 99)
    assert found.low == pytest.approx(1 - 0.975 ** (1 / 99), rel=1e-9)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 99), rel=1e-9)


def test_the_false_alarms_of_k_sigma_leave_each_image_out_of_its_own_threshold():
    # With itself: mean 2.5, deviation 5: 10 is below 2.5 + 1.6 · 5. By the others, 0 ± 0, above.
    scores = np.array([0.0, 0.0, 0.0, 10.0])
    found = alarms(scores, k_sigma(scores, 1.6), "k_sigma", 1.6)
    assert (found.count, found.rate) == (0, 0.25)


def test_too_few_images_are_told():
    text = describe(calibrate(rows([1.0, 2.0, 3.0]), "quantile", 0.01))
    assert "Warning: 3 normal images cannot support a rate of 0.01" in text
    assert "99 images could" in text
    assert "Warning" not in describe(calibrate(rows(np.arange(99.0)), "quantile", 0.01))
    with pytest.raises(CalibrationError, match="1 normal, 0 anomalous"):
        calibrate(rows([1.0], [(0, 1.0)]), "youden")
    with pytest.raises(CalibrationError, match=r"quantile, .*did you mean quantile\?.*quantil$"):
        calibrate(rows([1.0]), "quantil")
    with pytest.raises(CalibrationError, match="Expected a finite number as value for"):
        calibrate(rows([1.0]), "manual")
    with pytest.raises(CalibrationError, match="Received: nan"):
        calibrate(rows([1.0]), "manual", math.nan)
    with pytest.raises(CalibrationError, match="Expected no number for the threshold 'youden'"):
        calibrate(rows([1.0], [(0, 1.0), (1, 2.0)]), "youden", 0.1)
    with pytest.raises(CalibrationError, match="between 1e-09 and 1"):
        calibrate(rows([1.0]), "quantile", 1.5)
    with pytest.raises(CalibrationError, match="between 1e-09 and 1"):
        calibrate(rows([1.0]), "quantile", 1e-320)
    with pytest.raises(CalibrationError, match="num_sigmas to give a finite threshold"):
        calibrate(rows([1.0, 9.0]), "k_sigma", 1e308)


@pytest.mark.parametrize("mode", ["stretch", "pad", "crop"])
def test_regions_are_in_pixels_of_the_image(mode):
    image = np.zeros((120, 240), np.uint8)
    image[40:60, 100:140] = 255
    anomaly_map = resize(image, (32, 32), mode).astype(np.float32)
    (region,) = find_regions(anomaly_map, 127.0, image.shape, mode)
    pixel = 1 / min(Placement.of(image.shape, (32, 32), mode).scales)
    for value, expected in ((region.x, 100), (region.y, 40), (region.width, 40)):
        assert value == pytest.approx(expected, abs=pixel)
    assert region.height == pytest.approx(20, abs=pixel)
    assert region.peak == anomaly_map.max()
    back = resize_back(anomaly_map, image.shape, mode)
    assert back.shape == image.shape
    assert np.mean(back[40:60, 100:140]) > 10 * np.mean(back)


def test_the_border_of_a_padded_image_has_no_regions():
    anomaly_map = np.ones((32, 32), np.float32)
    (region,) = find_regions(anomaly_map, 0.5, (100, 400), "pad")
    assert (region.x, region.y, region.width, region.height) == (0, 0, 400, 100)
    assert region.area == 400 * 100


def test_the_ten_largest_regions_largest_first():
    anomaly_map = np.zeros((40, 40), np.float32)
    for index in range(12):
        anomaly_map[3 * index, : index + 1] = index + 1
    regions = find_regions(anomaly_map, 0.5, (40, 40), "stretch")
    assert [region.area for region in regions] == list(range(12, 2, -1))
    assert [region.peak for region in regions] == list(range(12, 2, -1))
    assert find_regions(anomaly_map, 99.0, (40, 40), "stretch") == []


def test_arrays_of_any_size_depth_and_colour():
    white = [
        np.full((16, 16), 255, np.uint8),
        np.full((40, 20), 65535, np.uint16),
        np.full((9, 9, 3), 255, np.uint8),
        np.full((16, 16, 4), 65535, np.uint16),
    ]
    found = black_detector()
    np.testing.assert_allclose(found.score(white), 1.0, rtol=1e-6)
    assert found.score(white).dtype == np.float32
    assert found.anomaly_map(white).shape == (4, 16, 16)
    assert found.predict([*white, np.zeros((5, 5), np.uint8)]).tolist() == [True] * 4 + [False]
    assert found.score([]).shape == (0,)
    assert found.score(np.zeros((3, 16, 16), np.uint8)).shape == (3,)
    assert found.is_anomalous([0.0, 0.25, math.nan]).tolist() == [False, True, True]
    for one in (white[0], white[2], white[3]):
        with pytest.raises(ValueError, match="Expected a sequence of images"):
            found.score(one)
    with pytest.raises(ValueError, match="Received: NoneType"):
        found.score([None])
    with pytest.raises(ValueError, match="Received: dtype=float64"):
        found.score([np.zeros((4, 4))])
    with pytest.raises(ValueError, match=r"Received: shape=\(4, 4, 2\)"):
        found.score([np.zeros((4, 4, 2), np.uint8)])


def test_saved_and_loaded_it_is_the_same(tmp_path):
    found = black_detector()
    found.save(tmp_path / "detector")
    assert {path.name for path in (tmp_path / "detector").iterdir()} == {
        "scorer.keras",
        "detector.json",
        "calibration.csv",
    }
    loaded = Detector.load(tmp_path / "detector")
    assert loaded.threshold == found.threshold
    assert loaded.calibration == found.calibration
    images = np.random.RandomState(0).randint(0, 256, (5, 20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(loaded.score(images), found.score(images))
    (tmp_path / "detector/detector.json").write_text("{")
    with pytest.raises(DetectorError, match="Expected JSON"):
        Detector.load(tmp_path / "detector")


def unmasked(paths):
    return [(path, None) for path in paths]


def test_findings_come_in_order_and_broken_files_between_them(tmp_path):
    paths = []
    for index in range(11):
        paths.append(tmp_path / f"{index:02d}.png")
        if index % 4 == 3:
            paths[-1].write_text("broken")
        else:
            cv2.imwrite(str(paths[-1]), np.full((20, 20), 250 * (index % 2), np.uint8))
    paths.append(tmp_path / "missing.png")
    findings = list(find(black_detector(), unmasked(paths), batch_size=4, num_threads=2))
    assert [finding.path for finding in findings] == paths
    verdicts = [finding.verdict for finding in findings]
    assert verdicts == (["normal", "anomalous", "normal", "unreadable"] * 3)
    assert findings[1].regions[0].area == 400
    assert str(paths[3]) in findings[3].error


def test_whatever_a_file_does_to_a_library_the_others_go_on(tmp_path, monkeypatch):
    paths = [tmp_path / f"{index}.png" for index in range(3)]
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), np.zeros((9, 9 + index), np.uint8))
    found = black_detector()
    preprocess = found.preprocess

    def without_memory(image, roi_mask=None):
        if image.shape == (9, 10):
            raise MemoryError("no room")
        return preprocess(image, roi_mask)

    monkeypatch.setattr(found, "preprocess", without_memory)
    findings = list(find(found, unmasked(paths), batch_size=2, num_threads=1))
    assert [finding.verdict for finding in findings] == ["normal", "unreadable", "normal"]
    assert "MemoryError no room" in findings[1].error


def test_where_few_go_through_the_network_at_a_time_few_are_in_memory(monkeypatch):
    found = black_detector()
    monkeypatch.setattr(found.scorer, "batch_size", 2)  # as where they are large
    preprocess, analyze_batch = found.preprocess, found.analyze_batch
    made, judged, most = [], [], []

    def counted(image, roi_mask=None):
        made.append(1)
        return preprocess(image, roi_mask)

    def checked(x):
        most.append(len(made) - len(judged))
        judged.extend(x)
        return analyze_batch(x)

    monkeypatch.setattr(found, "preprocess", counted)
    monkeypatch.setattr(found, "analyze_batch", checked)
    images = [np.zeros((9, 9), np.uint8)] * 40
    assert len(found.inspect(images)) == len(found.score(images)) == 40
    assert len(judged) == 80
    assert max(most) <= 6  # two in the network, two batches ahead


def finding(path, verdict="normal", **more):
    return Finding(path, FileState(7, 1_000_000_007), verdict, **more)


def test_a_cut_line_is_cut_off_and_nothing_is_lost(tmp_path):
    journal = Journal(tmp_path / "a.csv")
    for name in ("a, b.png", "c.png"):
        journal.append(finding(tmp_path / name, score=0.5))
    journal.close()
    whole = (tmp_path / "a.csv").read_bytes()
    for end in range(len(whole) + 1):
        (tmp_path / "a.csv").write_bytes(whole[:end])
        again = Journal(tmp_path / "a.csv")
        again.close()
        rows = read_csv(tmp_path / "a.csv")
        assert [row["path"] for row in rows] == sorted(again.known)
        assert len(rows) == max(whole[:end].count(b"\n") - 1, 0)
        assert (tmp_path / "a.csv").read_text().startswith(csv_line(COLUMNS))
    assert set(again.known.values()) == {FileState(7, 1_000_000_007)}


def test_of_an_image_that_was_inspected_again_the_last_line_counts(tmp_path):
    journal = Journal(tmp_path / "a.csv")
    journal.append(finding(tmp_path / "a.png", "unreadable", error="cut short"))
    journal.append(finding(tmp_path / "b.png", score=0.5))
    journal.append(finding(tmp_path / "a.png", "anomalous", score=0.9))
    journal.close()
    rows = {row["path"]: row["verdict"] for row in journal.rows()}
    assert rows == {str(tmp_path / "a.png"): "anomalous", str(tmp_path / "b.png"): "normal"}


def test_the_lines_of_0_1_0_are_gone_on_with(tmp_path):
    earlier = [["/a,\udce9\r.png", "0.5", "normal", "", "", "7", "1"]]
    earlier.append(["/b.png", "", "unreadable", "", "cut short", "", ""])
    text = "".join(map(csv_line, [EARLIER_COLUMNS, *earlier]))
    (tmp_path / "a.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert [row["unlike_calibration"] for row in read_lines(tmp_path / "a.csv")] == ["", ""]
    journal = Journal(tmp_path / "a.csv")
    journal.append(
        finding("/c.png", score=0.5, unlike_calibration="width 3, of calibration 4 to 5")
    )
    journal.close()
    lines = (tmp_path / "a.csv").read_text("utf-8", "surrogateescape")
    added = ["/c.png", "0.5", "normal", "", "", "7", "1000000007", "width 3, of calibration 4 to 5"]
    expected = [COLUMNS, *([*row, ""] for row in earlier), added]
    assert lines.replace("\n", "\r") == "".join(map(csv_line, expected)).replace("\n", "\r")
    again = Journal(tmp_path / "a.csv")
    again.close()
    assert [*again.known] == ["/a,\udce9\r.png", "/b.png", "/c.png"]


class Looks:
    """A watcher whose clock the test sets, and which inspects at once what it finds."""

    def __init__(self, monkeypatch, directory, **more):
        self.now = 0.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self.known = {}
        self.watcher = Watcher(directory, self.known, settle=1.0, **more)

    def at(self, second):
        self.now = float(second)
        ready = self.watcher.look()
        self.known |= {str(path): FileState.of(path) for path in ready}
        return [path.name for path in ready]


def test_files_count_when_they_no_longer_change(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    looks = Looks(monkeypatch, tmp_path, excluded=tmp_path / "out")
    for name in ("old.png", "new.png", ".hidden.png", "note.txt", "out/own.png"):
        (tmp_path / name).write_text("x")
    looks.known[str(tmp_path / "old.png")] = FileState.of(tmp_path / "old.png")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/deep.jpg").write_text("x")
    assert looks.at(0) == []
    (tmp_path / "new.png").write_text("it grows")
    assert [looks.at(second) for second in (1, 2, 3)] == [["deep.jpg"], ["new.png"], []]


def test_a_file_that_changes_after_it_was_found_is_found_again(tmp_path, monkeypatch):
    looks = Looks(monkeypatch, tmp_path)
    (tmp_path / "slow.png").write_text("the first half")
    assert [looks.at(second) for second in (0, 1, 7)] == [[], ["slow.png"], []]
    (tmp_path / "slow.png").write_text("the first half and the second")
    assert [looks.at(second) for second in (8, 9, 10)] == [[], ["slow.png"], []]


def test_links_and_files_that_come_and_go(tmp_path, monkeypatch):
    images = tmp_path / "images"
    images.mkdir()
    looks = Looks(monkeypatch, images)
    (images / "link.png").symlink_to(tmp_path / "later.png")
    (images / "gone.png").write_text("x")
    assert looks.at(0) == []
    (images / "gone.png").unlink()
    assert looks.at(5) == []
    (tmp_path / "later.png").write_text("x")
    assert [looks.at(second) for second in (6, 7, 8)] == [[], ["link.png"], []]
    shutil.rmtree(images)
    assert looks.at(9) == []


def test_the_score_of_a_finding_is_read_back_exactly(tmp_path):
    score = float(np.float32(1 / 3))
    line = finding(tmp_path / "a.png", score=score).to_csv()
    assert math.isclose(float(line.split(",")[1]), score, rel_tol=0)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/images/a/b.png", "a/b.png.jpg"),
        ("/else/b.png", "else/b.png.jpg"),
        (f"/images/{'ü' * 120}.png", None),
        ("s3://bucket/parts/a.png", "s3:/bucket/parts/a.png.jpg"),
        ("s3://bucket/../../a.png", None),
        ("s3://bucket//a.png", None),
    ],
)
def test_names_of_the_overlays_of_findings(path, name):
    found = overlay_name(path, Path("/images"))
    assert str(found) == name or (name is None and len(str(found)) == 44)


def test_a_report_shows_the_overlays_of_the_highest_scores_up_to_a_size(tmp_path, monkeypatch):
    rows, overlays = [], {}
    for index in range(5):
        path = tmp_path / f"{index}.png"
        line = finding(path, "anomalous", score=float(index)).to_csv()
        rows.append(dict(zip(COLUMNS, next(csv.reader([line])), strict=True)))
        overlays[str(path)] = tmp_path / f"{index}.jpg"
        overlays[str(path)].write_bytes(b"x" * 100)
    monkeypatch.setattr("awl_vae.detection.report.MAX_BYTES", 250)
    write_report(
        tmp_path / "report.html", rows, black_detector(), overlays.__getitem__, root=tmp_path
    )
    entries = (tmp_path / "report.html").read_text().split("<li ")[1:]
    assert [re.search(r"(\d)\.png<", entry)[1] for entry in entries] == list("43210")
    assert ["<img" in entry for entry in entries] == [True] * 2 + [False] * 3
    assert "The 2 highest scores" in (tmp_path / "report.html").read_text()


def test_a_report_lists_the_highest_scores_and_counts_all(tmp_path, monkeypatch):
    monkeypatch.setattr("awl_vae.detection.report.MAX_LINES", 3)
    output = Output(black_detector(), tmp_path / "output", root=tmp_path)
    for index in (3, 0, 4, 1, 2):
        verdict = "anomalous" if index > 2 else "normal"
        output.add(finding(tmp_path / f"{index}.png", verdict, score=float(index)), b"")
    output.add(finding(tmp_path / "4.png", "normal", score=0.5), b"")  # another image by now
    output.add(finding(tmp_path / "bad.png", "unreadable", error="truncated"), b"")
    counts = output.finish(lambda path: True)
    assert dict(counts.verdicts) == {"anomalous": 1, "normal": 4, "unreadable": 1}
    page = (tmp_path / "output/report.html").read_text()
    assert re.findall(r"(\w+)\.png</h2>", page) == ["3", "2", "1", "bad"]
    assert "Of 6 images 4 are listed, all are in inspection.csv." in page
    assert '<dd id="total">6</dd>' in page


def test_a_report_says_where_an_anomalous_image_has_no_region(tmp_path):
    detector = black_detector()  # of a pixel threshold of 0.5
    paths = [tmp_path / f"{level}.png" for level in (150, 250)]
    for path in paths:
        cv2.imwrite(str(path), np.full((16, 16), int(path.stem), np.uint8))
    output = Output(detector, tmp_path / "output", root=tmp_path)
    for found, overlay in Inspect(detector, 2, 1, draws=True)(unmasked(paths)):
        assert found.verdict == "anomalous"
        output.add(found, overlay)
    output.finish(lambda path: True)
    page = (tmp_path / "output/report.html").read_text()
    bright, faint = page.split("<li ")[1:]
    assert "regions: 1" in bright
    assert "no region" not in bright
    assert "no region stands out above 0.5, the threshold of a pixel" in faint


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_an_overlay_has_the_colours_and_the_proportions_of_the_image(channels):
    image = np.zeros((600, 150, *channels), np.uint16)
    image[..., 2:3] = 60_000  # red, or at one column gray
    image[..., 3:] = 65_535 // 2
    (found,) = black_detector().inspect([image])
    thumbnail = found.overlay_source.thumbnail
    assert thumbnail.shape == (512, 128, 3)
    red = {(): None, (3,): 233, (4,): 117}[channels]
    if red is None:
        assert np.ptp(thumbnail, axis=-1).max() == 0
    else:
        assert thumbnail[0, 0].tolist() == [0, 0, red]
    overlay = draw(black_detector(), found.overlay_source, found.regions)
    assert overlay.shape == (512, 256, 3)
    np.testing.assert_array_equal(overlay[:, :128], thumbnail)


@pytest.mark.parametrize("name", ["results", "."])
def test_saving_replaces_an_earlier_detector_and_nothing_else(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / name / "thesis.tex").write_text("precious")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"Received: .*, which holds thesis\.tex"):
        black_detector().save(name)
    assert [path.name for path in (tmp_path / name).iterdir()] == ["thesis.tex"]
    for threshold in (0.25, 0.5):
        black_detector(threshold=threshold).save("detector")
    assert Detector.load("detector").threshold.value == 0.5
    for file, expected in (
        ("detector.json", r"Received: .*theirs/detector\.json"),
        ("scorer.keras", r"Received: theirs, with scorer\.keras and no detector\.json"),
    ):
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs" / file).write_text('{"camera": 1}')
        with pytest.raises(UserError, match=expected):
            black_detector().save("theirs")
        assert [path.read_text() for path in (tmp_path / "theirs").iterdir()] == ['{"camera": 1}']
        shutil.rmtree("theirs")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        {"detector", "thesis.tex" if name == "." else "results"}
    )


@pytest.mark.parametrize("name", [".", "", ".."])
def test_the_directory_in_which_a_process_runs_is_not_replaced(tmp_path, monkeypatch, name):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(UserError, match=r"Received: .*, the current directory or one above"):
        black_detector().save(name)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert not os.listdir(".")


def test_an_array_with_one_channel_is_one_gray_image():
    detector, image = black_detector(), np.full((48, 64), 100, np.uint8)
    found, expected = (detector.inspect(each) for each in (image[..., None], image))
    assert (found.score, found.verdict) == (expected.score, expected.verdict)
    with pytest.raises(ValueError, match="Expected a sequence of images"):
        detector.score(image[..., None])


def test_an_image_is_one_and_the_same_by_path_bytes_and_array(tmp_path):
    path = tmp_path / "colours.jpg"
    colours = np.random.RandomState(0).randint(0, 2, (6, 8, 3)).astype(np.uint8) * 255
    cv2.imwrite(str(path), cv2.resize(colours, (64, 48), interpolation=cv2.INTER_NEAREST))
    found = black_detector()
    sources = [path, str(path), path.read_bytes(), cv2.imread(str(path))]
    assert len({*found.score(sources).tolist()}) == 1
    findings = found.inspect(sources)
    assert {finding.score for finding in findings} == {float(found.score([path])[0])}
    assert [finding.path for finding in findings] == [path, path, None, None]
    for source, finding in zip(sources, findings, strict=True):
        one = found.inspect(source)
        assert (one.score, one.verdict, one.regions) == (
            finding.score,
            finding.verdict,
            finding.regions,
        )
    assert findings[0].regions


def test_what_cannot_be_read_has_a_finding_of_its_own(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"broken")
    found = black_detector()
    for source in (path, b"broken", np.zeros((4, 4))):
        finding = found.inspect(source)
        assert (finding.verdict, finding.score) == ("unreadable", None)
        assert finding.error.startswith("Expected ")
        with pytest.raises(ValueError, match="Expected"):
            found.score([source])
    verdicts = [finding.verdict for finding in found.inspect([path, np.zeros((9, 9), np.uint8)])]
    assert verdicts == ["unreadable", "normal"]


def test_in_a_forked_process_a_detector_says_so_and_does_not_wait_for_ever():
    found = black_detector()
    images = np.zeros((1, 16, 16), np.uint8)
    found.score(images)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        result = pool.apply_async(found.score, (images,))
        with pytest.raises(
            RuntimeError, match="Expected a detector that was loaded in this process"
        ):
            result.get(timeout=60)


def test_a_line_of_csv_is_one_row_whatever_a_name_holds():
    values = ["a\rb", "c\r\nd", 'e"f,', "\n", ""]
    line = csv_line(values)
    assert line.endswith("\n")
    assert list(csv.reader(io.StringIO(line + line, newline=""))) == [values, values]


def test_a_way_to_resize_that_there_is_not():
    with pytest.raises(DetectorError, match=r"did you mean stretch\?.*'strech'"):
        black_detector(resize="strech")


@pytest.mark.parametrize("factor", [np.nan, np.inf])
def test_an_image_whose_score_is_not_finite_is_anomalous_and_in_the_report(tmp_path, factor):
    found = black_detector()
    inputs = keras.Input((16, 16, 1))
    diverged = keras.Model(inputs, keras.layers.Rescaling(factor)(inputs))
    found.scorer = Scorer(diverged, "mse", (16, 16))
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 20), 80, np.uint8))
    lines = []
    inspector = Inspector(found, 2, 1, lines.append, lines.append)
    counts = inspector.inspect(
        Listing([tmp_path / "a.png"]), Output(found, tmp_path / "output", root=tmp_path)
    )
    assert counts.verdicts == {"anomalous": 1}
    assert 'class="anomalous"' in (tmp_path / "output/report.html").read_text()


def test_a_deviation_of_few_images_is_warned_of():
    rows = [
        {"split": "calibration", "label": "0", "score": str(0.1 + index / 100)}
        for index in range(20)
    ]
    assert "Warning" not in describe(calibrate(rows, "k_sigma", 3.0))
    assert "19 normal images give no sure standard deviation" in describe(
        calibrate(rows[1:], "k_sigma", 3.0)
    )


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (None, "Received: NoneType"),
        ((value for value in [b""]), "Received: generator"),
        ([[1, 2], [3, 4]], "Received: list"),
        ([b"", 5], "Received: int"),
        (np.zeros((40, 30, 2), np.uint8), r"Received: shape=\(40, 30, 2\)"),
    ],
)
def test_what_is_no_image_is_an_error_and_no_finding(images, expected):
    found = black_detector()
    for method in (found.inspect, found.score):
        with pytest.raises(ValueError, match=expected):
            method(images)


def test_a_few_odd_images_do_not_lift_the_threshold_of_the_others():
    scores = np.exp(np.random.RandomState(0).normal(2.0, 0.2, 400))
    threshold = log_normal(scores, 0.01)
    assert threshold == pytest.approx(np.exp(2.0 + 2.35 * 0.2), rel=0.1)
    odd = np.concatenate([scores[:-8], np.full(8, 1e6)])
    assert log_normal(odd, 0.01) == pytest.approx(threshold, rel=0.1)
    assert quantile(odd, 0.01) > 1e5
    # They are called anomalous, and counted.
    rows = [{"split": "calibration", "label": 0, "score": score} for score in odd]
    alarms = calibrate(rows, "log_normal").false_alarms
    assert alarms.count >= 8
    assert alarms.rate >= 0.02
    assert alarms.low < alarms.rate < alarms.high


def test_few_images_have_a_higher_threshold_and_equal_ones_are_normal():
    scores = np.exp(np.linspace(1.0, 2.0, 201))
    assert log_normal(scores[::20], 0.01) > log_normal(scores, 0.01)
    assert log_normal(np.full(30, 3.0), 0.01) > 3.0
    assert np.isfinite(log_normal(np.array([0.0, 0.0, 1.0]), 0.01))


def test_how_often_new_images_are_called_anomalous_by_the_bulk_of_others():
    random = np.random.RandomState(1)
    for count in (20, 100, 500):
        rates = [
            np.mean(
                random.lognormal(0, 0.3, 500) >= log_normal(random.lognormal(0, 0.3, count), 0.01)
            )
            for _ in range(300)
        ]
        assert 0.001 < np.mean(rates) < 0.012, count
