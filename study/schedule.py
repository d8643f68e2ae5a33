"""Running many commands, as many at a time as are wanted, in a way that survives being killed."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from awl_vae.study.grid import PlannedRun
from awl_vae.study.run_files import StudyRun
from awl_vae.system import read_json, write_json
from awl_vae.system.kinds import NUMBER
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity

NOTED_EVERY = 20.0
"""Seconds after which the time that a run has taken is written down."""


def execute(pending: Sequence[PlannedRun], study_dir: Path, *, profile: str, jobs: int) -> int:
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
    waiting, num_failed = list(pending), 0
    going: list[_Job] = []
    # Ended in whatever way, it leaves no run behind that nobody waits for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        while waiting or going:
            while waiting and len(going) < jobs:
                going.append(_Job(waiting.pop(0), study_dir, profile))
            time.sleep(0.2)
            for job in list(going):
                status = job.follow(bar, len(waiting))
                if status is not None:
                    going.remove(job)
                if status:
                    num_failed += 1
                    bar.say(f"error: {job.run.path} ended with {status}; see {job.log}")
    finally:
        for job in going:
            job.process.terminate()
        for job in going:
            job.process.wait()
        bar.close()
    finished = quantity(len(pending) - num_failed, "run")
    print(f"{finished} finished, {num_failed} failed: {study_dir}")
    return int(num_failed > 0)


class _Job:
    """A run that is going on, as a process of its own."""

    def __init__(self, run: PlannedRun, study_dir: Path, profile: str) -> None:
        self.run = run
        self.log = study_dir / f"{run.path}.log"
        self._clock = _Clock(study_dir / run.path)
        self._units_done = 0
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = run.command(study_dir, profile)
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def follow(self, bar: ProgressBar, num_waiting: int) -> int | None:
        """Moves the bar on, never back; returns the exit status, or None where it goes on."""
        status = self.process.poll()
        self._clock.note(is_over=status is not None)
        share, text = 1.0, f"{self.run.path} is finished"
        if status is None:
            share, doing = _progress(self.log)
            text = f"{num_waiting} wait; {self.run.path}: {doing}"
        units = max(_units(share * self.run.cost), self._units_done)
        bar.advance(units - self._units_done, text)
        self._units_done = units
        return status


class _Clock:
    """How many seconds a run has taken, all the times that it went on taken together."""

    def __init__(self, directory: Path) -> None:
        self._path = directory.with_name(f"{directory.name}.time.json")
        # Of a run whose directory was deleted the time counts no more.
        goes_on = directory.exists() and self._path.exists()
        self._before = read_json(self._path, {"seconds": NUMBER})["seconds"] if goes_on else 0.0
        self._began = self._noted = time.monotonic()

    def note(self, *, is_over: bool) -> None:
        now = time.monotonic()
        if is_over or now - self._noted > NOTED_EVERY:
            self._noted = now
            write_json(self._path, {"seconds": round(self._before + now - self._began, 1)})


def _units(cost: float) -> int:
    return round(1000 * cost)


def _progress(log: Path) -> tuple[float, str]:
    """How much of a run is done, in [0, 1], and what it is doing, by the last line of its bar."""
    text = log.read_text(encoding="utf-8", errors="replace")
    bars = re.findall(r"(\d+) %  (?:\S+ left  )?(.*)", text)
    share, doing = bars[-1] if bars else ("0", "starting")
    # Images are read with a bar of their own.
    return (0.0 if doing == "reading images" else int(share) / 100), doing


def is_finished(run: PlannedRun, study_dir: Path, profile: str) -> bool:
    """Whether its summary has all its seeds, and they ran with its flags."""
    written = StudyRun(study_dir / run.path)
    if not (written.path / "summary.json").exists():
        return False
    given = [flag[2:].split("=") for flag in (*run.flags, f"--profile={profile}")]
    has_flags = all(_as_flag(written.config[name]) == value for name, value in given)
    return has_flags and {int(seed) for seed in run.seeds.split(",")} <= written.seeds


def _as_flag(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
