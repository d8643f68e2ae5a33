"""From a folder to a detector, as real processes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import commands
import cv2
import numpy as np
import pytest
from conftest import read_csv, read_json
from photographs import part, write_good, write_layout

import awl_vae
from awl_vae.detection import Detector, calibrate
from awl_vae.detection.export import export
from awl_vae.evaluation import FeatureScorer
from awl_vae.evaluation.whitening import standardization
from awl_vae.features.backbones import extractor
from awl_vae.models.projection import low_rank
from awl_vae.system.errors import UserError

SMALL = ("--short_side=64", "--num_threads=2")
DETECTOR = {"scorer.keras", "calibration.csv", "detector.json"}
DETECTOR |= {"report.html", "strangest.jpg", "fit.json"}


def fitted(folder, model_dir, *more, expected=0):
    return commands.run(
        "fit_detector.py", folder, f"--model_dir={model_dir}", *SMALL, *more, expected=expected
    )


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("layout"), 24)


@pytest.fixture(scope="module")
def whole(layout, tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("whole") / "detector"
    return model_dir, fitted(layout, model_dir)


def test_one_command_makes_a_detector_with_a_report(layout, whole):
    model_dir, command = whole
    assert {path.name for path in model_dir.iterdir()} == DETECTOR
    assert "Threshold " in command.stdout
    assert f"Report: {model_dir / 'report.html'}" in command.stdout
    result = read_json(model_dir / "fit.json")["result"]
    methods = result["labelled"]["methods"]
    assert list(methods) == ["this detector", "PatchCore", "PaDiM", "PCA on pixels"]
    assert methods["this detector"]["auroc"][0] > 0.95
    assert methods["this detector"]["pixel_auroc"][0] > 0.9
    rows = read_csv(model_dir / "calibration.csv")
    assert len(rows) == 24
    page = (model_dir / "report.html").read_text()
    for text in ("24 good images was held out once", "half are found from", "AUPRO", "--exclude"):
        assert text in page
    assert page.count("<img") == 10


def test_the_detector_sees_colours(whole):
    model_dir, _ = whole
    detector = Detector.load(model_dir)
    image, _ = part(2000)
    red, mask = part(2001, defect="red")
    good, bad = detector.inspect([image, red])
    assert (good.verdict, bad.verdict) == ("normal", "anomalous")
    box = bad.regions[0]
    y, x = (places.mean() for places in np.nonzero(mask))
    assert box.x <= x <= box.x + box.width
    assert box.y <= y <= box.y + box.height
    # The channels in another order make it another product.
    assert detector.score([image[..., [1, 2, 0]]])[0] > 1.5 * detector.score([image])[0]
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert np.isfinite(detector.score([gray, np.uint16(gray) * 257])).all()


def test_it_inspects_like_any_other(layout, whole, tmp_path):
    model_dir, _ = whole
    command = commands.run(
        "inspect_images.py",
        f"--model_dir={model_dir}",
        f"--images={layout / 'test/red'}",
        f"--output_dir={tmp_path / 'out'}",
        expected=1,
    )
    assert "8 anomalous" in command.stderr
    # A process of its own, in which nothing has silenced TensorFlow before.
    check = [sys.executable, commands.SCRIPTS / "check_images.py", model_dir]
    checked = subprocess.run(check, capture_output=True, text=True, check=True)
    assert checked.stderr == ""
    whole_line, threshold = checked.stdout.splitlines()
    assert whole_line == "A whole detector: score nearest_normal, images 64x80 (stretch)."
    assert threshold.startswith("Threshold ")
    copy = shutil.copytree(model_dir, tmp_path / "d")
    commands.run("calibrate_detector.py", f"--model_dir={copy}")
    assert Detector.load(copy).threshold.method == "quantile"
    with open(copy / "scorer.keras", "r+b") as file:
        file.truncate(1000)
    command = commands.run("check_images.py", copy, expected=2)
    assert "error: Expected the network of a detector" in command.stderr


def test_in_python_it_is_the_same(layout, whole, tmp_path, capsys):
    model_dir = shutil.copytree(whole[0], tmp_path / "detector")
    detector = awl_vae.fit(layout, model_dir=model_dir, short_side=64, num_threads=2)
    assert "Finished before" in capsys.readouterr().err  # by the command, with the same settings
    assert detector.image_size == (64, 80)
    with pytest.raises(UserError, match="did you mean short_side"):
        awl_vae.fit(layout, model_dir=model_dir, shortside=64)
    with pytest.raises(UserError, match="above 0 and below 0.5"):
        awl_vae.fit(layout, model_dir=model_dir, false_alarm_rate=0.7)
    for grid in ("2by2", (2, 99), 2):
        with pytest.raises(UserError, match="Expected RxC, rows and columns of tiles"):
            awl_vae.fit(layout, model_dir=model_dir, grid=grid)
    with pytest.raises(UserError, match="Expected a folder of images"):
        awl_vae.fit(tmp_path / "nowhere", model_dir=model_dir)


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_to_the_same_bits(layout, whole, tmp_path):
    model_dir, _ = whole
    again = tmp_path / "detector"
    work_dir = tmp_path / ".detector.awl_vae.fit"
    for name in ("images.npy", "part-0.npz", "part-3.npz"):
        command = commands.Command("fit_detector.py", layout, f"--model_dir={again}", *SMALL)
        while not (work_dir / name).exists():
            assert command.is_running()
            time.sleep(0.002)
        command.kill()
        assert not again.exists()
    command = fitted(layout, again)
    assert "Going on where it was cut off." in command.stderr
    found, expected = contents(again), contents(model_dir)
    del found["scorer.keras"], expected["scorer.keras"]  # which tells when it was saved
    assert found == expected
    pair = (Detector.load(path).scorer.variables for path in (again, model_dir))
    for a, b in zip(*pair, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [path.name for path in tmp_path.iterdir()] == ["detector"]
    # The same command again has nothing to do, but where a part was lost.
    assert "Finished before" in fitted(layout, again).stderr
    (again / "scorer.keras").unlink()
    assert "Finished before" not in fitted(layout, again).stderr
    assert (again / "scorer.keras").exists()


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_precise_one_sees_mirror_images_too(layout, whole, tmp_path):
    model_dir = tmp_path / "detector"
    fitted(layout, model_dir, "--precise")
    assert "of images and of their mirror images" in (model_dir / "report.html").read_text()
    detector, plain = Detector.load(model_dir), Detector.load(whole[0])
    x = detector.preprocess(next((layout / "test/good").iterdir()))[None]
    for one, is_alike in ((detector, True), (plain, False)):
        features, mirrored = (one.scorer.extractor(each).numpy() for each in (x, x[:, :, ::-1]))
        assert np.allclose(features, mirrored[:, :, ::-1], atol=1e-4) == is_alike


def test_large_images_in_tiles(tmp_path):
    fitted(write_layout(tmp_path / "set", 9), tmp_path / "detector", "--tiles=2x2")
    detector = Detector.load(tmp_path / "detector")
    height, width = detector.image_size
    assert (height, width) == (96, 128)
    assert "in 2x2 tiles of 64x80" in (tmp_path / "detector/report.html").read_text()
    result = read_json(tmp_path / "detector/fit.json")["result"]
    assert result["labelled"]["methods"]["this detector"]["auroc"][0] > 0.9
    (finding,) = detector.inspect([part(2001, (720, 960), defect="red")[0]])
    assert finding.verdict == "anomalous"


def test_a_detector_of_parts_inspects_tiles_of_a_large_image(whole, tmp_path):
    model_dir, _ = whole
    rows = [[part(4000 + 10 * i + j)[0] for j in range(3)] for i in range(2)]
    large = np.vstack([np.hstack(row) for row in rows])
    large[80:92, 130:142] = (40, 40, 220)
    cv2.imwrite(str(tmp_path / "large.png"), large)
    command = commands.run(
        "inspect_images.py",
        f"--model_dir={model_dir}",
        f"--images={tmp_path / 'large.png'}",
        "--tiles=3x5",
        expected=1,
    )
    assert "judged in tiles" in command.stderr
    output = f"--output_dir={tmp_path / 'out'}"
    flags = (f"--model_dir={model_dir}", f"--images={tmp_path / 'large.png'}", output)
    commands.run("inspect_images.py", *flags, "--tiles=3x5", expected=1)
    other = commands.run("inspect_images.py", *flags, expected=2)
    assert "of another tiles" in other.stderr
    with pytest.raises(UserError, match="in tiles already"):
        Detector.load(model_dir).in_tiles((2, 2)).in_tiles((2, 2))
    with pytest.raises(UserError, match="rows and columns of tiles of at least 64 pixels"):
        Detector.load(model_dir).in_tiles((0, 2))


@pytest.mark.slow
def test_images_that_are_left_out(layout, whole, tmp_path):
    model_dir, _ = whole
    replaced = shutil.copytree(model_dir, tmp_path / "detector")
    listed = tmp_path / "list.txt"
    strangest = read_json(model_dir / "fit.json")["result"]["strangest"][:2]
    listed.write_text("\n".join(strangest))
    fitted(layout, replaced, f"--exclude={listed}", "--false_alarm_rate=0.05")
    names = [row["image"] for row in read_csv(replaced / "calibration.csv")]
    assert len(names) == 22
    assert not set(strangest) & set(names)
    assert Detector.load(replaced).threshold.setting == 0.05
    assert "Left out as asked: 2 images" in (replaced / "report.html").read_text()


@pytest.mark.slow
def test_copies_and_a_class_that_is_missing(tmp_path):
    folder = write_layout(tmp_path / "set", 6)
    shutil.rmtree(folder / "test/good")
    shutil.rmtree(folder / "test/white")
    shutil.copytree(folder / "train/good", folder / "test/good")  # none that is not in train
    shutil.copy(folder / "train/good/000.png", folder / "train/good/copy.png")
    command = fitted(folder, tmp_path / "detector")
    labelled = read_json(tmp_path / "detector/fit.json")["result"]["labelled"]
    assert labelled["methods"] == {}
    assert labelled["good"] is None
    assert labelled["anomalous"]["images"] == 8
    page = (tmp_path / "detector/report.html").read_text()
    assert "Left out of test, as they are among the good images: 6 images" in page
    (warnings,) = re.findall(r'<ul class="warnings">\n(.*?)\n</ul>', page, re.DOTALL)
    told = [line.removeprefix("<li>").removesuffix("</li>") for line in warnings.splitlines()]
    assert told[0].startswith("same pixels: 6 pairs")
    assert all(f"Warning: {each}." in command.stderr for each in told)
    rows = {row["image"]: row["score"] for row in read_csv(tmp_path / "detector/calibration.csv")}
    assert rows["train/good/copy.png"] == rows["train/good/000.png"]  # held out together


@pytest.mark.slow
def test_few_images_are_held_out_one_by_one(tmp_path):
    folder = write_good(tmp_path / "parts", 8)
    fitted(folder, tmp_path / "detector")
    page = (tmp_path / "detector/report.html").read_text()
    assert "Each of the 8 good images was held out once" in page
    assert "). Warning: 8 normal images" in page
    assert "Labelled images" not in page
    detector = Detector.load(tmp_path / "detector")
    assert detector.predict([part(7, defect="white")[0]])


def test_images_that_are_the_same_are_one(tmp_path):
    folder = write_good(tmp_path / "parts", 2)
    cv2.imwrite(str(folder / "copy.bmp"), cv2.imread(str(folder / "001.png")))
    command = fitted(folder, tmp_path / "detector", expected=1)
    assert "at least 3 good images that differ. Received: 2, some of them several" in command.stderr


def test_what_cannot_be_fitted_is_one_line(layout, tmp_path):
    def line(folder, *more, model_dir=tmp_path / "detector"):
        command = fitted(folder, model_dir, *more, expected=1)
        (error,) = [each for each in command.stderr.splitlines() if each.startswith("error:")]
        assert not (tmp_path / "detector").exists()
        return error

    assert "Expected a folder of images" in line(tmp_path / "nowhere")
    few = write_good(tmp_path / "few", 2)
    assert "Expected at least 3 good images. Received: 2" in line(few)
    (few / "002.png").write_bytes((few / "001.png").read_bytes()[:-200])
    assert "002.png" in line(few)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    assert "which holds notes.txt" in line(layout, model_dir=foreign)
    assert "--false_alarm_rate=0.7" in line(layout, "--false_alarm_rate=0.7")
    large = line(layout, "--short_side=2048")
    assert re.search(r"256 x \d+ positions take at most 2.1 GB .*--short_side=2048, which", large)
    assert (foreign / "notes.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["saved_model", "onnx", "litert", "litert_float16"])
def test_its_exports_take_images_of_any_size(layout, whole, tmp_path, name):
    from awl_vae.detection.export_formats import FORMATS

    model_dir, _ = whole
    path = tmp_path / ("graph" + FORMATS[name].suffix)
    flags = (f"--model_dir={model_dir}", f"--format={name}", f"--output={path}")
    command = commands.run("export_model.py", *flags, "--input_size=any")
    assert "The same verdicts on 24 images." in command.stdout
    detector, run = Detector.load(model_dir), FORMATS[name].run(path)
    for count, size in ((1, (72, 96)), (7, (100, 130)), (33, (40, 60))):
        images = [part(3000 + i, size, defect=(None, "red")[i % 2])[0] for i in range(count)]
        scores, maps, verdicts = run(np.stack(images)[..., ::-1])
        np.testing.assert_allclose(scores, detector.score(images), rtol=FORMATS[name].tolerance)
        np.testing.assert_array_equal(verdicts, detector.predict(images))
        assert maps.shape == (count, *detector.image_size)
    settings = json.loads((tmp_path / (path.name + ".json")).read_text())
    assert settings["input"]["shape"] == ["N", "h", "w", 3]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "onnx",
        *(
            pytest.param(each, marks=pytest.mark.exhaustive)
            for each in ("saved_model", "litert", "litert_float16")
        ),
    ],
)
def test_its_exports_take_images_of_one_size(layout, whole, tmp_path, name):
    from awl_vae.detection.export_formats import FORMATS

    path = tmp_path / f"graph{FORMATS[name].suffix}"
    flags = (f"--model_dir={whole[0]}", f"--format={name}", f"--output={path}")
    command = commands.run("export_model.py", *flags, "--input_size=72x96")
    assert "The same verdicts on 24 images." in command.stdout
    detector, run = Detector.load(whole[0]), FORMATS[name].run(path)
    for count in (1, 7, 33):
        images = [part(3100 + i, defect=(None, "white")[i % 2])[0] for i in range(count)]
        scores, _, verdicts = run(np.stack(images)[..., ::-1])
        tolerance = 1e-2 if name == "litert_float16" else 1e-3
        np.testing.assert_allclose(scores, detector.score(images), rtol=tolerance)
        np.testing.assert_array_equal(verdicts, detector.predict(images))


@pytest.mark.exhaustive
def test_an_image_of_24_million_pixels_in_tiles_takes_bounded_memory(whole, tmp_path):
    large = cv2.resize(part(3000)[0], (6000, 4000), interpolation=cv2.INTER_CUBIC)
    large[1000:1400, 2000:2400] = (40, 40, 220)
    cv2.imwrite(str(tmp_path / "large.png"), large)
    script = Path(__file__).parents[3] / "experiments/inspect_images.py"
    command = [
        *(sys.executable, script, f"--model_dir={whole[0]}", "--tiles=30x40"),
        *(f"--images={tmp_path / 'large.png'}", "--num_threads=2"),
    ]
    with open(tmp_path / "lines.csv", "w") as lines:
        process = subprocess.Popen(command, stdout=lines)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1
    assert "anomalous" in (tmp_path / "lines.csv").read_text()
    assert used.ru_maxrss < 3e6  # kilobytes


@pytest.mark.exhaustive
def test_how_large_a_detector_for_224_pixels_is(tmp_path):
    network = extractor("efficientnet_lite0", (224, 224))
    shape = network.output_shape[1:]
    random = np.random.RandomState(0)
    components = random.normal(size=(40, *shape)).astype(np.float32).reshape(40, -1)
    scorer = FeatureScorer(
        network,
        low_rank(shape, components[0], components),
        "nearest_normal",
        standardization=standardization([random.normal(size=(2, *shape))]),
        coarse=True,
        has_plain=True,
        coreset_size=2000,
    )
    for variable in scorer.weights:
        if variable.shape[0] in (2000, shape[0]):  # what is learnt of images
            variable.assign(random.normal(size=variable.shape).astype(np.float16))
    rows = [
        {"image": str(score), "split": "calibration", "label": 0, "score": score}
        for score in (10.0, 11.0, 12.0)
    ]
    detector = Detector(
        scorer,
        resize="stretch",
        threshold=calibrate(rows, "log_normal"),
        pixel_threshold=1.0,
        calibration=rows,
    )
    detector.save(tmp_path / "detector")
    files = (tmp_path / "detector").iterdir()
    assert 30e6 < sum(path.stat().st_size for path in files) < 60e6
    graph = tmp_path / "detector.tflite"
    export(detector, graph, format="litert_float16", input_size=None, dtype="uint8")
    assert 15e6 < graph.stat().st_size < 40e6


def test_a_detector_of_features_has_its_own_score_alone(whole):
    detector = Detector.load(whole[0])
    with pytest.raises(UserError, match="Expected a score among nearest_normal. Received"):
        detector.with_score("mse")
