"""The numbers of the results page, from runs drawn at random."""

import gzip
import json
import re
import shutil

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from stand_in import write_study

from awl_vae.evaluation import auroc
from awl_vae.study import trajectories
from awl_vae.study.aim import aim_table
from awl_vae.study.claims import claims
from awl_vae.study.compared_methods import (
    AUTOENCODER,
    BASIS,
    BY_LABELS,
    CLIMB,
    FIXED,
    HELDOUT,
    PAPER,
    PCA,
    aucs,
    difference,
    interval,
)
from awl_vae.study.grid import EPOCHS, JUDGED, runs
from awl_vae.study.paper_tables import PAPER_TABLES
from awl_vae.study.results_page import write_page
from awl_vae.study.run_files import Study
from awl_vae.study.searches import searches_table
from awl_vae.study.tables import (
    fixed_weights_table,
    mean_and_std,
    scores_table,
    signals_table,
    signed,
)
from awl_vae.study.trajectories import epochs_by_weight, trajectories_table
from awl_vae.training.config import ConfigError

MISSING = "comb/synthetic-climb"
FAILED = ("gravel/labels", "auc_adapted", 1), ("square/loss", "loss_adapted", 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    write_study(root / "files", without=[MISSING], failed=FAILED)
    write_page(Study(root / "files"), root / "RESULTS.md")
    return root


@pytest.fixture(scope="module")
def study(root):
    return Study(root / "files")


def rows_of(text):
    """The cells of the tables' rows."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines]


def read_auc(directory, splits, score):
    """The AUROC of a run's scores, read here in another way than the page does."""
    lines = gzip.decompress((directory / "scores.csv.gz").read_bytes()).decode().split()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    rows = [row for row in rows if row["split"] in splits]
    labels, values = zip(*((int(row["label"]), float(row[score])) for row in rows), strict=True)
    return roc_auc_score(labels, values)


def texts(values):
    return f"{100 * np.mean(values):.2f} ± {100 * np.std(values, ddof=1):.2f}"


def of_summaries(study):
    """Every mean ± deviation that the summaries have, and those over all photographs."""
    for run in study:
        for method, found in run.summary["methods"].items():
            rows = [row for row in found["per_seed"] if "failed" not in row]
            if len(rows) == 1:
                continue  # no deviation
            for merit in ("auc", "sensitivity", "specificity"):
                for name in (merit, f"test_{merit}"):
                    if rows[0][name] is not None:
                        yield texts([row[name] for row in rows])
            yield texts([row["synthetic_auc"] for row in rows])
            if run.dataset in JUDGED:
                directories = [run.path / method / f"seed-{row['seed']}" for row in rows]
                score = run.summary["score"]
                yield texts([read_auc(each, ("adapt", "test"), score) for each in directories])


def of_best_fixed(study):
    """Those of the weights that synthetic defects choose by seed."""
    for dataset in EPOCHS:
        runs = [run for run in study if run.dataset == dataset and run.name.startswith("beta-")]
        found = [(run, "beta_vae") for run in runs]
        found.append((study.get(dataset, "synthetic-conventional"), "conventional"))
        splits = ("adapt", "test") if dataset in JUDGED else ("adapt",)
        for of in (("test",), splits):
            values = []
            for index, seed in enumerate(runs[0].config["seeds"]):
                entries = [run.summary["methods"][m]["per_seed"][index] for run, m in found]
                best = int(np.argmax([entry["synthetic_auc"] for entry in entries]))
                run, method = found[best]
                directory = run.path / method / f"seed-{seed}"
                values.append(read_auc(directory, of, run.summary["score"]))
            yield texts(values)


def of_histories(study):
    """Those of the AUROC at the chosen epoch, of the highest and of the last one."""
    for run in study:
        for method, found in run.summary["methods"].items():
            rows = [row for row in found["per_seed"] if "failed" not in row]
            files = [run.path / method / f"seed-{row['seed']}/history.csv.gz" for row in rows]
            if len(rows) == 1 or not all(file.exists() for file in files):
                continue  # no deviation, or no epochs
            curves = [column(file, "adapt_auc") for file in files]
            yield texts([curve[row["epoch"] - 1] for row, curve in zip(rows, curves, strict=True)])
            yield texts([max(curve) for curve in curves])
            yield texts([curve[-1] for curve in curves])


def column(file, name):
    """Its numbers."""
    lines = gzip.decompress(file.read_bytes()).decode().split()
    place = lines[0].split(",").index(name)
    return [float(line.split(",")[place]) for line in lines[1:]]


def test_every_mean_is_found_in_some_file(root, study):
    known = {*of_summaries(study), *of_best_fixed(study), *of_histories(study)}
    tables = [printed for *_, printed in PAPER_TABLES.values()]
    known |= {text for printed in tables for pair in printed.values() for text in pair}
    found = re.findall(r"\d+\.\d+ ± \d+\.\d+", (root / "RESULTS.md").read_text())
    assert len(found) > 200
    assert set(found) <= known


def test_differences_are_those_of_the_means_over_common_seeds(root, study):
    text = (root / "RESULTS.md").read_text().split("**Held out")[1]
    row = next(
        row for row in rows_of(text) if row[0] == "Loss-adapted VAE" and "[" in "".join(row[2:])
    )
    for dataset, cell in zip(EPOCHS, row[2:], strict=True):
        by_seed = [
            {row["seed"]: row["test_auc"] for row in found["per_seed"] if "failed" not in row}
            for found in study.get(dataset, "loss").summary["methods"].values()
        ]
        conventional, adapted = by_seed
        gains = [adapted[seed] - conventional[seed] for seed in adapted]
        assert cell.startswith(f"{100 * np.mean(gains):+.2f} [")
        mean_sign = np.sign(np.mean(gains))
        assert cell.endswith(f" {np.sum(np.sign(gains) == mean_sign)}/{len(gains)}")


def test_what_has_failed_is_named_and_in_no_mean(root, study):
    text = (root / "RESULTS.md").read_text()
    assert "square/loss, loss_adapted, seed 1; gravel/labels, auc_adapted, seed 1" in text
    assert len(aucs(study, "gravel", BY_LABELS)) == 4
    # Without the search of seed 1 there are none of its figures.
    assert "**Fig. 19.**" in text
    assert "**Fig. 20.**" not in text


def test_a_row_is_the_method_s_and_a_column_the_dataset_s(root, study):
    text = (root / "RESULTS.md").read_text().split("**Held out")[1]
    row = next(row for row in rows_of(text) if row[:2] == [CLIMB.title, CLIMB.chosen_by])
    for dataset, cell in zip(EPOCHS, row[2:], strict=True):
        run = study.get(dataset, "synthetic-climb")
        rows = run.summary["methods"]["auc_adapted"]["per_seed"] if run else []
        assert cell == mean_and_std([row["test_auc"] for row in rows])
    assert row[2 + list(EPOCHS).index("comb")] == "–"


def test_what_is_missing_is_named(root):
    text = (root / "RESULTS.md").read_text()
    assert "Not run yet, and not in the tables: comb (synthetic-climb)." in text
    assert "commit `c0ffee`." in text
    count = len(list(Study(root / "files")))
    assert f"{count} runs took {count / 2:.1f} hours in sum" in text


def test_the_paper_s_protocol_is_its_own_run_on_photographs(study):
    for dataset, name in (("elpv_mono", "labels-paper_protocol"), ("bellows", "labels")):
        rows = study.get(dataset, name).summary["methods"]["auc_adapted"]["per_seed"]
        assert aucs(study, dataset, BY_LABELS, PAPER) == pytest.approx([row["auc"] for row in rows])


def test_without_labels_the_paper_s_protocol_is_on_all_labelled_photographs(study):
    values = aucs(study, "elpv_poly", AUTOENCODER, PAPER)
    outcomes = study.get("elpv_poly", "autoencoder").outcomes("autoencoder").values()
    expected = [auroc(*outcome.scores(("adapt", "test"))) for outcome in outcomes]
    assert values == expected
    assert values != aucs(study, "elpv_poly", AUTOENCODER, HELDOUT)


def test_the_best_fixed_weight_is_chosen_by_synthetic_defects_alone(study):
    runs = [study.get("elpv_mono", f"beta-{weight}") for weight in ("0.3", "0.1", "0.03", "1e-10")]
    entries = [run.outcomes("beta_vae") for run in runs] + [BASIS.outcomes(study, "elpv_mono")]
    found = FIXED.outcomes(study, "elpv_mono")
    assert sorted(found) == [1, 10, 20, 50, 100]
    for seed, outcome in found.items():
        best = max(outcomes[seed].entry["synthetic_auc"] for outcomes in entries)
        assert outcome.entry["synthetic_auc"] == best


def test_the_aim_is_reached_where_both_means_are(study):
    found = [difference(study, "elpv_mono", CLIMB, each) for each in (FIXED, BY_LABELS)]
    rows = {row[0]: row for row in rows_of("\n".join(aim_table(study, ["elpv_mono", "comb"])))}
    aims = [each.mean >= 0 for each in found]
    assert rows["**Aim**"][2:] == ["reached" if all(aims) else "missed", "–"]
    assert rows[FIXED.title][2] == signed(found[0])
    # What has no seed is beside each seed of climb.
    assert rows["PCA"][2].endswith("/5")
    assert difference(study, "elpv_mono", CLIMB, PCA).mean == pytest.approx(
        np.mean(aucs(study, "elpv_mono", CLIMB)) - aucs(study, "elpv_mono", PCA)[0]
    )


def test_epochs_at_each_weight():
    weights = [np.array([1.0, 1.0, 0.1, 1e-10]), np.array([1.0, 0.1, 0.1, 0.1])]
    assert epochs_by_weight(weights) == "1: 1.5, 0.1: 2, 1e-10: 0.5"


def test_where_the_auc_is_lost(study):
    rows = rows_of("\n".join(trajectories_table(study, ["bellows"])))[1:]
    (row,) = [row for row in rows if row[1] == CLIMB.title]
    # Every history has six epochs at weight 1, rises to its end, and the third epoch is chosen.
    assert row[3:7] == ["1: 6", "0.0", "0.0", "3 (3 to 3) of 6"]
    assert row[9] == row[10]
    assert float(row[8].split()[0]) < float(row[9].split()[0])


def test_an_empty_training_is_counted(study, monkeypatch):
    monkeypatch.setattr(trajectories, "EMPTY", 5.0)
    kl = [outcome.history()["kl"][2] for outcome in CLIMB.outcomes(study, "bellows").values()]
    rows = rows_of("\n".join(trajectories_table(study, ["bellows"])))[1:]
    (row,) = [row for row in rows if row[1] == CLIMB.title]
    assert 0 < sum(value < 5.0 for value in kl) < 5
    assert row[7] == f"{sum(value < 5.0 for value in kl)}/5"


def test_how_far_a_search_came(study):
    run = study.get("comb", "loss")
    apart, seeds = [], run.config["seeds"]
    for seed in seeds:
        file = run.path / f"loss_adapted/seed-{seed}/branches.csv.gz"
        columns = [column(file, name) for name in ("stage", "epoch", "loss_unweighted")]
        stage, epoch, loss = map(np.array, columns)
        at_end = loss[(stage == 2) & (epoch == run.config["e2"])]
        assert len(at_end) == 7
        apart.append(max(at_end) - min(at_end))
    (row,) = rows_of("\n".join(searches_table(study, ["comb"])))[1:]
    _, *others = rows_of("\n".join(searches_table(study, ["bellows"])))[1:]
    assert [other[1].count("--") for other in others] == [1, 2, 3, 4]
    effort = f"{90 / run.config['e3']:.4g}"
    apart = f"{min(apart):.4g} to {max(apart):.4g}"
    assert row[:6] == ["comb", "the paper's", "3", "1 to 1", "1 to 1", "1 to 1"]
    assert row[6] == apart
    assert row[8] == f"{effort} to {effort}"


def test_another_score_of_the_same_models(study):
    rows = study.get("square", "synthetic-conventional").summary["methods"]["conventional"]
    expected = [row["by_score"]["standardized"]["test_auc"] for row in rows["per_seed"]]
    assert aucs(study, "square", BASIS.by("standardized")) == pytest.approx(expected)


def test_a_difference_is_that_of_the_means_over_common_seeds(study):
    found = difference(study, "bellows", CLIMB, BASIS)
    assert len(found.per_seed) == 3
    climb, basis = (interval(study, "bellows", each).per_seed[:3] for each in (CLIMB, BASIS))
    assert found.mean == pytest.approx(np.mean(climb) - np.mean(basis))
    assert found.low < found.mean < found.high


def test_the_score_with_the_highest_synthetic_auc_is_the_chosen_one(study):
    row = next(row for row in rows_of("\n".join(scores_table(study, ["comb"])))[1:])
    seeds = study.get("comb", BASIS.run).summary["methods"]["conventional"]["per_seed"]
    means = {
        score: np.mean([seed["by_score"][score]["synthetic_auc"] for seed in seeds])
        for score in seeds[0]["by_score"]
    }
    assert row[-2] == max(means, key=means.get)
    assert row[3].split(" / ")[0] == f"{100 * means['mse']:.2f}"


@pytest.mark.exhaustive
def test_a_signal_that_is_constant_is_said_to_be(tmp_path):
    write_study(tmp_path)
    file = tmp_path / "gravel/labels/conventional/seed-1/history.csv.gz"
    file.write_bytes(gzip.compress(b"adapt_auc,adapt_auc_synthetic\n0.5,0.1\n0.5,0.2\n"))
    row = rows_of("\n".join(signals_table(Study(tmp_path), ["gravel"])))[1]
    assert row[-1] == "1.00 (1.00 to 1.00); one is constant with 1 of 5 seeds"


def test_signals_that_rise_together_have_a_correlation_of_one(study):
    rows = rows_of("\n".join(signals_table(study, ["gravel"])))[1:]
    assert len(rows) == 4
    assert {row[-1] for row in rows} == {"1.00 (1.00 to 1.00)"}


def test_claims_are_of_the_figures(study):
    by_text = {claim.text: claim for claim in claims(study, list(EPOCHS))}
    assert len(by_text) == 10
    beats = next(claim for text, claim in by_text.items() if "did not steer" in text)
    assert set(beats.verdicts()) == set(EPOCHS)
    loss = next(claim for text, claim in by_text.items() if text.startswith("A lower loss"))
    # In the files the AUROC falls with the loss in a line.
    assert all(found.mean == pytest.approx(1.0) for found in loss.findings.values())
    good = next(claim for text, claim in by_text.items() if "85 %" in text)
    assert good.bound == 0.85
    assert set(good.findings) == set(JUDGED)
    for dataset, found in good.findings.items():
        run = study.get(dataset, "synthetic-climb-standardized")
        rows = run.summary["methods"]["auc_adapted"]["per_seed"]
        assert found.mean == pytest.approx(np.mean([row["test_auc"] for row in rows]))


def test_a_claim_s_figure_is_in_its_row(root, study):
    text = (root / "RESULTS.md").read_text().split("### 10.")[1]
    run = study.get("elpv_poly", "synthetic-climb-standardized")
    rows = run.summary["methods"]["auc_adapted"]["per_seed"]
    cells = next(row for row in rows_of(text) if row[0] == "elpv_poly")
    assert cells[1].startswith(f"{100 * np.mean([row['test_auc'] for row in rows]):.2f} [")
    assert cells[2] == "> 85"
    aucs_of = [row["test_auc"] for row in rows]
    assert cells[3] == f"{sum(auc > 0.85 for auc in aucs_of)}/5"


def test_fixed_weights_and_how_often_they_are_chosen(study):
    rows = rows_of("\n".join(fixed_weights_table(study, ["elpv_mono"])))[1:]
    assert [row[1] for row in rows] == ["1", "0.3", "0.1", "0.03", "1e-10"]
    assert sum(int(row[-1].split("/")[0]) for row in rows) == 5
    entries = study.get("elpv_mono", "beta-0.03").summary["methods"]["beta_vae"]["per_seed"]
    assert rows[3][3] == texts([entry["test_auc"] for entry in entries])


def test_runs_that_no_table_may_compare_are_refused(tmp_path):
    two = {"elpv_mono/labels", "elpv_mono/beta-0.1"}
    write_study(tmp_path, without={run.path for run in runs("quick")} - two)
    cut_off = tmp_path / "elpv_mono/.labels.tmp"
    shutil.copytree(tmp_path / "elpv_mono/labels", cut_off)
    assert {f"{run.dataset}/{run.name}" for run in Study(tmp_path)} == two
    file = tmp_path / "elpv_mono/beta-0.1/config.json"
    config = json.loads(file.read_text())
    for name, message in (("epochs", "epochs"), ("profile", "profile")):
        file.write_text(json.dumps(config | {name: 400}))
        with pytest.raises(ConfigError, match=f"Expected the same {message} .*/beta-0.1"):
            Study(tmp_path)
    file.write_text(json.dumps(config))
    (file.parent / "baseline.json").write_text(json.dumps({"counts": {"adapt": [1, 1]}}))
    with pytest.raises(ConfigError, match="Expected the same labelled images"):
        Study(tmp_path)


@pytest.mark.exhaustive
def test_figures_are_there_and_no_others(tmp_path):
    write_study(tmp_path / "files")
    write_page(Study(tmp_path / "files"), tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text()
    shown = set(re.findall(r"\]\(files/figures/([^)]+)\)", text))
    assert {path.name for path in (tmp_path / "files/figures").iterdir()} == shown
    assert len([name for name in shown if name.startswith("fig")]) == 6
    for number in range(14, 25):
        assert f"**Fig. {number}.**" in text
