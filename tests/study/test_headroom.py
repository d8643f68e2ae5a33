"""How much there is to gain, from runs drawn at random."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from stand_in import write_study

from awl_vae.evaluation.intervals import Interval
from awl_vae.figures.maps import plot_maps as plot
from awl_vae.study import grid, headroom as headroom_of
from awl_vae.study.compared_methods import (
    BASIS,
    CLIMB,
    CONVENTIONAL,
    GECO,
    MAPPED,
    MARGIN,
    difference,
)
from awl_vae.study.grid import EPOCHS, THREE_TERMS, map_name, map_weights
from awl_vae.study.headroom import (
    aim_lines,
    headroom,
    headroom_table,
    is_above_noise,
    plot_headroom,
    share,
    shares_table,
)
from awl_vae.study.run_files import Study

MISSING = "comb/map-0.01"
SEVERAL = ("bellows", "square", "brick", "gravel", "elpv_mono")
"""The datasets whose map has three seeds; the others have one."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            grid, "MAP_SEEDS", dict.fromkeys(EPOCHS, grid.ONE) | dict.fromkeys(SEVERAL, grid.THREE)
        )
        write_study(root, without=[MISSING])
    return Study(root)


def entries(study, dataset, seed):
    """By weights, the entry of a seed."""
    runs = {weights: map_name(*weights) for weights in map_weights(dataset)}
    methods = {(1.0, 1.0): ("labels", "conventional")}
    methods |= {weights: (name, "beta_vae") for weights, name in runs.items()}
    return {
        weights: next(
            row
            for row in study.get(dataset, name).summary["methods"][method]["per_seed"]
            if row["seed"] == seed
        )
        for weights, (name, method) in methods.items()
    }


def test_the_map_has_weights_from_10_to_next_to_nothing():
    for dataset in EPOCHS:
        weights = list(map_weights(dataset))
        alone = [kl for kl, log_variance in weights if log_variance == 1]
        assert alone == [10, 0.1, 0.01, 1e-4, 1e-6, 1e-10]
        assert (len(weights) > len(alone)) == (dataset in THREE_TERMS)
        assert (1.0, 1.0) not in weights


def test_headroom_is_chosen_on_adapt_images_and_read_on_test_images(study):
    for dataset in EPOCHS:
        if dataset == "comb":
            continue
        gains = []
        for seed in (1, 10, 20) if dataset in SEVERAL else (1,):
            of_seed = entries(study, dataset, seed)
            best = max(of_seed.values(), key=lambda entry: entry["auc"])
            gains.append(best["test_auc"] - of_seed[1.0, 1.0]["test_auc"])
        assert headroom(study, dataset).per_seed == pytest.approx(gains)


def test_a_map_that_is_not_finished_has_none(study):
    assert headroom(study, "comb") is None
    assert not any(line.startswith("| comb") for line in headroom_table(study, list(EPOCHS)))


def test_a_training_that_stopped_is_not_the_best(study, tmp_path):
    of_seed = entries(study, "bellows", 1)
    weights = max(of_seed, key=lambda each: of_seed[each]["auc"])
    assert weights != (1.0, 1.0)
    others = [entry for each, entry in of_seed.items() if each != weights]
    again = Study(study.root)
    rows = again.get("bellows", map_name(*weights)).summary["methods"]["beta_vae"]["per_seed"]
    place = [row["seed"] for row in rows].index(1)
    rows[place] = {"seed": 1, "failed": {"epoch": 2, "term": "kl"}}
    best = MAPPED.outcomes(again, "bellows")
    assert set(best) == {1, 10, 20}
    assert best[1].entry == max(others, key=lambda entry: entry["auc"])
    assert any(line.startswith("| bellows") for line in headroom_table(again, ["bellows"]))
    assert plot_headroom(again, tmp_path)


