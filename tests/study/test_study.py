import re
import sys
from pathlib import Path

import commands
import pytest
from conftest import read_json

from awl_vae.study.grid import PlannedRun, runs


def test_every_run_is_in_a_directory_of_its_own():
    for profile in ("quick", "paper"):
        paths = [run.path for run in runs(profile)]
        assert len(set(paths)) == len(paths)


def test_seeds_are_the_paper_s():
    seeds = {run.path: run.seeds for run in runs("quick")}
    assert seeds["bellows/labels"] == seeds["elpv_poly/synthetic-climb"] == "1,10,20,50,100"
    assert seeds["comb/loss"] == "1,10,20"


def test_flags_are_those_of_the_commands():
    own = {}
    for run in runs("quick"):
        if run.script not in own:
            text = commands.run(run.script, "--help", expected=1).stdout
            own[run.script] = set(re.findall(r"--(?:\[no\])?(\w+)", text))
        command = run.command(Path("there"), "quick")
        assert {re.match(r"--(\w+)", flag)[1] for flag in command[2:]} <= own[run.script]


@pytest.mark.slow
@pytest.mark.parametrize("on", [(), ("--on=ray",)])
def test_one_run_is_run_and_not_run_again(tmp_path, on):
    flags = [f"--study_dir={tmp_path}", "--only=bellows/baselines", *on]
    first = commands.run("study.py", *flags)
    assert "1 run finished, 0 failed" in first.stdout
    summary = read_json(tmp_path / "bellows/baselines/summary.json")
    assert summary["methods"]["pca"]["mean"]["auc"] > 0.4
    listed = commands.run("study.py", *flags, "--list").stdout
    assert listed.startswith("finished")
    again = commands.run("study.py", *flags)
    assert "Finished: 1 of 1 run." in again.stdout


def test_a_run_that_fails_is_told_and_the_status_is_1(tmp_path):
    blocked = tmp_path / "bellows/baselines"
    blocked.mkdir(parents=True)
    (blocked / "others.txt").write_text("")
    flags = [f"--study_dir={tmp_path}", "--only=bellows/baselines"]
    command = commands.run("study.py", *flags, expected=1)
    assert "error: bellows/baselines ended with 1; see" in command.stderr
    assert "others.txt" in (tmp_path / "bellows/baselines.log").read_text()


def test_a_command_line():
    run = PlannedRun("comb", "loss", "run_loss_adapted.py", ("--e3=4",), "1,10", 4)
    command = run.command(Path("there"), "quick")
    assert command[0] == sys.executable
    assert command[2:] == [
        "--dataset=comb",
        "--profile=quick",
        "--seeds=1,10",
        "--num_threads=1",
        "--run_dir=there/comb/loss",
        "--e3=4",
    ]
