"""The experiments on features, and on colours, on a small folder of photographs."""

import shutil

import commands
import cv2
import numpy as np
import pytest
from conftest import (
    assert_same_bits,
    assert_same_events,
    events,
    make_folder,
    read_csv,
    read_json,
    tiny,
    tiny_search,
    variables_of,
)

from awl_vae import Detector, train
from awl_vae.evaluation import FeatureScorer
from awl_vae.figures.examples import read_examples
from awl_vae.system import foreign_file
from awl_vae.training.own_files import OURS

FEATURES = ("--input=features", "--image_size=32")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder, and the run directory of a whole AUC-adapted run on its features."""
    root = tmp_path_factory.mktemp("features")
    folder = make_folder(root / "photographs")
    run = root / "run"
    return folder, run, commands.run("run_auc_adapted.py", *tiny(folder, run, *FEATURES))


def test_it_writes_what_a_run_on_pixels_writes(finished):
    _, run, command = finished
    assert "computing features" in command.stderr
    assert "retracing" not in command.stderr
    assert "features, gaussian likelihood, score mahalanobis" in command.stdout
    assert foreign_file(run, OURS) is None
    assert not [*run.glob("*.npy")]
    for method in ("conventional", "auc_adapted"):
        directory = run / method / "seed-1"
        rows = read_csv(directory / "history.csv")
        assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
        assert {"mahalanobis", "log_variance", "kl", "weight_kl", "adapt_auc"} <= {*rows[0]}
        for name in ("reconstructions_normal", "reconstructions_anomalous", "roc", "transitions"):
            assert (directory / f"figures/{name}.png").stat().st_size > 5000
        tags = {tag for tag, _ in events(directory)}
        assert {"input", "residual", "loss/mahalanobis", "weight/kl", "auc/adapt"} <= tags
        examples = read_examples(directory / "examples.npz")["anomalous"]
        assert all(example.x.shape == (32, 32, 3) for example in examples)
        assert all(example.x_hat is None for example in examples)
        assert all(example.residual.shape == (32, 32) for example in examples)
        (entry,) = read_json(run / "summary.json")["methods"][method]["per_seed"]
        assert {*entry["by_score"]} == {"mahalanobis", "nearest_normal"}
        (*_, last) = rows
        assert float(last["kl_per_latent_max"]) > 0
        assert int(last["active_units"]) >= 0
        kept = rows[entry["epoch"] - 1]
        assert entry["is_empty"] == (float(kept["reconstruction_variance"]) < 1e-3)


def test_its_detector_does_what_the_run_did(finished):
    folder, run, _ = finished
    detector = Detector.load(run / "auc_adapted/seed-1")
    assert isinstance(detector.scorer, FeatureScorer)
    rows = [
        row
        for row in read_csv(run / "auc_adapted/seed-1/scores.csv")
        if row["split"] in ("adapt", "test")
    ]
    scores = detector.score([folder / row["image"] for row in rows])
    # Those of the run are of features in float16.
    np.testing.assert_allclose(scores, [float(row["score"]) for row in rows], rtol=5e-3)


def test_the_same_command_does_nothing_again(finished):
    folder, run, _ = finished
    again = commands.run("run_auc_adapted.py", *tiny(folder, run, *FEATURES))
    assert "no image was read again" in again.stdout


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bits(finished, tmp_path):
    folder, whole, _ = finished
    run = tmp_path / "run"
    arguments = tiny(folder, run, *FEATURES)
    command = commands.Command("run_auc_adapted.py", *arguments)
    command.wait_until_said("computing features")
    command.kill()
    command = commands.Command("run_auc_adapted.py", *arguments)
    command.kill_at(run / "auc_adapted/seed-1/history.csv", 3)
    commands.run("run_auc_adapted.py", *arguments)
    for method in ("conventional", "auc_adapted"):
        directory = f"{method}/seed-1"
        for name in ("history.csv", "scores.csv", "all_scores.csv", "result.json"):
            assert (run / directory / name).read_bytes() == (whole / directory / name).read_bytes()
        assert_same_bits(variables_of(run / directory), variables_of(whole / directory))
    assert_same_events(run, whole)


@pytest.mark.exhaustive
def test_the_search_takes_features_and_no_label(finished, tmp_path):
    folder, _, _ = finished
    unlabelled = tmp_path / "unlabelled"
    shutil.copytree(folder / "train", unlabelled / "train")
    run = tmp_path / "run"
    commands.run("run_loss_adapted.py", *tiny_search(unlabelled, run, *FEATURES))
    rows = read_csv(run / "loss_adapted/seed-1/branches.csv")
    assert len({row["branch"] for row in rows if row["stage"] == "2"}) == 7
    assert (run / "loss_adapted/seed-1/figures/losses_stage_3.png").exists()
    assert (run / "loss_adapted/seed-1/figures/reconstructions_synthetic.png").exists()
    assert Detector.load(run / "loss_adapted/seed-1").threshold.method == "quantile"


@pytest.mark.exhaustive
def test_synthetic_defects_steer_on_features(finished, tmp_path):
    folder, _, _ = finished
    run = tmp_path / "run"
    more = ("--adapt_signal=synthetic", "--rule=climb", "--score=nearest_normal")
    commands.run("run_auc_adapted.py", *tiny(folder, run, *FEATURES, *more))
    rows = read_csv(run / "auc_adapted/seed-1/history.csv")
    assert all(0 <= float(row["adapt_auc_synthetic"]) <= 1 for row in rows)


def test_the_baselines_of_features_have_scores_of_their_own(finished, tmp_path):
    folder, _, _ = finished
    run = tmp_path / "run"
    flags = ["--dataset=folder", f"--data_dir={folder}", *FEATURES, "--latent_dim=9"]
    command = commands.run("run_baselines.py", *flags, f"--run_dir={run}")
    assert "each method by its own score" in command.stdout
    assert "Note: --latent_dim has no effect with the experiment baselines." in command.stdout
    methods = read_json(run / "summary.json")["methods"]
    expected = {
        "low_rank": "nearest_normal",
        "padim": "mahalanobis",
        "patchcore": "nearest_normal",
    }
    assert [*methods] == [*expected]
    for method, score in expected.items():
        (entry,) = methods[method]["per_seed"]
        assert [*entry["by_score"]] == [score]
        assert 0 <= entry["test_auc"] <= 1
        assert Detector.load(run / method / "seed-1").scorer.score == score


@pytest.mark.slow
def test_a_colour_that_no_gray_level_tells_is_found_with_colours_alone(tmp_path):
    """Defects have another hue of the same gray level."""
    folder, random = tmp_path / "photographs", np.random.RandomState(0)
    weights = np.array([0.114, 0.587, 0.299])  # of blue, green and red in a gray level
    for name, count, defect in (
        *(("train/good", 40, False), ("test/good", 20, False)),
        ("test/hue", 20, True),
    ):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            image = np.full((16, 16, 3), 120.0)
            if defect:
                hue = np.array([60.0, 0.0, 0.0])
                image[4:12, 4:12] += hue - hue @ weights
            image += random.normal(0, 3, (16, 16, 1))
            cv2.imwrite(str(folder / name / f"{index}.png"), np.rint(image))
    settings = {"experiment": "baselines", "image_size": 16, "latent_dim": 2}
    aucs = {}
    for channels in ("gray", "rgb"):
        run = tmp_path / channels
        detector = train(folder, run_dir=run, channels=channels, **settings)
        aucs[channels] = read_json(run / "pca/seed-1/result.json")["test_auc"]
        assert detector.scorer.channels == channels
    assert aucs["rgb"] == 1.0
    assert aucs["gray"] < 0.8


@pytest.mark.slow
def test_the_vae_takes_colours_and_a_region(tmp_path):
    folder = make_folder(tmp_path / "photographs")
    mask = np.zeros((20, 24), np.uint8)
    mask[:, 4:20] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    for path in folder.glob("t*/*/*.png"):
        gray = cv2.imread(str(path), 0)[:20]
        cv2.imwrite(str(path), np.dstack([gray, gray // 2, 255 - gray]))
    run = tmp_path / "run"
    more = ("--channels=rgb", "--likelihood=gaussian", "--score=standardized", "--resize=stretch")
    image = folder / "test/good/000.png"
    mask_of_all = f"--roi_mask={tmp_path / 'mask.png'}"
    commands.run("run_auc_adapted.py", *tiny(folder, run, *more, mask_of_all))
    detector = Detector.load(run / "auc_adapted/seed-1")
    assert detector.preprocess(image).shape == (16, 16, 4)
    painted = cv2.imread(str(image))
    painted[:, :4] = (0, 255, 0)  # outside
    scores = detector.score([image, painted])
    assert scores[0] == scores[1]
    painted[:, 8:12] = (0, 255, 0)
    assert detector.score([painted])[0] > scores[0]
    examples = read_examples(run / "auc_adapted/seed-1/examples.npz")["anomalous"]
    assert examples[0].x.shape == examples[0].x_hat.shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--score=mse"], "Expected one of mahalanobis, nearest_normal as --score with"),
        (["--likelihood=bernoulli"], "Expected --likelihood=gaussian with --input=features"),
        (["--channels=gray"], "Expected --channels=rgb with --input=features"),
        (["--roi_mask=mask.png"], "Expected no --roi_mask with --input=features"),
        (["--backbone=resnet"], "Expected one of efficientnet_lite0"),
    ],
)
def test_what_does_not_go_with_features_is_one_line(image_folder, tmp_path, flags, expected):
    run = tmp_path / "run"
    arguments = tiny(image_folder, run, *FEATURES, *flags)
    command = commands.run("run_auc_adapted.py", *arguments, expected=1)
    assert command.stderr.startswith(f"error: {expected}")
    assert not run.exists()


def test_a_score_of_features_has_no_sense_on_pixels(image_folder, tmp_path):
    arguments = tiny(image_folder, tmp_path / "run", "--score=nearest_normal")
    command = commands.run("run_auc_adapted.py", *arguments, expected=1)
    assert "as --score with --input=pixels. Received: --score=nearest_normal" in command.stderr
