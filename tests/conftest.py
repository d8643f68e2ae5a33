from awl_vae.system import quiet_tensorflow  # noqa: F401 (before Keras imports it)

# isort: split
import csv
import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

import awl_vae.models.vae  # noqa: F401 (so that Keras can load one)
from awl_vae.detection import Detector, calibrate
from awl_vae.evaluation import Scorer
from awl_vae.training.runtime import set_up


def pytest_configure():
    set_up(num_threads=2)


@pytest.fixture(scope="session", autouse=True)
def token(tmp_path_factory):
    """Ray's: a process has one for all its clusters, and none goes into the home directory."""
    path = tmp_path_factory.mktemp("ray") / "token"
    path.write_text("0123456789abcdef" * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
        yield


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def read_json(path):
    return json.loads(Path(path).read_text())


def events(directory):
    """(tag, step) of every event in the files of a directory, as the files have them."""
    return [
        (value.tag, event.step)
        for path in sorted(directory.glob("*tfevents*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    ]


def assert_same_run(run, whole, methods):
    """Checks that two runs with seed 1 have the same files, but for those of time and place."""
    assert_same_events(run, whole)
    for name in ("summary.json", "summary.md", "config.json"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()
    for method in methods:
        own = ("branches.csv",) if method == "loss_adapted" else ()
        for name in ("history.csv", "scores.csv", "result.json", *own):
            file = f"{method}/seed-1/{name}"
            assert (run / file).read_bytes() == (whole / file).read_bytes(), file
        assert_same_bits(*(variables_of(root / method / "seed-1") for root in (run, whole)))
    assert {path.name for path in run.rglob("*.npz")} == {"examples.npz"}


def assert_same_events(run, whole):
    """The same tags and steps in each directory, and each of them once."""
    for directory in {path.parent for path in whole.rglob("*tfevents*")}:
        found = events(run / directory.relative_to(whole))
        assert sorted(found) == sorted(events(directory))
        assert len(found) == len({*found})


def black_detector(size=(16, 16), *, threshold=0.25, score="mse", resize="stretch"):
    """A detector that reconstructs black: the score is the mean squared image."""
    inputs = keras.Input((*size, 1))
    black = keras.Model(inputs, keras.layers.Rescaling(0.0)(inputs))
    calibration = [
        {"image": str(i), "split": "calibration", "label": "0", "score": "0.1"} for i in range(3)
    ]
    return Detector(
        Scorer(black, score, size),
        resize=resize,
        threshold=calibrate(calibration, "manual", threshold),
        pixel_threshold=0.5,
        calibration=calibration,
    )


def stripes(seed, *, size=(24, 20), defect=False, dtype=np.uint8):
    """A small gray image of stripes, with a bright spot where it is defective."""
    rng = np.random.RandomState(seed)
    image = np.tile(100 + 60 * np.sin(np.arange(size[1])), (size[0], 1)) + rng.normal(0, 5, size)
    if defect:
        y, x = rng.randint(2, 12, size=2)
        image[y : y + 6, x : x + 6] = 250
    scale = np.iinfo(dtype).max / 255
    return np.rint(np.clip(image, 0, 255) * scale).astype(dtype)


def make_folder(root):
    """A small folder of photographs in the layout of MVTec AD, with a mask for one defect."""
    for folder, count, defect in (
        ("train/good", 30, False),
        ("test/good", 6, False),
        ("test/spot", 5, True),
        ("test/blob", 3, True),
    ):
        (root / folder).mkdir(parents=True)
        for index in range(count):
            image = stripes([count, index], size=(20 + index % 3, 24), defect=defect)
            cv2.imwrite(str(root / folder / f"{index:03d}.png"), image)
    (root / "ground_truth/spot").mkdir(parents=True)
    mask = np.zeros((20, 24), np.uint8)
    mask[4:10, 4:10] = 255
    cv2.imwrite(str(root / "ground_truth/spot/000_mask.png"), mask)
    return root


@pytest.fixture
def image_folder(tmp_path):
    return make_folder(tmp_path / "photographs")


def tiny(folder, run_dir, *more):
    """Flags of an AUC-adapted run on a folder that takes seconds."""
    return [*_tiny(folder, run_dir), "--epochs=4", "--f_update=1", *more]


def tiny_search(folder, run_dir, *more):
    """Flags of a loss-adapted run on a folder that takes seconds."""
    return [*_tiny(folder, run_dir), "--e1=1", "--e2=3", "--e3=5", *more]


def _tiny(folder, run_dir):
    return [
        "--dataset=folder",
        f"--data_dir={folder}",
        f"--run_dir={run_dir}",
        "--image_size=16",
        "--latent_dim=4",
        "--batch_size=8",
    ]


def variables_of(directory):
    """The variables of a run's saved model."""
    model = keras.saving.load_model(directory / "model.keras")
    return [variable.numpy() for variable in model.variables]


def assert_same_bits(arrays, expected):
    for array, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, other)
