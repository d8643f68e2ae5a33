"""The loss-adapted command as a user gives it, on a small folder of photographs."""

import math
import re
import shutil

import commands
import cv2
import numpy as np
import pytest
from conftest import (
    assert_same_bits,
    assert_same_run,
    make_folder,
    read_csv,
    read_json,
    stripes,
    tiny,
    tiny_search,
    variables_of,
)
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from awl_vae.detection import Detector
from awl_vae.evaluation import auroc, rates, youden_threshold
from awl_vae.system import foreign_file
from awl_vae.training.own_files import OURS

SCRIPT = "run_loss_adapted.py"
E1, E2, E3 = 1, 3, 5
TERMS = ("mahalanobis", "log_variance", "kl")
BRANCHES = ("none", *TERMS, "mahalanobis+log_variance", "mahalanobis+kl", "log_variance+kl")
METHODS = ("conventional", "loss_adapted")


def search(folder, run, *more):
    return tiny_search(folder, run, "--likelihood=gaussian", *more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder, the run directory of a whole search on it, and the command that made it."""
    root = tmp_path_factory.mktemp("search")
    folder = make_folder(root / "photographs")
    # A test image of more bits than any training image must not change what is trained.
    deep = stripes(3, size=(20, 24), dtype=np.uint16)
    cv2.imwrite(str(folder / "test/good/000.png"), deep)
    run = root / "run"
    return folder, run, commands.run(SCRIPT, *search(folder, run))


def branches(run):
    return read_csv(run / "loss_adapted/seed-1/branches.csv")


def test_branches_alone_tell_every_weight_freeze_and_selection(finished):
    rows = branches(finished[1])
    assert list(rows[0]) == (
        ["stage", "branch", "epoch", "loss_unweighted", *TERMS]
        + [f"weight_{term}" for term in TERMS]
        + ["adapt_auc", "selected"]
    )
    winner = [row for row in rows if row["stage"] == "1"]
    for stage, (begin, end) in {"2": (E1, E2), "3": (E2, E3)}.items():
        of_stage = {name: [] for name in BRANCHES}
        for row in rows:
            if row["stage"] == stage:
                of_stage[row["branch"]].append(row)
        assert list(dict.fromkeys(r["branch"] for r in rows if r["stage"] == stage)) == list(
            BRANCHES
        )
        for branch, done in of_stage.items():
            assert [int(row["epoch"]) for row in done] == list(range(begin + 1, end + 1))
            for term in TERMS:
                weight = start = float(winner[-1][f"weight_{term}"])
                before, is_frozen = float(winner[-1][term]), term not in branch.split("+")
                for row in done:
                    if not is_frozen:
                        u = (int(row["epoch"]) - begin) / (end - begin)
                        weight = 1e-10 + (start - 1e-10) * falls(u)
                    assert float(row[f"weight_{term}"]) == pytest.approx(weight, rel=1e-12)
                    is_frozen = is_frozen or float(row[term]) > before
                    before = float(row[term])
        lowest = min(BRANCHES, key=lambda name: float(of_stage[name][-1]["loss_unweighted"]))
        for branch, done in of_stage.items():
            assert {row["selected"] for row in done} == {"1" if branch == lowest else "0"}
        winner = of_stage[lowest]
    for row in rows:
        mahalanobis, log_variance, kl = (float(row[term]) for term in TERMS)
        assert float(row["loss_unweighted"]) == mahalanobis + log_variance + kl


def falls(u):
    def s(u):
        return 1 / (1 + math.exp(10 * (u - 0.5)))

    return (s(u) - s(1)) / (s(0) - s(1))


def test_histories_are_the_chosen_path_and_the_conventional_one(finished):
    run = finished[1]
    rows = branches(run)
    adapted, conventional = (read_csv(run / m / "seed-1/history.csv") for m in METHODS[::-1])
    for history in (adapted, conventional):
        assert [int(row["epoch"]) for row in history] == list(range(1, E3 + 1))
    shared = [*TERMS, *(f"weight_{term}" for term in TERMS), "epoch", "adapt_auc"]
    chosen = [row for row in rows if row["selected"] == "1"]
    for row, expected in zip(adapted, chosen, strict=True):
        assert {name: row[name] for name in shared} == {name: expected[name] for name in shared}
        assert row["pattern"] == ""
        loss = sum(float(row[f"weight_{term}"]) * float(row[term]) for term in TERMS)
        assert float(row["loss"]) == pytest.approx(loss, rel=1e-5)
    none = [row for row in rows if row["branch"] == "none" and row["stage"] in "12"]
    for row, expected in zip(conventional, none, strict=False):
        assert {name: row[name] for name in shared} == {name: expected[name] for name in shared}
    for row in conventional:
        assert {row[f"weight_{term}"] for term in TERMS} == {"1.0"}
        assert row["pattern"] == "1"


@pytest.mark.exhaustive
def test_the_conventional_history_is_that_of_a_plain_run(finished, tmp_path):
    folder, run, _ = finished
    more = ("--likelihood=gaussian", f"--epochs={E3}")
    commands.run("run_auc_adapted.py", *tiny(folder, tmp_path / "plain", *more))
    history = "conventional/seed-1/history.csv"
    plain = read_csv(tmp_path / "plain" / history)
    for row in plain:
        del row["adapt_auc_synthetic"]  # which is no column of a search
    assert [[*row.items()] for row in plain] == [[*row.items()] for row in read_csv(run / history)]


def test_summary_is_what_scores_and_branches_say(finished):
    run = finished[1]
    summary = read_json(run / "summary.json")
    assert summary["experiment"] == "loss_adapted"
    assert list(summary["methods"]) == list(METHODS)
    for method, outcome in summary["methods"].items():
        (entry,) = outcome["per_seed"]
        assert entry["epoch"] == E3
        scores = read_csv(run / method / "seed-1/scores.csv")
        labels, values = (
            {
                s: np.array([float(r[key]) for r in scores if r["split"] == s])
                for s in ("adapt", "test")
            }
            for key in ("label", "score")
        )
        assert entry["auc"] == auroc(labels["adapt"], values["adapt"])
        assert entry["test_auc"] == auroc(labels["test"], values["test"])
        assert entry["threshold"] == youden_threshold(labels["adapt"], values["adapt"])
        assert rates(labels["test"], values["test"], entry["threshold"]) == (
            entry["test_sensitivity"],
            entry["test_specificity"],
        )
        history = read_csv(run / method / "seed-1/history.csv")
        assert entry["auc"] == float(history[-1]["adapt_auc"])
        loss = sum(float(history[-1][term]) for term in TERMS)
        assert entry["loss_unweighted"] == loss
    selected = [row for row in branches(run) if row["selected"] == "1" and row["stage"] != "1"]
    assert entry["chosen"] == [selected[0]["branch"], selected[-1]["branch"]]
    assert entry["trained_epochs"] == (29 if entry["chosen"][0] == "none" else 31)
    text = (run / "summary.md").read_text()
    for table in ("AUC (Table 9)", "Sensitivity (Table 10)", "Specificity (Table 11)"):
        assert text.count(f"| {table} |") == 2
    assert "at the last epoch" in text


def test_every_file_is_known_as_ours(finished):
    assert foreign_file(finished[1], OURS) is None


def test_files(finished):
    run = finished[1]
    directory = run / "loss_adapted/seed-1"
    assert {path.name for path in directory.iterdir()} == {
        "all_scores.csv",
        "branches.csv",
        "detector",
        "examples.npz",
        "figures",
        "history.csv",
        "model.keras",
        "result.json",
        "scores.csv",
        "stage-1",
        "stage-2",
        "stage-3",
    }
    figures = {path.name for path in (directory / "figures").iterdir()}
    own = {"losses_stage_1.png", "losses_stage_2.png", "losses_stage_3.png"}
    own |= {"weights_chosen.png", "weights_strongest.png", "terms_and_weights.png"}
    assert own < figures
    for name in own:
        assert cv2.imread(str(directory / "figures" / name)).std() > 10
    assert {path.name for path in run.rglob("*.npz")} == {"examples.npz"}
    assert not list(run.rglob(".*.tmp*"))


def test_each_branch_is_a_run_of_tensorboard_over_the_logical_epochs(finished):
    run = finished[1]
    directory = run / "loss_adapted/seed-1"
    assert {path.name for path in (directory / "stage-2").iterdir()} == set(BRANCHES)
    (path,) = (directory / "stage-3/log_variance+kl").glob("events.*")
    steps, images = {}, {}
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            kind = images if value.metadata.plugin_data.plugin_name == "images" else steps
            kind.setdefault(value.tag, []).append(event.step)
    epochs = [E2 + 1, E3]
    tags = [f"loss/{term}" for term in (*TERMS, "weighted")] + [f"weight/{t}" for t in TERMS]
    assert {tag: steps[tag] for tag in [*tags, "auc/adapt"]} == dict.fromkeys(
        [*tags, "auc/adapt"], epochs
    )
    assert images == {tag: [E3] for tag in ("input", "reconstruction", "squared_error")}


def test_what_is_printed(finished):
    _, run, command = finished
    assert "Each search trains 1 + 14 + 14 = 29 epochs, and up to 2 more" in command.stdout
    assert "A conventional run is 5: the search takes 5.8 to 6.2 times as long." in command.stdout
    assert (run / "summary.md").read_text() in command.stdout
    assert f"tensorboard --logdir {run}" in command.stdout
    for stage in ("2", "3"):
        of_stage = [row for row in branches(run) if row["stage"] == stage]
        (name,) = {row["branch"] for row in of_stage if row["selected"] == "1"}
        assert f"seed 1, stage {stage}: {name} is chosen" in command.stderr
    *_, trained, _, last = command.stderr.split("100 %")
    assert re.search(r"0:00 left  seed 1, stage 3 of 3, .*, epoch 5 of 5", trained)
    assert last == "  0:00 left  loss_adapted seed 1, evaluation\n"


# Normal images alone are no labels to report on.
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(["train"], marks=pytest.mark.slow),
        pytest.param(["train", "test/good"], marks=pytest.mark.exhaustive),
    ],
)
def test_without_any_label_it_trains_the_same_model_to_the_bit(finished, tmp_path, parts):
    folder, whole, _ = finished
    unlabelled = tmp_path / "photographs"
    for part in parts:
        shutil.copytree(folder / part, unlabelled / part)
    run = tmp_path / "run"
    command = commands.run(SCRIPT, *search(unlabelled, run))
    for method in METHODS:
        directories = (root / method / "seed-1" for root in (run, whole))
        assert_same_bits(*map(variables_of, directories))
    for row, expected in zip(branches(run), branches(whole), strict=True):
        assert row == expected | {"adapt_auc": ""}
    (entry,) = read_json(run / "summary.json")["methods"]["loss_adapted"]["per_seed"]
    assert entry["auc"] is entry["test_auc"] is entry["sensitivity"] is None
    detector = read_json(run / "loss_adapted/seed-1/detector/detector.json")
    assert entry["threshold"] == detector["threshold"]["value"]
    assert 0.0 <= entry["synthetic_auc"] <= 1.0
    assert "No labelled images" in command.stdout
    assert "Too few labelled images" in command.stdout
    assert {row["split"] for row in read_csv(run / "loss_adapted/seed-1/scores.csv")} == {
        "calibration"
    }
    figures = {path.name for path in (run / "loss_adapted/seed-1/figures").iterdir()}
    assert {"reconstructions_normal.png", "reconstructions_synthetic.png"} < figures
    assert "histogram_synthetic.png" in figures


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bits(finished, tmp_path):
    folder, whole, _ = finished
    run = tmp_path / "run"
    path = run / "loss_adapted/seed-1/branches.csv"
    # A header, a line of stage 1, then two lines a branch in each stage: these kills come at the
    # end of the third branch of stage 2, and in the middle of the fifth of stage 3.
    for num_lines in (8, 25):
        command = commands.Command(SCRIPT, *search(folder, run))
        command.kill_at(path, num_lines)
    command = commands.run(SCRIPT, *search(folder, run))
    assert "The search with seed 1 goes on after " in command.stderr
    assert_same_run(run, whole, METHODS)


@pytest.mark.exhaustive
def test_killed_before_many_a_write(finished, tmp_path):
    folder, whole, _ = finished
    run = tmp_path / "run"
    assert commands.killed_before_each_write(SCRIPT, *search(folder, run)) > 10
    assert_same_run(run, whole, METHODS)


@pytest.mark.exhaustive
def test_two_terms_and_the_weighted_loss(image_folder, tmp_path):
    run = tmp_path / "run"
    more = ("--selection_loss=weighted", "--score=top_fraction", "--e2=2", "--e3=3")
    commands.run(SCRIPT, *tiny_search(image_folder, run, *more))
    detector = Detector.load(run / "loss_adapted/seed-1/detector")
    (row,) = (
        r for r in read_csv(run / "loss_adapted/seed-1/scores.csv") if "spot/000" in r["image"]
    )
    image = cv2.imread(str(image_folder / row["image"]), cv2.IMREAD_UNCHANGED)
    assert detector.score([image])[0] == pytest.approx(float(row["score"]), rel=1e-4)
    assert read_json(run / "config.json")["selection_loss"] == "weighted"
    rows = branches(run)
    for stage in "23":
        of_stage = [row for row in rows if row["stage"] == stage]
        assert [row["branch"] for row in of_stage] == ["none", "kl", "bce"]
        losses = [
            sum(float(row[f"weight_{term}"]) * float(row[term]) for term in ("bce", "kl"))
            for row in of_stage
        ]
        assert [row["selected"] for row in of_stage].index("1") == int(np.argmin(losses))


@pytest.mark.exhaustive
def test_a_halving_search_killed_and_started_again(finished, tmp_path):
    folder, _, _ = finished
    flags = ["--search=halving", "--e1=1", "--e2=5", "--e3=9"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    command = commands.run(SCRIPT, *search(folder, whole, *flags))
    # Of 7 branches 4, 2 and 1 go on after epochs 1, 1 and 1 of 4: 7 + 3 epochs a stage.
    assert "Each search trains 1 + 10 + 10 = 21 epochs, and up to 7 more" in command.stdout
    rows = branches(whole)
    assert sum(row["stage"] == "2" for row in rows) == 10
    path = run / "loss_adapted/seed-1/branches.csv"
    command = commands.Command(SCRIPT, *search(folder, run, *flags))
    command.kill_at(path, 6)
    commands.run(SCRIPT, *search(folder, run, *flags))
    assert_same_run(run, whole, METHODS)


@pytest.mark.slow
def test_a_search_in_which_weights_rise_killed_and_started_again(image_folder, tmp_path):
    flags = ["--directions=both", "--selection_loss=synthetic_auc", "--slope_window=2"]
    flags += ["--patience=2", "--e2=3", "--e3=5", "--e1=1"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    commands.run(SCRIPT, *tiny_search(image_folder, whole, *flags))
    rows = branches(whole)
    for stage, last in (("2", "3"), ("3", "5")):
        at_end = [row for row in rows if (row["stage"], row["epoch"]) == (stage, last)]
        assert [row["branch"] for row in at_end] == ["none", "kl", "bce", "kl:up", "bce:up"]
        aucs = [float(row["synthetic_auc"]) for row in at_end]
        assert [row["selected"] for row in at_end].index("1") == int(np.argmax(aucs))
    assert max(float(row["weight_kl"]) for row in rows if row["branch"] == "kl:up") > 1.0
    path = run / "loss_adapted/seed-1/branches.csv"
    # In the middle of the first branch whose weights rise, and of the last.
    for num_lines in (9, 21):
        command = commands.Command(SCRIPT, *tiny_search(image_folder, run, *flags))
        command.kill_at(path, num_lines)
    commands.run(SCRIPT, *tiny_search(image_folder, run, *flags))
    assert_same_run(run, whole, METHODS)


def test_a_loss_that_explodes_ends_the_search_and_is_told(image_folder, tmp_path):
    run = tmp_path / "run"
    command = commands.run(SCRIPT, *search(image_folder, run, "--learning_rate=1e36"), expected=1)
    assert "Traceback" not in command.stderr
    assert "is out, " in command.stderr
    lines = [line for line in command.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 2
    assert "loss_adapted seed 1 stopped" in lines[1]
    assert "was not finite" in (run / "summary.md").read_text()


def test_stages_out_of_order_are_refused(image_folder, tmp_path):
    run = tmp_path / "run"
    command = commands.run(SCRIPT, *search(image_folder, run, "--e2=5"), expected=1)
    expected = "error: Expected --e1 < --e2 < --e3. Received: --e1=1, --e2=5, --e3=5."
    assert command.stderr.splitlines() == [expected]
    assert not run.exists()
