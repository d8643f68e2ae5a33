"""The search in real trainings of a small VAE: bits, batches, noise, snapshots, cuts."""

import csv
import functools
import itertools
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from conftest import assert_same_bits, stripes

from awl_vae.callbacks import (
    EpochOrder,
    LossAdaptedSearch,
    Motion,
    Resume,
    SearchPlan,
    moving_branches,
)
from awl_vae.callbacks.snapshot import read_snapshot, restore
from awl_vae.data import Dataset, Item, TrainingBatches, prepare
from awl_vae.losses import BRANCHES, DISABLED, TERMS
from awl_vae.models import VAE

ENDS = (2, 4, 5)
SEED = 7
METHODS = ("conventional", "loss_adapted")


@dataclass(frozen=True)
class ForcedPlan(SearchPlan):
    """A plan whose stages choose what the test wants, once it is at its end."""

    winners: tuple = ()

    def loss(self, row):
        # The later in the order, the lower, up to the winner: whatever comes before it is the best
        # so far, as in a real search.
        order = list(self.branches)
        winner = order.index(self.winners[row.stage - 1])
        place = order.index(row.branch)
        return -place if place <= winner else place


def forced(*winners, likelihood="bernoulli", **more):
    return ForcedPlan(
        moving_branches(BRANCHES[likelihood], "down"),
        terms=TERMS[likelihood],
        ends=ENDS,
        motion=Motion(DISABLED),
        winners=winners,
        **more,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("images")
    items = tuple(
        Item(name=f"{i}", defect=None, load=lambda i=i: stripes(i, size=(16, 16)))
        for i in range(10)
    )
    return prepare(
        Dataset(items, (), (), ()),
        cache_path=directory / "cache.npy",
        manifest_path=directory / "dataset.json",
        num_threads=1,
    )


def build(likelihood="bernoulli"):
    keras.utils.set_random_seed(SEED)
    model = VAE((16, 16), latent_dim=3, likelihood=likelihood, seed=SEED)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    return model


@functools.cache
def _built(likelihood):
    model = build(likelihood)
    model.optimizer.build(model.trainable_variables)
    return model, bits(model)


def renewed(likelihood="bernoulli"):
    """A model as `build` makes it, without tracing its training step anew."""
    model, initial = _built(likelihood)
    restore(model, initial)
    return model


class RecordingCache:
    """A cache that notes which images were read, in their order."""

    def __init__(self, cache):
        self.shape, self.num_channels = cache.shape, cache.num_channels
        self.cache = cache
        self.positions = []

    def read(self, positions):
        self.positions += positions.tolist()
        return self.cache.read(positions)

    def take(self):
        positions, self.positions = self.positions, []
        return positions


def batches_of(data):
    cache = RecordingCache(data.cache)
    batches = TrainingBatches(cache, data.positions["train"], batch_size=4, seed=SEED)
    batches.cache = cache
    return batches


def bits(model):
    return [np.asarray(v) for v in [*model.variables, *model.optimizer.variables]]


def names(directory):
    return sorted(path.stem for path in directory.iterdir())


class Notes(keras.callbacks.Callback):
    """Notes of each epoch: the bits it starts from, its images, its first batch's terms."""

    def __init__(self, search):
        super().__init__()
        self.search = search
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        step = self.search.step
        self.epochs.append(
            {"stage": step.stage, "branch": step.branch, "epoch": step.epoch}
            | {"is_first": step.start is not None, "start": bits(self.model)}
            | {"models": names(self.search.snapshot_dir)}
            | {"weights": {t: float(w) for t, w in self.model.term_weights.items()}}
        )

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            terms = self.search.plan.terms
            self.epochs[-1]["first_batch"] = {term: float(logs[term]) for term in terms}

    def on_epoch_end(self, epoch, logs=None):
        self.epochs[-1]["models"] += names(self.search.snapshot_dir)
        self.epochs[-1]["fed"] = self.search.batches.cache.take()
        self.epochs[-1]["noise"] = np.asarray(self.model.seed_generator.state)


def searched(data, directory, plan, *, model=None, **others):
    """Fits a search; returns (model, search, notes)."""
    model = model or renewed("gaussian" if "log_variance" in plan.terms else "bernoulli")
    batches = batches_of(data)
    said = []
    directory.mkdir(exist_ok=True)
    (directory / "models").mkdir(exist_ok=True)
    search = LossAdaptedSearch(
        plan,
        batches=batches,
        snapshot_dir=directory / "models",
        branches_path=directory / "branches.csv",
        say=said.append,
    )
    notes = Notes(search)
    resume = Resume(directory / "latest.npz", [search])
    model.fit(
        batches.dataset,
        epochs=resume.last_epoch(plan.epochs_left()),
        initial_epoch=resume.initial_epoch,
        callbacks=[
            *others.get("before_search", ()),
            search,
            *others.get("before_checkpoint", ()),
            resume,
            *others.get("after_checkpoint", ()),
            notes,
        ],
        shuffle=False,
        verbose=0,
    )
    search.said = said
    return model, search, notes


@pytest.fixture(scope="module")
def plain(data):
    """The bits of a conventional training to E3, after each epoch."""
    model = build()
    batches = batches_of(data)
    after = []
    model.fit(
        batches.dataset,
        epochs=ENDS[-1],
        callbacks=[
            EpochOrder(batches),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: after.append(bits(model))),
        ],
        shuffle=False,
        verbose=0,
    )
    return after


