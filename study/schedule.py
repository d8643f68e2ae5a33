"""Running many commands, as many at a time as are wanted, in a way that survives being killed."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from awl_vae.study.grid import Run
from awl_vae.system import write_json
from awl_vae.system.terminal import ProgressBar

NOTED_EVERY = 20.0
"""Seconds after which the time that a run has taken is written down."""


def execute(pending: Sequence[Run], study_dir: Path, *, profile: str, jobs: int) -> int:
    """Runs what is not finished, with a bar for all of it.

    Args:
        pending: the runs.
        study_dir: where their directories go.
        profile: the settings of every run.
        jobs: how many run at a time.

    Returns:
        The exit status: 0, or 1 where a run failed.
    """
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
            while waiting and len(running) < jobs:
                each = waiting.pop(0)
                running[each] = _start(each, study_dir, profile)
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


def _start(each: Run, study_dir: Path, profile: str) -> subprocess.Popen:
    log = _log(each, study_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as output:
        return subprocess.Popen(
            each.command(study_dir, profile), stdout=output, stderr=subprocess.STDOUT
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


def is_finished(each: Run, study_dir: Path, profile: str) -> bool:
    """Whether its summary has all its seeds, and they ran with its flags."""
    directory = study_dir / each.path
    if not (directory / "summary.json").exists():
        return False
    config, summary = (
        json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("config", "summary")
    )
    given = [flag[2:].split("=") for flag in (*each.flags, f"--profile={profile}")]
    wanted = {int(seed) for seed in each.seeds.split(",")}
    return all(_as_flag(config[name]) == value for name, value in given) and all(
        wanted <= {row["seed"] for row in method["per_seed"]}
        for method in summary["methods"].values()
    )


def _as_flag(value):
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
