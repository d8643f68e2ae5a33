"""A region of interest from the folder to the report."""

import commands
import cv2
import numpy as np
import pytest
from conftest import black_detector, read_csv, read_json, stripes, tiny

from awl_vae import Detector, train
from awl_vae.data import DataError
from awl_vae.detection.export import export
from awl_vae.detection.overlay import ROI_COLOR, draw
from awl_vae.training.config import ConfigError
from awl_vae.training.run_directory import RunDirectoryError

SMALL = {"image_size": 16, "latent_dim": 4, "batch_size": 8, "num_threads": 2, "epochs": 2}
SHAPE = (20, 24)


def write_mask(path, rows=slice(3, 18), columns=slice(5, 20)):
    marked = np.zeros(SHAPE, np.uint8)
    marked[rows, columns] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), marked)
    return marked > 0


@pytest.fixture
def folder(tmp_path):
    for name, count in (("train/good", 30), ("test/good", 4), ("test/spot", 4)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for index in range(count):
            image = stripes([count, index], size=SHAPE, defect="spot" in name)
            cv2.imwrite(str(tmp_path / f"images/{name}/{name[-4:]}{count}_{index}.png"), image)
    (tmp_path / "images/ground_truth/spot").mkdir(parents=True)
    for index in range(4):
        mask = np.pad(np.full((8, 8), 255, np.uint8), ((4, 8), (8, 8)))
        cv2.imwrite(str(tmp_path / f"images/ground_truth/spot/spot4_{index}.png"), mask)
    return tmp_path / "images"


def repaint(folder, marked):
    """The folder with other pixels where nothing is marked."""
    random = np.random.RandomState(0)
    for path in sorted(folder.glob("t*/*/*.png")):
        image = cv2.imread(str(path), 0)
        cv2.imwrite(str(path), np.where(marked, image, np.uint8(random.randint(0, 256, SHAPE))))


@pytest.mark.exhaustive
def test_what_is_outside_changes_no_bit_of_a_run(folder, tmp_path):
    marked = write_mask(tmp_path / "roi.png")
    settings = SMALL | {"roi_mask": tmp_path / "roi.png", "likelihood": "gaussian"}
    one = train(folder, run_dir=tmp_path / "one", methods="auc_adapted", **settings)
    # synthetic copies are made of whole images: a patch from elsewhere, a blur over the border
    repaint(folder, marked)
    other = train(folder, run_dir=tmp_path / "other", methods="auc_adapted", **settings)
    runs = [tmp_path / name / "auc_adapted/seed-1" for name in ("one", "other")]
    histories = [read_csv(run / "history.csv") for run in runs]
    for row, other_row in zip(*histories, strict=True):
        for name in set(row) - {"synthetic_auc"}:
            assert row[name] == other_row[name]
    assert (runs[0] / "scores.csv").read_bytes() == (runs[1] / "scores.csv").read_bytes()
    results = [read_json(run / "result.json") for run in runs]
    assert results[0]["pixel_auc"] == results[1]["pixel_auc"] is not None
    assert one.threshold == other.threshold

    image = stripes(7, size=SHAPE, defect=True)
    np.testing.assert_array_equal(one.score([image]), other.score([np.where(marked, image, 9)]))
    assert one.score([image]) != one.score([np.where(marked, image // 2, image)])
    # The detector has it, its folder too, and what is exported.
    loaded = Detector.load(runs[0])
    assert 0 < loaded.roi.mean() < 0.5
    np.testing.assert_array_equal(loaded.roi, one.roi)
    assert not one.anomaly_map([image])[0][~loaded.roi].any()
    assert export(one, tmp_path / "a.onnx", format="onnx", input_size=SHAPE, dtype="uint8") < 1e-4


@pytest.mark.exhaustive
def test_baselines_have_it(folder, tmp_path):
    marked = write_mask(tmp_path / "roi.png")
    settings = {name: SMALL[name] for name in SMALL if name != "epochs"}
    settings |= {"experiment": "baselines", "roi_mask": tmp_path / "roi.png"}
    one = train(folder, run_dir=tmp_path / "one", **settings)
    repaint(folder, marked)
    other = train(folder, run_dir=tmp_path / "other", **settings)
    images = [stripes(i, size=SHAPE, defect=True) for i in range(3)]
    np.testing.assert_array_equal(one.score(images), other.score(images))
    assert 0 < one.roi.mean() < 0.5


@pytest.mark.exhaustive
def test_another_content_of_the_mask_does_not_go_on(folder, tmp_path):
    write_mask(tmp_path / "roi.png")
    settings = SMALL | {"roi_mask": tmp_path / "roi.png", "run_dir": tmp_path / "run"}
    train(folder, methods="conventional", **settings)
    write_mask(tmp_path / "roi.png", rows=slice(5, 15))
    with pytest.raises(DataError, match="files of the same names with another content"):
        train(folder, methods="conventional", seeds=(1, 2), **settings)
    with pytest.raises(RunDirectoryError, match="roi_mask=None"):
        train(folder, methods="conventional", **(settings | {"roi_mask": None}))


def test_it_takes_images_of_ones_own(tmp_path):
    with pytest.raises(ConfigError, match="Expected data_dir with roi_mask. Received: roi_mask="):
        train(run_dir=tmp_path / "run", dataset="bellows", roi_mask=tmp_path / "roi.png")


@pytest.mark.exhaustive
def test_a_mask_for_each_image_by_the_commands(folder, tmp_path):
    for index, path in enumerate(sorted(folder.glob("t*/*/*.png"))):
        if not path.name.startswith("good30_1"):  # those have none
            left = index % 4
            write_mask(tmp_path / "roi" / path.name, columns=slice(4 + left, 19 + left))
    flags = [*tiny(folder, tmp_path / "run"), "--methods=conventional", "--epochs=2"]
    trained = commands.run("run_auc_adapted.py", *flags, f"--roi_mask={tmp_path / 'roi'}")
    assert "Regions of interest of 27 of 38 images. First without: " in trained.stdout
    detector_dir = tmp_path / "run/conventional/seed-1"
    inspect = [
        f"--model_dir={detector_dir}",
        f"--images={folder / 'test/spot'}",
        f"--output_dir={tmp_path / 'out'}",
    ]
    masks = f"--roi_mask={tmp_path / 'roi'}"
    commands.run("inspect_images.py", *inspect, masks, expected=1)
    rows = read_csv(tmp_path / "out/inspection.csv")
    detector = Detector.load(detector_dir)
    assert detector.roi.all()  # of some training images all counts
    paths = [row["path"] for row in rows]
    by_mask = [tmp_path / "roi" / path.rpartition("/")[2] for path in paths]
    scores = detector.score(paths, roi_mask=by_mask)
    np.testing.assert_allclose([float(row["score"]) for row in rows], scores, rtol=1e-5)
    assert np.all(scores != detector.score(paths))
    finding = detector.inspect(paths[0], roi_mask=cv2.imread(str(by_mask[0]), 0))
    assert finding.score == pytest.approx(scores[0], rel=1e-5)
    assert f"by the masks in {tmp_path / 'roi'}" in (tmp_path / "out/report.html").read_text()
    # Findings with other regions are no part of that inspection.
    again = commands.run("inspect_images.py", *inspect, expected=2)
    assert "of another roi_mask" in again.stderr
    for more, expected in (
        (["--watch", masks], "Expected a directory as --roi_mask without --watch"),
        ([f"--roi_mask={folder / 'test/spot'}"], "and outside of --images"),
        ([f"--roi_mask={tmp_path / 'none'}"], "Expected an image or a directory as --roi_mask"),
    ):
        refused = commands.run("inspect_images.py", *inspect, *more, expected=2)
        assert expected in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.exhaustive
def test_the_overlay_has_its_border_and_no_heat_outside(folder, tmp_path):
    write_mask(tmp_path / "roi.png")
    detector = train(
        folder,
        run_dir=tmp_path / "run",
        methods="conventional",
        roi_mask=tmp_path / "roi.png",
        **SMALL,
    )
    detector.pixel_threshold = 1e-6
    image = stripes(1, size=(200, 240), defect=True)
    finding = detector.inspect(image)
    overlay = draw(detector, finding.overlay_source, ())
    left, right = overlay[:, :240], overlay[:, 240:]
    border = (right == ROI_COLOR).all(-1)
    rows, columns = np.flatnonzero(border.any(1)), np.flatnonzero(border.any(0))
    # Rows 3 to 17 of 20 and columns 5 to 19 of 24, ten times as large, to whole pixels of 16.
    assert 30 <= rows[0] < rows[-1] < 180
    assert 50 <= columns[0] < columns[-1] < 200
    outside = np.ones(border.shape, bool)
    outside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = False
    np.testing.assert_array_equal(right[outside], left[outside])
    assert (right[100, 120] != left[100, 120]).any()
    for region in finding.regions:
        assert 30 <= region.y < region.y + region.height <= 180
        assert 50 <= region.x < region.x + region.width <= 200
    assert finding.regions


def test_masks_that_a_detector_cannot_use(folder, tmp_path):
    mask = np.ones(SHAPE, np.uint8)
    image = stripes(0, size=SHAPE)
    detector = black_detector()
    with pytest.raises(ValueError, match="trained with roi_mask"):
        detector.score([image], roi_mask=[mask])
    with pytest.raises(ValueError, match="trained with roi_mask"):
        detector.inspect(image, roi_mask=mask)
    detector.scorer = type(detector.scorer)(detector.scorer.model, "mse", (16, 16), has_roi=True)
    for masks, expected in (
        ([mask, mask], "Expected a mask for each image. Received: 2, 1"),
        ([mask.T], "height x width is 20x24. Received: 24x20, a mask"),
        (
            [0 * mask],
            r"a pixel inside at the size 16x16 \(height x width\). Received: none, a mask",
        ),
    ):
        with pytest.raises(ValueError, match=expected):
            detector.score([image], roi_mask=masks)
    np.testing.assert_array_equal(
        detector.score([image], roi_mask=[mask]), detector.score([image], roi_mask=[None])
    )
