"""The results page, from runs small enough for a test."""

import re
import shutil

import commands
import cv2
import numpy as np
import pytest
from conftest import make_folder, read_json, tiny

from awl_vae.evaluation.intervals import Interval
from awl_vae.study.compared_methods import BY_LABELS, CONVENTIONAL, PCA, difference
from awl_vae.study.readme import MAIN_METHODS, PART, write_headline
from awl_vae.study.run_files import Study
from awl_vae.study.tables import signed
from awl_vae.system import write_json
from awl_vae.training.config import ConfigError

SEEDS = (1, 10)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The page and the files of a study with two of its runs."""
    root = tmp_path_factory.mktemp("study")
    folder = make_folder(root / "photographs")
    run = root / "runs/bellows"
    (root / "README.md").write_text(f"# Ours\n{PART.begin}\nold\n{PART.end}\nMore.\n")
    flags = ["--seeds=1,10", "--epochs=2"]
    commands.run("run_auc_adapted.py", *tiny(folder, run / "labels", *flags))
    data = ["--dataset=folder", f"--data_dir={folder}", "--image_size=16", "--latent_dim=4"]
    commands.run("run_baselines.py", *data, f"--run_dir={run / 'baselines'}")
    report(root, f"--study_dir={root / 'runs'}")
    return root


def report(root, *more):
    flags = [f"--files_dir={root / 'files'}", f"--output={root / 'RESULTS.md'}"]
    return commands.run("report.py", *flags, f"--readme={root / 'README.md'}", *more)


def test_the_same_files_give_the_same_page_to_the_letter(study):
    page = study / "RESULTS.md"
    text = page.read_text()
    images = {path: path.read_bytes() for path in (study / "files/figures").iterdir()}
    page.unlink()
    report(study)
    assert page.read_text() == text
    assert all(path.read_bytes() == image for path, image in images.items())
    report(study, f"--study_dir={study / 'runs'}")
    assert page.read_text() == text


def test_numbers_are_those_of_the_summaries(study):
    text = (study / "RESULTS.md").read_text()
    methods = read_json(study / "runs/bellows/labels/summary.json")["methods"]
    for title, method in (("Conventional VAE", "conventional"), ("AUC-adapted VAE", "auc_adapted")):
        mean, std = (methods[method][name]["test_auc"] for name in ("mean", "std"))
        assert f"| {title} | labels | {100 * mean:.2f} ± {100 * std:.2f} (2) |" in text
    baselines = read_json(study / "runs/bellows/baselines/summary.json")["methods"]
    assert f"| PCA | – | {100 * baselines['pca']['mean']['test_auc']:.2f} |" in text
    assert "in the tables: bellows (labels with seeds 20, 50, 100, loss, " in text
    environment = read_json(study / "runs/bellows/labels/environment.json")
    # An installation knows its version alone.
    assert (environment["git_commit"] or f"awl-vae {environment['awl_vae']}") in text


def test_the_readme_has_rows_of_the_held_out_table_and_counts_the_verdicts(study):
    page, readme = ((study / name).read_text() for name in ("RESULTS.md", "README.md"))
    before, part, after = re.split(f"{PART.begin}\n|{PART.end}\n", readme)
    assert (before, after) == ("# Ours\n", "More.\n")
    rows = [line for line in part.split("\n") if line.startswith("|")]
    held_out = page[page.index("**Held out") : page.index("**Paper's protocol")]
    titles = [row.split("|")[1].strip() for row in rows[2:]]
    assert {"Conventional VAE", "AUC-adapted VAE", "PCA"} <= {*titles}
    assert {*titles} <= {each.title for each in MAIN_METHODS}
    assert set(rows) <= set(held_out.split("\n"))
    counts = [page.count(f"| {verdict} |\n") for verdict in ("holds", "fails", "undecided")]
    assert "{} verdicts are that it holds, {} that it fails, and {} are".format(*counts) in part


def test_a_directory_without_runs_is_an_error(study, tmp_path):
    flags = [f"--study_dir={tmp_path / 'runs'}", f"--files_dir={tmp_path / 'files'}"]
    command = commands.run("report.py", *flags, expected=1)
    assert (
        f"Expected finished runs. Received: none, --study_dir={tmp_path / 'runs'}" in command.stderr
    )


def test_a_readme_without_the_marks_is_left_alone(study, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Ours\n{PART.end}\n{PART.begin}\n")
    with pytest.raises(ConfigError, match="Expected the lines"):
        write_headline(Study(study / "files"), readme)
    assert readme.read_text() == f"# Ours\n{PART.end}\n{PART.begin}\n"


def test_runs_that_cannot_be_compared_are_not_copied(study, tmp_path):
    """With those beside them, and with those that were copied before."""
    shutil.copytree(study / "runs", tmp_path / "runs")
    baseline = tmp_path / "runs/bellows/labels/baseline.json"
    write_json(baseline, read_json(baseline) | {"counts": {"adapt": [1, 1], "test": [1, 1]}})
    flags = [f"--study_dir={tmp_path / 'runs'}", f"--output={tmp_path / 'RESULTS.md'}"]
    flags.append(f"--readme={study / 'README.md'}")
    for files in (tmp_path / "files", shutil.copytree(study / "files", tmp_path / "copied")):
        before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
        command = commands.run("report.py", *flags, f"--files_dir={files}", expected=1)
        assert "error: Expected the same labelled images (heldout) in runs" in command.stderr
        assert before == {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
        shutil.rmtree(tmp_path / "runs/bellows/baselines", ignore_errors=True)
    assert not (tmp_path / "files").exists()
    assert not (tmp_path / "RESULTS.md").exists()


def test_differences_are_paired_by_seed(study):
    files = Study(study / "files")
    found = difference(files, "bellows", BY_LABELS, CONVENTIONAL)
    methods = read_json(study / "runs/bellows/labels/summary.json")["methods"]
    per_seed = [
        adapted["test_auc"] - conventional["test_auc"]
        for adapted, conventional in zip(
            *(methods[name]["per_seed"] for name in ("auc_adapted", "conventional")), strict=True
        )
    ]
    assert found.per_seed == pytest.approx(per_seed)
    # What has no seed is beside each seed of the other.
    assert len(difference(files, "bellows", PCA, CONVENTIONAL).per_seed) == len(SEEDS)
    assert difference(files, "comb", PCA, CONVENTIONAL) is None


def test_a_difference_as_text():
    assert signed(Interval(0.012, -0.003, 0.03, (0.02, 0.02, -0.004))) == "+1.20 [-0.30, +3.00] 2/3"


def test_figures_are_drawn_of_what_is_there(study):
    figures = {path.name for path in (study / "files/figures").iterdir()}
    # Without a search there is none of its figures.
    assert figures == {"products.png", *(path for path in figures if path.startswith("fig1"))}
    assert len(figures) == 7
    image = cv2.imread(str(study / "files/figures/fig19_anomalous_auc_adapted.png"))
    assert image.std() > 10


def test_scores_survive_the_compression(study):
    (run, *_) = [run for run in Study(study / "files") if run.name == "labels"]
    labels, scores = run.outcomes("auc_adapted")[10].scores(("adapt", "test"))
    lines = (study / "runs/bellows/labels/auc_adapted/seed-10/scores.csv").read_text().split("\n")
    expected = [line.split(",") for line in lines[1:] if re.search(",(adapt|test),", line)]
    assert labels.tolist() == [int(row[2]) for row in expected]
    np.testing.assert_array_equal(np.float32(scores), np.float32([row[3] for row in expected]))


def test_without_files_of_runs_it_is_one_line_and_nothing_is_written(tmp_path):
    flags = [f"--{name}={tmp_path / name}" for name in ("files_dir", "output", "readme")]
    command = commands.run("report.py", *flags, expected=1)
    assert command.stderr == (
        f"error: Expected a file whose part is to be written. "
        f"Received: none, --readme={tmp_path / 'readme'}\n"
    )
    command = commands.run("report.py", *flags[:2], expected=1)
    assert command.stderr == (
        "error: Expected the files of finished runs, which --study_dir copies. "
        f"Received: none, --files_dir={tmp_path / 'files_dir'}\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_readme_without_the_marks_is_told_before_the_page_is_written(study, tmp_path):
    (tmp_path / "README.md").write_text("# Ours\n")
    flags = [f"--files_dir={study / 'files'}", f"--output={tmp_path / 'RESULTS.md'}"]
    command = commands.run("report.py", *flags, f"--readme={tmp_path / 'README.md'}", expected=1)
    assert "error: Expected the lines" in command.stderr
    assert not (tmp_path / "RESULTS.md").exists()
