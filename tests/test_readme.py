"""What the README and the pages say is what the files of the runs, the flags and the names say."""

import re
import shutil
from pathlib import Path

import commands
import pytest
from conftest import read_json

from awl_vae.__main__ import COMMANDS
from awl_vae.callbacks import rules
from awl_vae.study.method_pages import write_method_pages
from awl_vae.study.readme import MAIN_METHODS, PART, write_headline
from awl_vae.study.results_page import write_page
from awl_vae.study.run_files import Study
from awl_vae.system.errors import install_hint
from awl_vae.training.defaults import DEFAULTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs/RESULTS.md").read_text()
WRITTEN = {"RESULTS.md", "performance.md"}
"""The pages of which a program wrote the most."""

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
GUIDES = [page for page in PAGES if page.name not in {*WRITTEN, "CONTRIBUTING.md", "CHANGELOG.md"}]
SET_UP = (
    "pip install -e . && python experiments/run_auc_adapted.py --dataset=bellows",
    "pip install -e '.[test]' && pytest",
)
ROOMS = ("awl_vae", "losses", "models", "evaluation", "callbacks", "data", "detection")
"""Those whose names are in the reference."""


@pytest.mark.slow
def test_the_results_come_from_the_files_of_the_study(tmp_path):
    files = tmp_path / "docs/results/study"
    shutil.copytree(ROOT / "docs/results/study", files, ignore=shutil.ignore_patterns("figures"))
    study = Study(files)
    write_page(study, tmp_path / "docs/RESULTS.md")
    shutil.copyfile(ROOT / "README.md", tmp_path / "README.md")
    write_headline(study, tmp_path / "README.md")
    shutil.copytree(ROOT / "docs/methods", tmp_path / "docs/methods")
    write_method_pages(study, tmp_path / "docs/methods")
    methods = [str(path.relative_to(ROOT)) for path in (ROOT / "docs/methods").glob("*.md")]
    for page in ("docs/RESULTS.md", "README.md", *methods):
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


def test_the_readme_shows_rows_and_counts_verdicts_of_the_results_page():
    part = README[README.index(PART.begin) : README.index(PART.end)]
    _, _, *rows = [line for line in part.split("\n") if line.startswith("|")]
    held_out = RESULTS[RESULTS.index("**Held out") : RESULTS.index("**Paper's protocol")]
    expected = [(each.title, each.chosen_by) for each in MAIN_METHODS]
    assert {tuple(row.split(" | ")[:2]) for row in rows} == {(f"| {t}", by) for t, by in expected}
    assert set(rows) <= set(held_out.split("\n"))
    claims = RESULTS[RESULTS.index("## The claims") : RESULTS.index("## The paper's tables")]
    numbers = [len(re.findall(r"\n### ", claims))]
    numbers += [claims.count(f"| {each} |\n") for each in ("holds", "fails", "undecided")]
    text = "{} claims.* {} verdicts are that it holds, {} that it fails, and {} are undecided"
    assert re.search(text.format(*numbers), part)


def test_the_readme_is_short_and_has_the_two_commands_of_the_set_up():
    lines = README.split("\n")
    assert len(lines) <= 150
    assert all(line in lines for line in SET_UP)


def test_the_pages_add_an_extra_as_messages_do():
    for page in {*PAGES, ROOT / "docs/performance.md"}:
        for command, extra in re.findall(r"(pip install \S.*?\[([\w,]+)\]')", page.read_text()):
            assert extra in ("dev", "test") or command == install_hint(extra), page


def test_flags_and_commands_of_the_pages_exist():
    scripts = [f"{file}.py" for file, _ in COMMANDS.values()]
    text = "".join(commands.run(script, "--help", expected=1).stdout for script in scripts)
    own = set(re.findall(r"--(?:\[no\])?(\w+)", text)) | {"help", "logdir", "version"}
    for page in GUIDES:
        assert set(re.findall(r"--(\w+)", page.read_text())) <= own, page
    for page in PAGES:
        named = re.findall(r"^awl-vae (\w\S*)|`awl-vae ([a-z]\S*?)[ `]", page.read_text(), re.M)
        assert {first or second for first, second in named} <= COMMANDS.keys(), page


def test_links_of_the_pages_lead_to_files():
    for page in PAGES:
        for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / path).exists(), (page, path)


def test_files_of_the_sources_that_the_pages_name_exist():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    folders |= {"benchmarks", "docs", "examples", "tests"}
    for page in PAGES:
        for path in re.findall(r"`(\w+/[\w./-]+)`", page.read_text()):
            if path.split("/")[0] in folders:
                assert (ROOT / path).exists(), (page, path)


def test_each_equation_of_the_paper_is_shown_beside_its_code():
    page = (ROOT / "docs/how-it-works.md").read_text()
    _, *parts = re.split(r"^```text\n", page, flags=re.M)
    numbers = [int(number) for part in parts for number in re.findall(r" {2}\((\d+)\)\n", part)]
    assert sorted(numbers) == list(range(1, 17))
    for part in parts:
        assert "\n::: awl_vae." in part.partition("\n## ")[0], part


def test_every_name_of_a_room_is_in_the_reference():
    text = (ROOT / "docs/reference.md").read_text()
    shown = set(re.findall(r"- (\w+)$|::: \S+\.(\w+)$", text, re.M))
    shown = {first or second for first, second in shown}
    for room in ROOMS:
        stub = (ROOT / room / "__init__.pyi").read_text()
        assert set(re.findall(r"(\w+) as \1\b", stub)) <= shown, room
    assert set(rules.__all__) <= shown
