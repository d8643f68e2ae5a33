"""Branches of a search as tasks: the same bits as in sequence, in any order and after a cut."""

import pickle

import commands
import pytest
from conftest import assert_same_run, make_folder, tiny_search

from awl_vae.system.tasks import InSequence
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.run_directory import open_run_directory
from awl_vae.training.runner import run_experiment
from awl_vae.training.settings import settings_of

METHODS = ("conventional", "loss_adapted")
FLAGS = {
    "full": ("--likelihood=gaussian",),
    "halving": ("--search=halving", "--e1=1", "--e2=6", "--e3=11"),
}


class CutOffError(Exception):
    """What stands for a kill."""


class Backwards:
    """Makes calls as another process would, the last first, and is cut off after some of them."""

    is_parallel = True

    def __init__(self, count=None):
        self.names, self._count = [], count

    def run(self, tasks, bar=None):
        if bar is None:
            return InSequence().run(tasks)
        for task in reversed(pickle.loads(pickle.dumps(tasks))):
            if len(self.names) == self._count:
                raise CutOffError
            self.names.append(task.name)
            task.function(*task.arguments, bar=bar)
        return [None] * len(tasks)


def run_with(engine, flags):
    """What the command does, on an engine."""
    given = dict(flag.removeprefix("--").split("=") for flag in flags)
    run_dir, kinds = given.pop("run_dir"), settings_of(EXPERIMENTS["loss_adapted"].config)
    given = {name: kinds[name].parse(value) for name, value in given.items()}
    with open_run_directory("loss_adapted", given, run_dir=run_dir, overwrite=False) as directory:
        return run_experiment(EXPERIMENTS["loss_adapted"].load(), directory, engine)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("images") / "photographs")


@pytest.fixture(scope="module", params=FLAGS)
def in_sequence(request, folder, tmp_path_factory):
    """A run in sequence, and its flags but for its directory."""
    run = tmp_path_factory.mktemp(request.param) / "run"
    commands.run("run_loss_adapted.py", *tiny_search(folder, run, *FLAGS[request.param]))
    return run, FLAGS[request.param]


@pytest.mark.slow
def test_branches_side_by_side_give_what_they_give_in_sequence(folder, in_sequence, tmp_path):
    whole, flags = in_sequence
    engine = Backwards()
    assert run_with(engine, tiny_search(folder, tmp_path / "run", *flags)) == 0
    assert_same_run(tmp_path / "run", whole, METHODS)
    assert len(set(engine.names)) > 5
    assert not list((tmp_path / "run").rglob("legs"))


@pytest.mark.slow
def test_cut_off_it_goes_on_in_either_way(folder, in_sequence, tmp_path):
    whole, flags = in_sequence
    flags = tiny_search(folder, tmp_path / "run", *flags)
    for count in (1, 3):
        with pytest.raises(CutOffError):
            run_with(Backwards(count), flags)
    # In sequence, killed in the middle of a branch of stage 2, ...
    command = commands.Command("run_loss_adapted.py", *flags)
    command.kill_at(tmp_path / "run/loss_adapted/seed-1/branches.csv", 5)
    # ... and side by side to the end of stage 3, in sequence after it.
    with pytest.raises(CutOffError):
        run_with(Backwards(4), flags)
    commands.run("run_loss_adapted.py", *flags)
    assert_same_run(tmp_path / "run", whole, METHODS)
