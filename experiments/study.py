"""Runs everything that the results are made of, each run as a command of its own.

    python experiments/study.py --list
    python experiments/study.py
    python experiments/study.py --only='bellows/*'

Every run is one of the other commands with its flags, in a directory of its own below --study_dir.
Cut off, the same command goes on where it was; what is finished is not run again.

A run has one thread, and there are as many runs at a time as cores: two runs of one thread train
half as fast again as one of two, and what a run gives does not depend on how many are beside it.
"""

import fnmatch
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from absl import flags

import awl_vae.experiments  # noqa: F401 (TensorFlow without the noise of its import)
from awl_vae.callbacks import ProgressBar
from awl_vae.experiments.command import run
from awl_vae.training.config import ConfigError
from awl_vae.study.grid import runs
from awl_vae.system import write_json

FLAGS = flags.FLAGS

NOTED_EVERY = 20.0
"""Seconds after which the time that a run has taken is written down."""


def main() -> int:
    """Runs what is not finished; returns 1 where a run failed."""
    chosen = [run for run in runs(FLAGS.profile) if fnmatch.fnmatch(run.path, FLAGS.only)]
    study_dir = Path(FLAGS.study_dir)
    if not chosen:
        raise ConfigError(f"Expected runs that match. Received: only={FLAGS.only}; see --list.")
    if FLAGS.list:
        for each in chosen:
            mark = "finished" if _is_finished(each, study_dir) else "to do"
            print(f"{mark:9}{shlex.join(each.command(study_dir, FLAGS.profile))}")
        return 0
    pending = [run for run in chosen if not _is_finished(run, study_dir)]
    print(f"{len(chosen) - len(pending)} of {len(chosen)} runs are finished.")
    return _execute(pending, study_dir)


def _execute(pending, study_dir):
    bar = ProgressBar(max(1, _units(sum(run.cost for run in pending))))
    waiting, running, failed = list(pending), {}, []
    done = dict.fromkeys(pending, 0)
    clocks = {each: _Clock(study_dir / each.path) for each in pending}

    def advance(each, share, text):
        units = max(_units(share * each.cost), done[each])
        bar.advance(units - done[each], text)
        done[each] = units

    # Ended in whatever way, it leaves no run behind that nobody waits for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        while waiting or running:
            while waiting and len(running) < FLAGS.jobs:
                each = waiting.pop(0)
                running[each] = _start(each, study_dir)
                clocks[each].start()
            time.sleep(0.2)
            for each, process in list(running.items()):
                if process.poll() is None:
                    clocks[each].note()
                    share, text = _progress(each, study_dir)
                    advance(each, share, f"{len(waiting)} wait; {each.path}: {text}")
                    continue
                del running[each]
                clocks[each].stop()
                advance(each, 1.0, f"{each.path} is finished")
                if process.returncode:
                    failed.append(each)
                    log = _log(each, study_dir)
                    bar.say(f"error: {each.path} ended with {process.returncode}; see {log}")
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()
        bar.close()
    print(f"{len(pending) - len(failed)} runs finished, {len(failed)} failed: {study_dir}")
    return int(bool(failed))


class _Clock:
    """How many seconds a run has taken, all the times that it went on taken together."""

    def __init__(self, directory):
        self._path = directory.with_name(f"{directory.name}.time.json")
        # Of a run whose directory was deleted the time counts no more.
        goes_on = directory.exists() and self._path.exists()
        self._before = json.loads(self._path.read_text())["seconds"] if goes_on else 0.0

    def start(self):
        self._began = self._noted = time.monotonic()

    def note(self):
        if time.monotonic() - self._noted > NOTED_EVERY:
            self.stop()

    def stop(self):
        self._noted = time.monotonic()
        write_json(self._path, {"seconds": round(self._before + self._noted - self._began, 1)})


def _units(cost):
    return round(1000 * cost)


def _start(each, study_dir):
    log = _log(each, study_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as output:
        return subprocess.Popen(
            each.command(study_dir, FLAGS.profile), stdout=output, stderr=subprocess.STDOUT
        )


def _log(each, study_dir):
    return study_dir / f"{each.path}.log"


def _progress(each, study_dir):
    """How much of a run is done, in [0, 1], and what it is doing, by the last line of its bar."""
    text = _log(each, study_dir).read_text(errors="replace")
    bars = re.findall(r"(\d+) %  \S+ left  (.*)", text)
    share, doing = bars[-1] if bars else ("0", "starting")
    # Images are read with a bar of their own.
    return (0.0 if doing == "reading images" else int(share) / 100), doing


def _is_finished(each, study_dir):
    """Whether its summary has all its seeds, and they ran with its flags."""
    directory = study_dir / each.path
    if not (directory / "summary.json").exists():
        return False
    config, summary = (
        json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("config", "summary")
    )
    given = [flag[2:].split("=") for flag in (*each.flags, f"--profile={FLAGS.profile}")]
    wanted = {int(seed) for seed in each.seeds.split(",")}
    return all(_as_flag(config[name]) == value for name, value in given) and all(
        wanted <= {row["seed"] for row in method["per_seed"]}
        for method in summary["methods"].values()
    )


def _as_flag(value):
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    flags.DEFINE_enum("profile", "quick", ["quick", "paper"], "The settings of every run.")
    flags.DEFINE_string("study_dir", "runs/study", "Where the run directories of a profile go.")
    flags.DEFINE_string("only", "*", "The runs by <dataset>/<name>, with * and ?.")
    flags.DEFINE_integer(
        "jobs", os.cpu_count(), "Runs at a time; 1 where they share a GPU.", lower_bound=1
    )
    flags.DEFINE_bool("list", False, "Print the commands, and run none.")
    run(main)
