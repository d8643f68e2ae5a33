"""What the README says is what the files of the runs say."""

import re
import shutil
from pathlib import Path

import commands
import pytest
from conftest import read_json

from awl_vae.study.readme import write_headline
from awl_vae.study.results_page import write_page
from awl_vae.study.run_files import Study
from awl_vae.training.defaults import DEFAULTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_results_come_from_the_files_of_the_study(tmp_path):
    files = tmp_path / "docs/results/study"
    shutil.copytree(ROOT / "docs/results/study", files, ignore=shutil.ignore_patterns("figures"))
    study = Study(files)
    write_page(study, tmp_path / "docs/RESULTS.md")
    shutil.copyfile(ROOT / "README.md", tmp_path / "README.md")
    write_headline(study, tmp_path / "README.md")
    for page in ("docs/RESULTS.md", "README.md"):
        assert (tmp_path / page).read_text() == (ROOT / page).read_text()
    figures = {path.name for path in (ROOT / "docs/results/study/figures").iterdir()}
    assert {path.name for path in (files / "figures").iterdir()} == figures


@pytest.mark.parametrize(
    ("dataset", "low", "high"),
    [("bellows", 0.75, 0.92), ("square", 0.95, 0.999), ("comb", 0.85, 0.97)],
)
def test_difficulty_of_the_generated_datasets_for_the_conventional_vae(dataset, low, high):
    # The study trains longer; its first epochs are those of the quick profile.
    epochs = DEFAULTS[dataset]["quick"]["epochs"]
    outcomes = Study(ROOT / "docs/results/study").get(dataset, "labels").outcomes("conventional")
    assert len(outcomes) == 5
    for outcome in outcomes.values():
        assert low <= outcome.history()["adapt_auc"][:epochs].max() <= high


def test_after_four_times_the_epochs_the_two_are_closer_and_each_is_ahead_once():
    study = Study(ROOT / "docs/results/study").get("bellows", "labels")
    gains = []
    for seed in (1, 10):
        longer = ROOT / f"docs/results/longer/seed-{seed}"
        config = read_json(longer / "config.json")
        expected = {"epochs": 4 * study.config["epochs"], "seeds": [seed]}
        assert config == study.config | expected
        methods = read_json(longer / "summary.json")["methods"]
        conventional, adapted = (
            methods[name]["per_seed"][0]["test_auc"] for name in ("conventional", "auc_adapted")
        )
        gains.append(adapted - conventional)
        before, after = (
            study.outcomes(name)[seed].entry["test_auc"] for name in ("conventional", "auc_adapted")
        )
        assert abs(gains[-1]) < after - before
    assert min(gains) < 0 < max(gains)


def test_flags_of_the_readme_exist():
    scripts = [path.name for path in (ROOT / "experiments").glob("[!_]*.py")]
    scripts = [name for name in scripts if "__main__" in (ROOT / "experiments" / name).read_text()]
    text = "".join(commands.run(script, "--help", expected=1).stdout for script in scripts)
    own = set(re.findall(r"--(?:\[no\])?(\w+)", text))
    used = set(re.findall(r"--(\w+)", README)) - {"help", "logdir"}
    assert used <= own


def test_files_of_the_readme_exist():
    for path in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / path).exists()