def test_a_share_is_a_gain_over_the_headroom(study, monkeypatch):
    # What is drawn at random is hardly above its own noise.
    several = "awl_vae.study.headroom.is_above_noise"
    monkeypatch.setattr(several, lambda found: found is not None and len(found.per_seed) > 1)
    for dataset in SEVERAL:
        # Climb has five seeds, and the map three: these are what both are of.
        aucs = {
            each: {seed: of.entry["test_auc"] for seed, of in each.outcomes(study, dataset).items()}
            for each in (CLIMB, MAPPED, CONVENTIONAL)
        }
        assert len(aucs[CLIMB]) == 5
        gain, there_is = (
            sum(aucs[each][seed] - aucs[CONVENTIONAL][seed] for seed in (1, 10, 20))
            for each in (CLIMB, MAPPED)
        )
        assert share(study, dataset, CLIMB) == pytest.approx(gain / there_is)
    assert share(study, "comb", CLIMB) is None  # a map that is not finished
    assert share(study, "elpv_poly", CLIMB) is None  # one seed
    header, _, *rows = shares_table(study, list(EPOCHS))
    there = [each for each in EPOCHS if each in SEVERAL]
    assert [cell.strip() for cell in header.split("|")[3:-3]] == there
    assert not any("PCA" in row for row in rows)
    (row,) = [row for row in rows if row.startswith(f"| {CLIMB.title} |")]
    mean, least = (cell.strip() for cell in row.split("|")[-3:-1])
    assert mean == f"{100 * np.mean([share(study, each, CLIMB) for each in there]):.0f}"
    bases = (CONVENTIONAL, BASIS)
    gains = {each: min(difference(study, each, CLIMB, b).mean for b in bases) for each in EPOCHS}
    where = min(gains, key=gains.get)
    assert least == f"{100 * gains[where]:+.2f}, {where}"


def test_the_aim_is_reached_by_what_takes_enough_and_loses_little(study, monkeypatch):
    shares = {CLIMB: 0.8, MARGIN: 0.9, GECO: 0.5}
    losses = {CLIMB: -0.009, MARGIN: -0.011, GECO: 0.1}
    monkeypatch.setattr(headroom_of, "mean_share", lambda *of: shares.get(of[2]))
    monkeypatch.setattr(headroom_of, "least_gain", lambda *of: (losses.get(of[2], 0.0), "comb"))
    (text,) = aim_lines(study, list(EPOCHS))
    assert text.endswith(f" This is reached by: {CLIMB.title} (80 %, -0.90 points on comb).")
    del shares[CLIMB]
    (text,) = aim_lines(study, list(EPOCHS))
    assert " Of 2 rules that were run everywhere none reaches it; " in text
    assert text.endswith(f"; most takes {MARGIN.title} (90 %, -1.10 points on comb).")
    shares.clear()
    (text,) = aim_lines(study, list(EPOCHS))
    assert text.endswith(" None was run on every dataset with a map that is finished.")


def test_what_is_above_the_noise():
    above = Interval(0.05, 0.01, 0.09, (0.04, 0.06))
    assert is_above_noise(above)
    assert not is_above_noise(replace(above, low=-0.01))
    assert not is_above_noise(replace(above, per_seed=(0.05,)))
    assert not is_above_noise(None)


def test_the_map_is_drawn(study, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        "awl_vae.study.headroom.plot_maps",
        lambda path, maps: (drawn.update({each.title: each for each in maps}), plot(path, maps)),
    )
    file = tmp_path / plot_headroom(study, tmp_path)
    assert cv2.imread(str(file)).std() > 10
    assert set(drawn) == {f"{each}, seed 1" for each in EPOCHS if each != "comb"}
    found = drawn["bellows, seed 1"]
    assert found.weights == ("10", "1", "0.1", "0.01", "0.0001", "1e-06", "1e-10")
    for row, (kl, name) in enumerate([(10, "map-10"), (1, "labels")]):
        method = "conventional" if kl == 1 else "beta_vae"
        history = study.get("bellows", name).outcomes(method)[1].history()
        np.testing.assert_array_equal(found.aucs[row], history["adapt_auc"])
