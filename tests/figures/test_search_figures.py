"""What the figures and the table of a search show, from rows that the test makes up."""

import dataclasses

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.colors import to_hex

from awl_vae.callbacks import EpochRow, Motion, SearchPlan, moving_branches
from awl_vae.figures.search import Curve, plot_losses
from awl_vae.losses import BRANCHES, DISABLED, TERMS
from awl_vae.training import search_figures
from awl_vae.training.summary_tables import to_markdown

PLAN = SearchPlan(
    moving_branches(BRANCHES["bernoulli"], "down"),
    terms=TERMS["bernoulli"],
    ends=(2, 4, 6),
    motion=Motion(DISABLED),
)


def searched():
    """A search in which `kl` wins stage 2, `bce` stage 3; the KL divergence rises in epoch 3."""
    rows = []
    while (step := PLAN.next_step(rows)) is not None:
        lower = {(2, "kl"): 2.0, (3, "bce"): 3.0}.get((step.stage, step.branch), 0.0)
        terms = {"bce": 100.0 - step.epoch - lower, "kl": 10.0 + (step.epoch == 3)}
        rows.append(
            EpochRow(
                step.stage,
                step.branch,
                step.epoch,
                loss=sum(step.weights[term] * value for term, value in terms.items()),
                loss_unweighted=sum(terms.values()),
                terms=terms,
                weights=step.weights,
                adapt_auc=None,
            )
        )
    return rows


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """By file name, the arguments that the figures of a search are drawn from."""
    calls = {}
    for name in ("plot_losses", "plot_weights", "plot_moving_terms"):
        monkeypatch.setattr(
            search_figures,
            name,
            lambda path, content, **more: calls.update({path.stem: (content, more)}),
        )
    search_figures.plot_search(tmp_path, PLAN, rows=searched(), title="comb")
    return calls


def test_where_the_conventional_vae_is_out_stage_3_has_none(monkeypatch, tmp_path):
    rows = [
        dataclasses.replace(row, loss_unweighted=np.nan)
        if (row.stage, row.branch) == (2, "none")
        else row
        for row in searched()
        if (row.stage, row.branch) != (3, "conventional")
    ]
    calls = []
    monkeypatch.setattr(
        search_figures,
        "plot_losses",
        lambda path, curves, **more: calls.append((more["conventional"] in curves, more)),
    )
    search_figures.plot_search(tmp_path, PLAN, rows=rows, title="comb")
    assert [is_there for is_there, _ in calls] == [True, True, False]
    curves = {"none": Curve([5, 6], [9.0, 8.0]), "kl": Curve([5, 6], [9.0, 7.0])}
    plot_losses(tmp_path / "a.png", curves, conventional="conventional", chosen="kl", title="3")
    assert (tmp_path / "a.png").exists()


def test_losses_of_each_stage(drawn):
    chosen = {stage: drawn[f"losses_stage_{stage}"][1] for stage in (1, 2, 3)}
    assert [chosen[stage]["chosen"] for stage in (1, 2, 3)] == [None, "kl", "bce"]
    roles = [chosen[stage]["conventional"] for stage in (1, 2, 3)]
    assert roles == ["none", "none", "conventional"]
    curves, _ = drawn["losses_stage_3"]
    assert list(curves) == ["none", "kl", "bce", "conventional"]
    assert curves["bce"] == Curve([5, 6], [102.0, 101.0])


def test_weights_of_the_chosen_path_and_of_the_strongest_fall(drawn):
    weights, more = drawn["weights_chosen"]
    assert weights["kl"].epochs == [2, 3, 4, 5, 6]
    assert weights["bce"].values[:3] == [1.0, 1.0, 1.0]
    assert weights["bce"].values[-1] == DISABLED
    assert weights["kl"].values[1:] == [pytest.approx(0.5)] * 4
    assert "kl then bce" in more["title"]
    # In stage 2 the weight of bce falls all the way from 1, and so it does in stage 3: the first.
    weights, more = drawn["weights_strongest"]
    assert weights["bce"].values == [1.0, pytest.approx(0.5), DISABLED]
    assert "bce in stage 2" in more["title"]
    ((moving,), _) = drawn["terms_and_weights"]
    assert (moving.name, moving.watched, moving.stopped) == ("bce", "bce", None)
    assert moving.values.epochs == [2, 3, 4]
    assert moving.weight.epochs == [3, 4]


def test_the_conventional_loss_is_blue_and_the_chosen_red(monkeypatch, tmp_path):
    figures = []
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(
        matplotlib.figure.Figure,
        "savefig",
        lambda self, *args, **kwargs: (figures.append(self), save(self, *args, **kwargs)),
    )
    curves = {
        "none": Curve([3, 4], [9.0, 8.0]),
        "kl": Curve([3, 4], [9.0, 7.0]),
        "bce": Curve([3, 4], [9.0, 900.0]),
    }
    plot_losses(tmp_path / "a.png", curves, conventional="none", chosen="kl", title="stage 2")
    lines = {line.get_label(): line for line in figures[0].axes[0].lines}
    assert list(lines) == ["conventional", "kl, chosen", "bce, leaves the plot"]
    colors = [to_hex(lines[name].get_color()) for name in list(lines)[:2]]
    assert colors == [to_hex("tab:blue"), to_hex("tab:red")]
    np.testing.assert_array_equal(lines["kl, chosen"].get_ydata(), [9.0, 7.0])
    assert figures[0].axes[0].get_ylim()[1] < 900


def entry(seed, **more):
    names = ("auc", "sensitivity", "specificity")
    values = {prefix + name: 0.5 for prefix in ("", "test_") for name in names}
    synthetic = {
        "by_score": {"mse": {"synthetic_auc": 0.7}},
        "synthetic_auc_by_kind": {"blur": 0.6},
    }
    return {"seed": seed, "epoch": 6, "threshold": 0.5} | values | synthetic | more


def test_the_table_of_what_was_chosen_tells_of_failed_searches_too():
    means = dict.fromkeys(entry(1), 0.5) | {"seed": None}
    out = {"stage": 2, "branch": "bce", "epoch": 3}
    adapted = [
        entry(1, loss_unweighted=90.0, chosen=["kl", "none"], out=[out], trained_epochs=15),
        {"seed": 10, "failed": {"epoch": 1, "term": "kl"}}
        | {"chosen": [None, None], "out": [out | {"stage": 1}], "trained_epochs": 1},
    ]
    conventional = [entry(1, loss_unweighted=92.5), {"seed": 10, "failed": adapted[1]["failed"]}]
    methods = {
        name: {"per_seed": rows, "mean": means, "std": means}
        for name, rows in (("conventional", conventional), ("loss_adapted", adapted))
    }
    summary = {"experiment": "loss_adapted", "dataset": "comb", "profile": "quick"}
    summary |= {"protocol": "heldout", "likelihood": "bernoulli", "score": "mse"}
    summary |= {"methods": methods, "mean_intensity": {"adapt": 0.5}}
    text = to_markdown(summary, {"adapt": (3, 4)})
    assert "| 1 | kl | none | 92.50 | 90.00 | -2.50 | 15 |" in text
    assert "| 10 | – | – | – | – | – | 1 |" in text
    assert "With seed 1, bce was out of stage 2: its loss was not finite in epoch 3." in text
    assert "With seed 10, bce was out of stage 1" in text
    assert "| loss_adapted | 10 | stopped: kl was not finite in epoch 1 |" in text
