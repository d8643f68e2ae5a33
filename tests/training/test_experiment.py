"""The command as a user gives it, on a small folder of photographs."""

import importlib.metadata
import io
import math
import os
import shutil

import commands
import cv2
import keras
import numpy as np
import PIL
import pytest
import tensorflow as tf
from conftest import (
    assert_same_bits,
    assert_same_events,
    make_folder,
    read_csv,
    read_json,
    tiny,
    variables_of,
)
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import plugin_data_pb2

from awl_vae.callbacks import should_switch
from awl_vae.callbacks.latents import COLUMNS as LATENTS
from awl_vae.data import load_dataset
from awl_vae.evaluation import auroc, rates, youden_threshold
from awl_vae.figures.examples import read_examples
from awl_vae.losses import PATTERNS
from awl_vae.system import foreign_file
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.own_files import OURS

SCRIPT = "run_auc_adapted.py"
METHODS = ("conventional", "auc_adapted")
TAGS = {"loss/bce", "loss/kl", "loss/weighted", "weight/bce", "weight/kl", "pattern"}
TAGS |= {"auc/adapt", "auc/synthetic"}
TAGS |= {f"latents/{name}" for name in LATENTS}
IMAGE_TAGS = {"input", "reconstruction", "squared_error"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder, the run directory of a whole run on it, and the command that made it."""
    root = tmp_path_factory.mktemp("whole")
    folder = make_folder(root / "photographs")
    run = root / "run"
    return folder, run, commands.run(SCRIPT, *tiny(folder, run, "--seeds=1,10"))


def run_dirs(run):
    return [run / method / f"seed-{seed}" for method in METHODS for seed in (1, 10)]


def history(directory):
    return read_csv(directory / "history.csv")


def test_files(finished):
    _, run, _ = finished
    assert {path.name for path in run.iterdir()} == {
        ".lock",
        "auc_adapted",
        "baseline.json",
        "config.json",
        "conventional",
        "dataset.json",
        "environment.json",
        "summary.json",
        "summary.md",
        "synthetic_defects.png",
    }
    assert foreign_file(run, OURS) is None
    for directory in run_dirs(run):
        names = {path.name for path in directory.iterdir()}
        events = {name for name in names if name.startswith("events.out.tfevents")}
        assert len(events) == 1
        assert names - events == {
            "all_scores.csv",
            "detector",
            "examples.npz",
            "figures",
            "history.csv",
            "model.keras",
            "result.json",
            "scores.csv",
        }
        for figure in (
            "transitions",
            "reconstructions_normal",
            "reconstructions_anomalous",
            "histogram_adapt",
            "histogram_synthetic",
            "histogram_test",
            "roc",
        ):
            image = cv2.imread(str(directory / "figures" / f"{figure}.png"))
            assert image.std() > 10
            if figure.startswith("reconstructions"):  # of images of 20 to 22 by 24 pixels
                num_rows = 3 if figure.endswith("normal") else 4
                assert image.shape[0] < 110 * (0.6 + num_rows * (2.2 * 22.5 / 24 + 0.3))


def test_configuration_and_environment(finished):
    folder, run, _ = finished
    config = read_json(run / "config.json")
    assert config["image_size"] == [16, 16]
    assert config["seeds"] == [1, 10]
    assert config["data_dir"] == str(folder)
    assert config["num_threads"] == len(os.sched_getaffinity(0))
    environment = read_json(run / "environment.json")
    assert environment["packages"]["keras"] == keras.__version__
    assert environment["packages"]["pillow"] == PIL.__version__
    assert environment["packages"]["simplejpeg"] == importlib.metadata.version("simplejpeg")
    assert any("CPU" in device for device in environment["devices"])


def test_history_alone_tells_every_switch(finished):
    _, run, command = finished
    for directory in run_dirs(run):
        rows = history(directory)
        best = max(float(row["adapt_auc"]) for row in rows)
        tied = [row["epoch"] for row in rows if float(row["adapt_auc"]) == best]
        note = f"{directory.parent.name} {directory.name.replace('-', ' ')} has its best adapt_auc"
        assert (
            f"{note}, {best:.4g}, after {len(tied)} epochs and keeps that of epoch {tied[0]}, the"
            in command.stderr
        ) == (len(tied) > 1)
        assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
        assert list(rows[0]) == (
            [
                *("epoch", "loss", "bce", "kl", "weight_bce", "weight_kl", "pattern"),
                *("adapt_auc", "adapt_auc_synthetic"),
                *LATENTS,
            ]
        )
        for row in rows:
            assert 0 <= float(row["kl_per_latent_median"]) <= float(row["kl_per_latent_max"])
            assert 0 <= int(row["active_units"]) <= 8
            assert float(row["explained_variance"]) <= 1
        aucs = [float(row["adapt_auc"]) for row in rows]
        f_update = 1 if directory.parent.name == "auc_adapted" else len(rows)
        pattern, weights = 0, [("1.0", "1.0"), ("1.0", "1e-10"), ("1e-10", "1.0")]
        for epoch, row in enumerate(rows, 1):
            assert row["pattern"] == str(pattern + 1)
            assert (row["weight_bce"], row["weight_kl"]) == weights[pattern]
            loss = sum(float(row[f"weight_{term}"]) * float(row[term]) for term in ("bce", "kl"))
            assert float(row["loss"]) == pytest.approx(loss, rel=1e-5)
            if should_switch(aucs[:epoch], f_update):
                pattern = (pattern + 1) % 3


def test_both_methods_are_one_until_the_first_switch(finished):
    _, run, _ = finished
    for seed in (1, 10):
        conventional, adapted = (history(run / method / f"seed-{seed}") for method in METHODS)
        same = [row["pattern"] == "1" for row in adapted]
        until = same.index(False) if False in same else len(same)
        assert until >= 2
        assert conventional[:until] == adapted[:until]
    seeds = [history(run / "conventional" / f"seed-{seed}")[0] for seed in (1, 10)]
    assert seeds[0]["bce"] != seeds[1]["bce"]


def test_numbers_are_in_shortest_round_trip_form(finished):
    _, run, _ = finished
    for row in history(run / "conventional/seed-1"):
        for name in ("loss", "bce", "kl", "weight_bce", "weight_kl"):
            assert row[name] == str(np.float32(row[name]))
        for name in ("adapt_auc", "adapt_auc_synthetic"):
            assert row[name] == repr(float(row[name]))


def test_all_scores_are_those_of_the_run_and_of_the_others(finished):
    for directory in run_dirs(finished[1]):
        entry = read_json(directory / "result.json")
        scores = {
            (row["split"], row["image"]): float(row["score"])
            for row in read_csv(directory / "scores.csv")
        }
        rows = read_csv(directory / "all_scores.csv")
        assert {row["split"] for row in rows} == {"calibration", "adapt", "test", "synthetic"}
        for row in rows:
            if row["split"] != "synthetic":
                expected = scores[row["split"], row["image"]]
                assert float(row["mse"]) == pytest.approx(expected, rel=1e-5)
        for name, aucs in entry["by_score"].items():
            labels, values = zip(
                *((int(row["label"]), float(row[name])) for row in rows if row["split"] == "test"),
                strict=True,
            )
            assert aucs["test_auc"] == pytest.approx(auroc(np.array(labels), np.array(values)))


def test_examples_are_what_the_figures_show(finished):
    for directory in run_dirs(finished[1]):
        scores = {row["image"]: float(row["score"]) for row in read_csv(directory / "scores.csv")}
        examples = read_examples(directory / "examples.npz")
        assert list(examples) == ["normal", "anomalous"]
        for example in examples["normal"] + examples["anomalous"]:
            assert example.score == scores[example.name]
            mse = np.mean(np.square(example.x - example.x_hat))
            assert mse == pytest.approx(example.score, rel=1e-4)


def test_summary_is_what_scores_and_history_say(finished):
    _, run, _ = finished
    summary = read_json(run / "summary.json")
    head = {name: summary[name] for name in ("experiment", "dataset", "profile", "protocol")}
    assert head == {
        "experiment": "auc_adapted",
        "dataset": "folder",
        "profile": "quick",
        "protocol": "heldout",
    }
    assert list(summary["methods"]) == list(METHODS)
    for method, outcome in summary["methods"].items():
        for entry in outcome["per_seed"]:
            directory = run / method / f"seed-{entry['seed']}"
            scores = read_csv(directory / "scores.csv")
            assert {row["split"] for row in scores} == {"calibration", "adapt", "test"}
            labels, values = (
                {
                    split: np.array([float(row[key]) for row in scores if row["split"] == split])
                    for split in ("adapt", "test")
                }
                for key in ("label", "score")
            )
            rows = history(directory)
            aucs = [float(row["adapt_auc"]) for row in rows]
            assert entry["epoch"] == int(np.argmax(aucs)) + 1
            kept = rows[entry["epoch"] - 1]
            assert entry["is_empty"] == (float(kept["reconstruction_variance"]) < 1e-3)
            assert entry["auc"] == max(aucs) == auroc(labels["adapt"], values["adapt"])
            assert entry["test_auc"] == auroc(labels["test"], values["test"])
            threshold = youden_threshold(labels["adapt"], values["adapt"])
            assert entry["threshold"] == threshold
            assert rates(labels["adapt"], values["adapt"], threshold) == (
                entry["sensitivity"],
                entry["specificity"],
            )
            assert rates(labels["test"], values["test"], threshold) == (
                entry["test_sensitivity"],
                entry["test_specificity"],
            )
        aucs = [entry["auc"] for entry in outcome["per_seed"]]
        assert outcome["mean"]["auc"] == pytest.approx(np.mean(aucs))
        assert outcome["std"]["auc"] == pytest.approx(np.std(aucs, ddof=1))


def test_no_image_is_in_two_splits(finished):
    folder, run, _ = finished
    images = read_json(run / "dataset.json")["images"]
    names = [image["image"] for image in images]
    assert len(set(names)) == len(names) == 44
    assert all((folder / name).exists() for name in names)
    assert {image["split"] for image in images} == {"train", "calibration", "adapt", "test"}
    assert all(image["label"] == (0 if "/good/" in image["image"] else 1) for image in images)


def test_saved_model_gives_the_scores(finished):
    folder, run, _ = finished
    dataset = load_dataset(
        "folder", (16, 16), num_train=None, protocol="heldout", resize="stretch", data_dir=folder
    )
    model = keras.saving.load_model(run / "auc_adapted/seed-1/model.keras", safe_mode=True)
    x = np.stack([item.load() for item in dataset.test])[..., None].astype(np.float32) / 255
    mse = np.mean((x - model(x)) ** 2, axis=(1, 2, 3))
    written = {
        row["image"]: float(row["score"]) for row in read_csv(run / "auc_adapted/seed-1/scores.csv")
    }
    # Another batch size may group the sums of a convolution otherwise: float32's last bits.
    np.testing.assert_allclose(mse, [written[item.name] for item in dataset.test], rtol=1e-5)


def test_tensorboard_events(finished):
    _, run, _ = finished
    (path,) = (run / "auc_adapted/seed-1").glob("events.*")
    scalars, images, histograms, parameters = {}, set(), set(), None
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            plugin = value.metadata.plugin_data
            if plugin.plugin_name == "hparams":
                data = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
                parameters = dict(data.session_start_info.hparams)
            elif plugin.plugin_name == "histograms":
                histograms.add((value.tag, event.step))
            elif value.tag in TAGS:
                number = float(tf.make_ndarray(value.tensor).ravel()[0])
                scalars.setdefault(value.tag, {})[event.step] = number
            else:
                images.add(value.tag)
    assert set(scalars) == TAGS
    assert images == IMAGE_TAGS
    assert histograms == {("latents/kl", epoch) for epoch in range(1, 5)}
    rows = history(run / "auc_adapted/seed-1")
    for tag, column in (
        *(("auc/adapt", "adapt_auc"), ("loss/bce", "bce"), ("pattern", "pattern")),
        ("latents/active_units", "active_units"),
    ):
        expected = {int(row["epoch"]): pytest.approx(float(row[column]), rel=1e-6) for row in rows}
        assert scalars[tag] == expected
    assert parameters["f_update"].number_value == 1
    assert parameters["seed"].number_value == 1


def test_the_time_left_is_that_of_what_is_done_after_the_first_unit(monkeypatch):
    times = iter(
        [0.0, 60.0, 60.0, 62.0, 62.0]
    )  # It begins; the first unit is slow, the second not.
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    stream = io.StringIO()
    bar = ProgressBar(10, stream)
    bar.interval = 0.0
    bar.advance(1, "training")
    bar.advance(1, "training")
    before, after = stream.getvalue().splitlines()
    assert "left" not in before
    assert "0:16 left  training" in after


def test_what_goes_on_is_drawn_at_once_and_alone_where_nothing_is_counted():
    streams = [io.StringIO(), io.StringIO()]
    for total, stream in zip((10, 0), streams, strict=True):
        ProgressBar(total, stream).show("evaluation")
    counted, alone = (stream.getvalue() for stream in streams)
    assert counted.endswith(" 0 %  evaluation\n")
    assert alone == "evaluation\n"


def test_what_is_printed(finished):
    folder, run, command = finished
    assert (run / "summary.md").read_text() in command.stdout
    assert "No GPU found" in command.stdout
    counts = "train 15 normal, calibration 15 normal, adapt 3 normal + 4 anomalous"
    images = f"Images of folder, {folder}: {counts}, test 3 normal + 4 anomalous."
    assert images in command.stdout
    assert " left " in command.stderr
    assert " 100 %  0:00 left  auc_adapted seed 10, evaluation\n" in command.stderr
    assert "Adapt images (3 normal + 4 anomalous)" in command.stdout
    assert "Traceback" not in command.stderr


def test_given_again_it_prints_the_summary_and_changes_nothing(finished):
    folder, run, _ = finished
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    command = commands.run(SCRIPT, *tiny(folder, run, "--seeds=1,10"))
    assert (run / "summary.md").read_text() in command.stdout
    assert "Finished: 4 runs;" in command.stdout
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert after == before


def assert_same_run(run, whole):
    assert_same_events(run, whole)
    for name in ("summary.json", "summary.md", "dataset.json", "config.json", "baseline.json"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
    for directory, twin in zip(run_dirs(run), run_dirs(whole), strict=True):
        for name in ("history.csv", "scores.csv", "result.json"):
            assert (directory / name).read_bytes() == (twin / name).read_bytes(), (directory, name)
        assert not list(directory.glob(".*")), "a temporary file is left"
        assert_same_bits(variables_of(directory), variables_of(twin))


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bits(finished, tmp_path):
    folder, whole, _ = finished
    run = tmp_path / "run"
    # The first command asks for one seed, the later ones for both.
    for seeds, file, num_lines in (
        ("1", "conventional/seed-1/history.csv", 3),
        ("1,10", "auc_adapted/seed-1/history.csv", 2),
        ("1,10", "conventional/seed-10/scores.csv", 1),
    ):
        command = commands.Command(SCRIPT, *tiny(folder, run, f"--seeds={seeds}"))
        path = run / file
        command.kill_at(path, num_lines)
    command = commands.run(SCRIPT, *tiny(folder, run, "--seeds=1,10"))
    assert "Going on in" in command.stdout
    assert "conventional seed 10 is trained to its end; its evaluation is left." in command.stderr
    assert_same_run(run, whole)


@pytest.mark.exhaustive
def test_killed_before_many_a_write(finished, tmp_path):
    folder, whole, _ = finished
    run = tmp_path / "run"
    kills = commands.killed_before_each_write(SCRIPT, *tiny(folder, run, "--seeds=1,10"))
    assert kills > 5
    assert_same_run(run, whole)


@pytest.mark.exhaustive
def test_paper_protocol_and_three_terms_on_real_images_in_place_of_bellows(image_folder, tmp_path):
    run = tmp_path / "run"
    more = ("--dataset=bellows", "--protocol=paper", "--likelihood=gaussian", "--epochs=1")
    commands.run(SCRIPT, *tiny(image_folder, run, *more))
    names = {image["image"] for image in read_json(run / "dataset.json")["images"]}
    assert "train/good/000.png" in names
    summary = read_json(run / "summary.json")
    (entry,) = summary["methods"]["auc_adapted"]["per_seed"]
    of_test = {key: entry[key] for key in entry if key.startswith("test_")}
    assert {"test_auc", "test_sensitivity", "test_specificity", "test_pixel_auc"} < set(of_test)
    assert set(of_test.values()) == {None}
    assert summary["methods"]["auc_adapted"]["std"]["auc"] is None
    rows = read_csv(run / "auc_adapted/seed-1/scores.csv")
    assert sum(row["split"] == "adapt" for row in rows) == 14
    assert "Test images" not in (run / "summary.md").read_text()
    (row,) = history(run / "conventional/seed-1")
    assert {"mahalanobis", "log_variance", "kl", "weight_log_variance"} < set(row)
    assert math.isfinite(float(row["loss"]))


@pytest.mark.exhaustive
def test_seven_patterns_and_repeated_images_of_comb(tmp_path):
    run = tmp_path / "run"
    flags = ["--epochs=5", "--f_update=1", "--latent_dim=4", "--num_train=6", "--batch_size=16"]
    commands.run(SCRIPT, "--dataset=comb", "--image_size=16", f"--run_dir={run}", *flags)
    config = read_json(run / "config.json")
    assert (config["likelihood"], config["score"], config["repeats"]) == ("gaussian", "mse", 8)
    rows = history(run / "auc_adapted/seed-1")
    aucs = [float(row["adapt_auc"]) for row in rows]
    pattern = 0
    for epoch, row in enumerate(rows, 1):
        assert row["pattern"] == str(pattern + 1)
        weights = PATTERNS["gaussian"][pattern]
        assert {term: float(row[f"weight_{term}"]) for term in weights} == dict(weights)
        pattern = (pattern + should_switch(aucs[:epoch], 1)) % 7


def test_a_loss_that_explodes_stops_its_run_and_no_other(image_folder, tmp_path):
    # A step of 10³⁶ overflows the weights: NaN in the second epoch at the latest.
    run = tmp_path / "run"
    command = commands.run(SCRIPT, *tiny(image_folder, run, "--learning_rate=1e36"), expected=1)
    assert "Traceback" not in command.stderr
    lines = [line for line in command.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 2
    assert "conventional seed 1 stopped" in lines[0]
    failed = read_json(run / "conventional/seed-1/result.json")["failed"]
    assert f"in epoch {failed['epoch']}" in lines[0]
    assert failed["term"] in ("bce", "kl", "loss", "adapt_auc")
    assert f"Received: {failed['term']} " in lines[0]
    summary = read_json(run / "summary.json")
    (entry,) = summary["methods"]["conventional"]["per_seed"]
    assert entry["auc"] is None
    assert summary["methods"]["conventional"]["mean"]["auc"] is None
    assert "was not finite" in (run / "summary.md").read_text()


@pytest.mark.exhaustive
def test_synthetic_defects_steer_and_no_label_does(image_folder, tmp_path):
    """The same models to the bit with labelled images and without any."""
    flags = ["--adapt_signal=synthetic", "--rule=climb", "--patterns=ladder", "--epochs=6"]
    # The score that has a scale, which no labelled image may be part of.
    flags.append("--score=standardized")
    labelled, unlabelled = tmp_path / "labelled", tmp_path / "unlabelled"
    command = commands.run(SCRIPT, *tiny(image_folder, labelled, *flags))
    assert "Too few labelled images" not in command.stdout
    shutil.rmtree(image_folder / "test")
    command = commands.run(SCRIPT, *tiny(image_folder, unlabelled, *flags))
    assert "Too few labelled images" in command.stdout
    assert "training steps of the thousands that it takes" in command.stdout
    assert "Note: --f_update has no effect with --rule=climb." in command.stdout
    summaries = [read_json(run / "summary.json")["methods"] for run in (labelled, unlabelled)]
    for method in METHODS:
        directories = [run / method / "seed-1" for run in (labelled, unlabelled)]
        rows, without = map(history, directories)
        assert all(row.pop("adapt_auc") for row in rows)
        assert not any(row.pop("adapt_auc") for row in without)
        assert rows == without
        assert_same_bits(*map(variables_of, directories))
        detector, other = (read_json(d / "detector/detector.json") for d in directories)
        assert detector == other
        assert detector["threshold"]["method"] == "quantile"
        synthetic = [float(row["adapt_auc_synthetic"]) for row in rows]
        (entry,), (other,) = (summary[method]["per_seed"] for summary in summaries)
        assert entry["epoch"] == other["epoch"] == 1 + int(np.argmax(synthetic))
        assert entry["synthetic_auc"] == pytest.approx(max(synthetic))
        assert entry["threshold"] == other["threshold"] == detector["threshold"]["value"]
        for name in ("auc", "sensitivity", "specificity"):
            for column in (name, f"test_{name}"):
                assert 0 <= entry[column] <= 1
                assert other[column] is None
        assert {path.name for path in (directories[1] / "figures").iterdir()} == {
            "histogram_synthetic.png",
            "reconstructions_synthetic.png",
            "reconstructions_normal.png",
            "transitions.png",
        }
    assert "saw a label" in (labelled / "summary.md").read_text()


@pytest.mark.exhaustive
def test_a_climb_that_is_killed_ends_with_the_same_bits(image_folder, tmp_path):
    # The paper's patterns have one that empties the model: it is left again after epoch 14.
    flags = ["--rule=climb", "--patterns=paper", "--epochs=18", "--learning_rate=0.01"]
    flags += ["--methods=auc_adapted", "--adapt_signal=synthetic"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    commands.run(SCRIPT, *tiny(image_folder, whole, *flags))
    rows = history(whole / "auc_adapted/seed-1")
    patterns = [int(row["pattern"]) for row in rows]
    assert len(set(patterns)) > 2
    assert min(np.diff(patterns)) < 0  # it goes back
    for lines in (6, 15):
        command = commands.Command(SCRIPT, *tiny(image_folder, cut, *flags))
        command.kill_at(cut / "auc_adapted/seed-1/history.csv", lines)
    commands.run(SCRIPT, *tiny(image_folder, cut, *flags))
    assert history(cut / "auc_adapted/seed-1") == rows
    assert_same_bits(
        variables_of(cut / "auc_adapted/seed-1"), variables_of(whole / "auc_adapted/seed-1")
    )


@pytest.mark.exhaustive
def test_methods_that_the_weights_are_compared_with(image_folder, tmp_path):
    run = tmp_path / "run"
    flags = ["--methods=autoencoder,beta_vae", "--kl_weight=0.1", "--epochs=2"]
    commands.run(SCRIPT, *tiny(image_folder, run, *flags))
    summary = read_json(run / "summary.json")
    assert list(summary["methods"]) == ["beta_vae", "autoencoder"]
    weights = {"beta_vae": "0.1", "autoencoder": "1e-10"}
    for method, weight in weights.items():
        rows = history(run / method / "seed-1")
        assert {row["weight_kl"] for row in rows} == {weight}
        assert {row["weight_bce"] for row in rows} == {"1.0"}
    model = keras.saving.load_model(run / "autoencoder/seed-1/model.keras")
    x = np.random.RandomState(0).uniform(size=(2, 16, 16, 1)).astype(np.float32)
    # Without noise, the terms are the same each time.
    first, second = (model.compute_terms(x)["bce"].numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.exhaustive
def test_annealing_is_no_pattern(image_folder, tmp_path):
    run = tmp_path / "run"
    flags = ["--rule=monotonic", "--methods=auc_adapted", "--epochs=4"]
    commands.run(SCRIPT, *tiny(image_folder, run, *flags))
    rows = history(run / "auc_adapted/seed-1")
    weights = [float(row["weight_kl"]) for row in rows]
    assert weights == pytest.approx([0.0, 0.5, 1.0, 1.0], abs=1e-9)
    assert {row["weight_bce"] for row in rows} == {"1.0"}
    assert {row["pattern"] for row in rows} == {""}
