"""Experiments on Ray: the bits that they give in sequence, whoever is killed on the way."""

import subprocess
import sys
from pathlib import Path

import commands
import pytest
from conftest import assert_same_run, make_folder, tiny, tiny_search

pytestmark = pytest.mark.slow

LOSS, AUC = "run_loss_adapted.py", "run_auc_adapted.py"
METHODS = ("conventional", "loss_adapted")
SEED = "seed 1"
"""What the titles of all workers have in them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("images") / "photographs")


def search(folder, run, *more):
    return tiny_search(folder, run, "--num_threads=1", *more)


@pytest.fixture(scope="module")
def searched(folder, tmp_path_factory):
    """A search in sequence."""
    run = tmp_path_factory.mktemp("search") / "run"
    commands.run(LOSS, *search(folder, run))
    return run


def test_runs_of_an_experiment(folder, tmp_path):
    flags = ["--num_threads=1", "--seeds=1,2", "--methods=conventional,auc_adapted"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    plain = commands.run(AUC, *tiny(folder, whole, *flags))
    command = commands.run(AUC, *tiny(folder, run, *flags, "--on=ray"))
    assert_same_run(run, whole, ("conventional", "auc_adapted"))
    assert command.stdout.replace(str(run), str(whole)) == plain.stdout
    assert "4 of 4 tasks finished" in command.stderr


def test_an_interrupted_run_goes_on(folder, tmp_path):
    flags = ["--num_threads=1", "--methods=conventional", "--epochs=40"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    commands.run(AUC, *tiny(folder, whole, *flags))
    command = commands.Command(AUC, *tiny(folder, run, *flags, "--on=ray"))
    command.wait_for_lines(run / "conventional/seed-1/history.csv", 5)
    command.interrupt()
    assert command.wait() == 130
    assert "Interrupted. The same command goes on from here." in command.stderr
    assert not list(commands.workers(command, SEED))
    command = commands.run(AUC, *tiny(folder, run, *flags, "--on=ray"))
    assert "conventional seed 1 goes on after epoch " in command.stderr
    assert_same_run(run, whole, ("conventional",))


@pytest.fixture
def cluster():
    """A cluster of a node without and two with a CPU, as processes, that notices deaths at once."""
    from ray.cluster_utils import Cluster

    checks = dict.fromkeys(("initial_delay_ms", "period_ms", "timeout_ms"), 500)
    checks |= {"failure_threshold": 3}
    head = {"num_cpus": 0, "include_dashboard": False}
    head["_system_config"] = {f"health_check_{name}": value for name, value in checks.items()}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()


class Started:
    """A command in a process of its own, with the environment of the test."""

    def __init__(self, script, *arguments):
        command = [sys.executable, commands.SCRIPTS / script, *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self):
        _, errors = self._process.communicate(timeout=commands.AT_MOST)
        assert self._process.returncode == 0, errors.decode()


def test_a_search_on_two_nodes_one_of_which_dies(folder, searched, tmp_path, cluster):
    run = tmp_path / "run"
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    command = Started(LOSS, *search(folder, run, f"--on=ray:{cluster.address}"))
    commands.wait_until(lambda: list(run.glob("loss_adapted/seed-1/checkpoint/legs/2-*/*.npz")))
    cluster.remove_node(nodes[1], allow_graceful=False)
    command.end()
    assert_same_run(run, searched, METHODS)


def test_a_search_whose_worker_sees_no_storage_of_the_driver(
    folder, searched, tmp_path, cluster, monkeypatch
):
    # A path of each process's own stands for the disks of two machines.
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    cluster.add_node(num_cpus=2)
    monkeypatch.chdir(tmp_path / "here")
    own = Path("/proc/self/cwd")
    Started(LOSS, *search(folder, own / "run", f"--on=ray:{cluster.address}")).end()
    assert_same_run(tmp_path / "here/run", searched, METHODS)
    assert list((tmp_path / "there/run").rglob("branches.csv"))


def test_a_search_whose_workers_and_whose_driver_are_killed(folder, searched, tmp_path):
    run = tmp_path / "run"
    flags = search(folder, run, "--on=ray")
    command = commands.Command(LOSS, *flags)
    commands.kill_a_worker(command, SEED)
    command.wait_for_lines(run / "loss_adapted/seed-1/branches.csv", 2)
    commands.kill_a_worker(command, SEED)
    command.kill_at(run / "loss_adapted/seed-1/branches.csv", 4)
    command = commands.run(LOSS, *flags)
    assert "goes on after " in command.stderr
    assert_same_run(run, searched, METHODS)
    assert not [path for path in run.rglob(".*") if path.name != ".lock"]
