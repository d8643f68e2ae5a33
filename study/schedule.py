"""Running many commands, in a way that survives being killed."""

import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from awl_vae.study.grid import PlannedRun
from awl_vae.study.run_files import StudyRun
from awl_vae.system import read_json, write_json
from awl_vae.system.child import child_process
from awl_vae.system.kinds import NUMBER
from awl_vae.system.tasks import Engine, Task
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity

NOTED_EVERY = 20.0
"""Seconds after which the time that a run has taken is written down."""


def execute(pending: Sequence[PlannedRun], study_dir: Path, *, profile: str, engine: Engine) -> int:
    """Runs what is not finished, with the progress of all of it.

    Args:
        pending: the runs.
        study_dir: where their directories go.
        profile: the settings of every run.
        engine: what they run on.

    Returns:
        The exit status: 0, or 1 where a run failed.
    """
    # Ended in whatever way, it leaves no run behind that nobody waits for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    statuses = engine.run([_task(run, study_dir, profile) for run in pending])
    num_failed = sum(status != 0 for status in statuses)
    finished = quantity(len(pending) - num_failed, "run")
    print(f"{finished} finished, {num_failed} failed: {study_dir}")
    return int(num_failed > 0)


def _task(run: PlannedRun, study_dir: Path, profile: str) -> Task:
    directory = study_dir / run.path
    return Task(
        run.path,
        _run,
        (run, study_dir, profile),
        units=round(1000 * run.cost),
        num_threads=1,
        paths=(directory, _log(directory), _time(directory)),
    )


def _run(run: PlannedRun, study_dir: Path, profile: str, *, bar: ProgressBar) -> int:
    """Runs a command as a process of its own, and tells how far its own bar is."""
    directory = study_dir / run.path
    log, clock = _log(directory), _Clock(directory)
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(log, "wb") as output,
        child_process(run.command(study_dir, profile), output) as process,
    ):
        while (status := process.poll()) is None:
            share, doing = _progress(log)
            bar.advance(max(0, round(share * bar.total) - bar.done), doing)
            clock.note()
            time.sleep(0.2)
    clock.note(is_over=True)
    if status:
        bar.say(f"error: {run.path} ended with {status}; see {log}")
    return status


def _log(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.log")


def _time(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.time.json")


class _Clock:
    """How many seconds a run has taken, all the times that it went on taken together."""

    def __init__(self, directory: Path) -> None:
        self._path = _time(directory)
        # Of a run whose directory was deleted the time counts no more.
        goes_on = directory.exists() and self._path.exists()
        self._before = read_json(self._path, {"seconds": NUMBER})["seconds"] if goes_on else 0.0
        self._began = self._noted = time.monotonic()

    def note(self, *, is_over: bool = False) -> None:
        now = time.monotonic()
        if is_over or now - self._noted > NOTED_EVERY:
            self._noted = now
            write_json(self._path, {"seconds": round(self._before + now - self._began, 1)})


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