def test_where_none_wins_twice_the_model_is_the_plain_one(data, plain, tmp_path):
    model, search, _ = searched(data, tmp_path, forced("none", "none", "none"))
    assert len(search.rows) == 2 + 3 * 2 + 3 * 1
    for method in ("conventional", "loss_adapted"):
        search.restore(method)
        assert_same_bits(bits(model), plain[-1])


def test_the_conventional_vae_beside_another_winner_is_the_plain_one(data, plain, tmp_path):
    model, search, _ = searched(data, tmp_path, forced("none", "kl", "bce"))
    assert search.rows[-1].branch == "conventional"
    search.restore("conventional")
    assert_same_bits(bits(model), plain[-1])
    search.restore("loss_adapted")
    (row,) = [r for r in search.rows if (r.stage, r.branch) == (3, "bce")]
    assert {t: float(w) for t, w in model.term_weights.items()} == {
        term: np.float32(weight) for term, weight in row.weights.items()
    }
    assert search.said[-1].startswith("stage 3: bce is chosen")


def test_branches_of_a_stage_differ_in_nothing_but_their_weights(data, tmp_path):
    plan = forced("none", "log_variance+kl", "mahalanobis", likelihood="gaussian")
    model, _, notes = searched(data, tmp_path, plan)
    for stage in (2, 3):
        epochs = [e for e in notes.epochs if e["stage"] == stage and e["branch"] in plan.branches]
        firsts = [epoch for epoch in epochs if epoch["is_first"]]
        assert [epoch["branch"] for epoch in firsts] == list(plan.branches)
        for epoch in firsts:
            weights = [id(v) for v in model.term_weights.values()]
            for v, a, b in zip(
                [*model.variables, *model.optimizer.variables],
                epoch["start"],
                firsts[0]["start"],
                strict=True,
            ):
                if id(v) not in weights:
                    np.testing.assert_array_equal(a, b)
            # The unweighted terms of the first batch: the same model, images and noise.
            assert epoch["first_batch"] == firsts[0]["first_batch"]
        for logical in {epoch["epoch"] for epoch in epochs}:
            same = [epoch for epoch in epochs if epoch["epoch"] == logical]
            assert len(same) == 7
            for epoch in same:
                np.testing.assert_array_equal(epoch["fed"], same[0]["fed"])
                np.testing.assert_array_equal(epoch["noise"], same[0]["noise"])
    orders = {tuple(epoch["fed"]) for epoch in notes.epochs}
    assert len(orders) == ENDS[-1]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert max(len(set(epoch["models"])) for epoch in notes.epochs) == 3


def test_the_model_trains_with_the_weights_of_the_rows(data, tmp_path):
    _, search, notes = searched(data, tmp_path, forced("none", "kl", "kl"))
    for epoch, row in zip(notes.epochs, search.rows, strict=True):
        weights = {term: np.float32(weight) for term, weight in row.weights.items()}
        assert epoch["weights"] == weights
        loss = sum(weights[term] * value for term, value in row.terms.items())
        assert row.loss == pytest.approx(loss, rel=1e-5)
        assert row.loss_unweighted == row.terms["bce"] + row.terms["kl"]


def test_a_halving_search_gives_each_branch_what_a_full_one_gives_it(data, plain, tmp_path):
    model, full, _ = searched(data, tmp_path / "full", forced("none", "kl", "bce"))
    expected = {method: (full.restore(method), bits(model))[1] for method in METHODS}
    plan = forced("none", "kl", "bce", search="halving")
    model, halving, _ = searched(data, tmp_path / "halving", plan)
    for method in METHODS:
        halving.restore(method)
        assert_same_bits(bits(model), expected[method])
    assert_same_bits(expected["conventional"], plain[-1])
    rows = {(row.stage, row.branch, row.epoch): row for row in full.rows}
    for row in halving.rows:
        if row.branch != "conventional":
            assert row == rows[row.stage, row.branch, row.epoch]
    assert len(halving.rows) < len(full.rows)


class CutError(Exception):
    pass


class Cutter(keras.callbacks.Callback):
    """Cuts a training at the end of its first epoch."""

    def on_epoch_end(self, epoch, logs=None):
        raise CutError


@pytest.mark.exhaustive
@pytest.mark.parametrize("search_kind", ["full", "halving"])
@pytest.mark.parametrize("winners", [("none", "kl", "bce"), ("none", "none", "kl")])
def test_cut_in_every_epoch_before_and_after_its_checkpoint_it_ends_the_same(
    data, tmp_path, winners, search_kind
):
    plan = forced(*winners, search=search_kind)
    whole = tmp_path / "whole"
    model, search, _ = searched(data, whole, plan)
    rows, num_epochs = search.rows, len(search.rows)
    expected = bits(model)
    cut = tmp_path / "cut"
    scrambled = renewed()
    for cuts in itertools.count():
        # First cut behind the models that the epoch keeps but before its checkpoint, so that it is
        # trained again; then right behind its checkpoint.
        place = "after_checkpoint" if cuts % 2 else "before_checkpoint"
        try:
            _, search, _ = searched(data, cut, plan, model=scrambled, **{place: [Cutter()]})
            break
        except CutError:
            if (cut / "latest.npz").exists():
                for variable in [*scrambled.variables, *scrambled.optimizer.variables]:
                    variable.assign(np.ones_like(variable))
            else:
                restore(scrambled, _built("bernoulli")[1])
    assert cuts == 2 * num_epochs
    assert search.rows == rows
    assert_same_bits(bits(scrambled), expected)
    assert (cut / "branches.csv").read_bytes() == (whole / "branches.csv").read_bytes()
    assert names(cut / "models") == names(whole / "models")
    for name in ("chosen-3", "conventional"):
        arrays = [read_snapshot(root / f"models/{name}.npz")[1] for root in (cut, whole)]
        assert_same_bits(*arrays)


class Breaks(keras.callbacks.Callback):
    """Puts NaN into the model at the end of the first epoch of stage 2's second branch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == ENDS[0] + (ENDS[1] - ENDS[0]) + 1:
            kernel = self.model.trainable_variables[0]
            kernel.assign(np.full_like(kernel, np.nan))


def test_a_branch_whose_model_breaks_is_out_and_said_to_be(data, tmp_path):
    plan = SearchPlan(
        moving_branches(BRANCHES["bernoulli"], "down"),
        terms=TERMS["bernoulli"],
        ends=ENDS,
        motion=Motion(DISABLED),
    )
    model, search, _ = searched(data, tmp_path, plan, before_search=[Breaks()])
    assert "stage 2: kl is out, loss_unweighted was nan in epoch 3" in search.said
    with open(tmp_path / "branches.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["stage"] == "2"]
    assert [row["epoch"] for row in rows if row["branch"] == "kl"] == ["3"]
    (chosen,) = {row["branch"] for row in rows if row["selected"] == "1"}
    assert chosen in ("none", "bce")
    for method in ("conventional", "loss_adapted"):
        search.restore(method)
        assert all(np.isfinite(array).all() for array in bits(model))
