"""Runs everything that the results are made of, each run as a command of its own.

    python experiments/study.py --list
    python experiments/study.py
    python experiments/study.py --only='bellows/*' --jobs=2

Every run is one of the other commands with its flags, in a directory of its own below --study_dir.
Cut off, the same command goes on where it was; what is finished is not run again.

Planned for ten hours on two cores. A training of 60 epochs on 1,000 images, or of 200 on 280, is
1.3 to 2.8 minutes long: 60,000 or 56,000 images at 570 a second (`docs/performance.md`), and a
third to a half more for the scores after each epoch. In trainings of that length, a loss-adapted
search being 2.25 for two terms and 4.25 for three, by dataset:

    brick, gravel, bellows      10 + 7 + 10 + 5 + 3 + 6 = 41, one hour each
    square, comb                10 + 13 + 10 + 5 + 3 + 6 = 47, one hour each
    elpv_mono, elpv_poly        10 + 6 + 7 + 10 + 5 + 3 + 20 = 61, two to three hours each

The paper's two experiments come first in a row (its protocol apart only where it trains other
models), then ours, the autoencoder and the fixed weights.
"""

import fnmatch
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from absl import flags

import experiments  # noqa: F401 (TensorFlow without the noise of its import)
from callbacks import ProgressBar
from experiments.command import run
from experiments.config import ConfigError

FLAGS = flags.FLAGS

EPOCHS = {
    "bellows": 60,
    "square": 60,
    "comb": 60,
    "elpv_mono": 200,
    "elpv_poly": 200,
    "brick": 60,
    "gravel": 60,
}
"""By dataset, the epochs of every training: 960 to 1,920 steps."""

FIVE, THREE = "1,10,20,50,100", "1,10,20"
JUDGED = ("elpv_mono", "elpv_poly")
"""Real photographs, on which our rule is judged; it was made on the paper's three datasets."""


@dataclass(frozen=True)
class Run:
    """One command.

    Attributes:
        dataset: its dataset.
        name: what it is called beside others of the dataset.
        script: file name in experiments/.
        flags: its flags but for dataset, profile, seeds and run_dir.
        seeds: its seeds, with commas between.
        cost: how many conventional trainings its trainings take, all seeds together.
    """

    dataset: str
    name: str
    script: str
    flags: tuple[str, ...]
    seeds: str
    cost: float

    @property
    def path(self) -> str:
        """Its directory below the study's."""
        return f"{self.dataset}/{self.name}"

    def command(self, study_dir: Path, profile: str) -> list[str]:
        """Its command line."""
        return [
            sys.executable,
            str(Path(__file__).with_name(self.script)),
            f"--dataset={self.dataset}",
            f"--profile={profile}",
            f"--seeds={self.seeds}",
            f"--run_dir={study_dir / self.path}",
            *self.flags,
        ]


def runs(profile: str) -> Iterator[Run]:
    """All runs of the study, the paper's first."""
    for dataset in EPOCHS:
        yield from runs_of(dataset, profile)


def runs_of(dataset: str, profile: str) -> Iterator[Run]:
    """The runs of one dataset."""

    def adapted(name, seeds, *own, methods="auc_adapted"):
        length = (f"--epochs={EPOCHS[dataset]}",) if profile == "quick" else ()
        flags_of = (f"--methods={methods}", *length, *own)
        count = len(seeds.split(",")) * len(methods.split(","))
        return Run(dataset, name, "run_auc_adapted.py", flags_of, seeds, count)

    both = "conventional,auc_adapted"
    synthetic, ours = "--adapt_signal=synthetic", ("--rule=climb", "--patterns=ladder")
    yield adapted("labels", FIVE, methods=both)
    if dataset in JUDGED:
        # Elsewhere the images that steer are the same under both protocols.
        yield adapted("labels-paper_protocol", THREE, "--protocol=paper", methods=both)
    yield _search(dataset, profile)
    yield adapted("synthetic", FIVE, synthetic, methods=both)
    yield adapted("synthetic-climb", FIVE, synthetic, *ours)
    seeds, kl_weights = THREE, (0.1, 1e-10)
    if dataset in JUDGED:
        seeds, kl_weights = FIVE, (0.3, 0.1, 0.03, 1e-10)
    yield adapted("autoencoder", THREE, synthetic, methods="autoencoder")
    for weight in kl_weights:
        fixed = f"--kl_weight={weight:g}"
        yield adapted(f"beta-{weight:g}", seeds, synthetic, fixed, methods="beta_vae")
    yield Run(dataset, "baselines", "run_baselines.py", (), "1", 0.1)


def _search(dataset, profile):
    e3 = EPOCHS[dataset]
    ends = (f"--e1={e3 // 2}", f"--e2={3 * e3 // 4}", f"--e3={e3}") if profile == "quick" else ()
    conventional_runs = 4.25 if dataset in ("square", "comb") else 2.25
    return Run(dataset, "loss", "run_loss_adapted.py", ends, THREE, 3 * conventional_runs)


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

    def advance(each, share, text):
        units = max(_units(share * each.cost), done[each])
        bar.advance(units - done[each], text)
        done[each] = units

    try:
        while waiting or running:
            while waiting and len(running) < FLAGS.jobs:
                each = waiting.pop(0)
                running[each] = _start(each, study_dir)
            time.sleep(0.2)
            for each, process in list(running.items()):
                if process.poll() is None:
                    share, text = _progress(each, study_dir)
                    advance(each, share, f"{len(waiting)} wait; {each.path}: {text}")
                    continue
                del running[each]
                advance(each, 1.0, f"{each.path} is finished")
                if process.returncode:
                    failed.append(each)
                    log = _log(each, study_dir)
                    bar.say(f"error: {each.path} ended with {process.returncode}; see {log}")
    finally:
        for process in running.values():
            process.terminate()
        bar.close()
    print(f"{len(pending) - len(failed)} runs finished, {len(failed)} failed: {study_dir}")
    return int(bool(failed))


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
    """Whether its summary has all its seeds."""
    file = study_dir / each.path / "summary.json"
    if not file.exists():
        return False
    methods = json.loads(file.read_text(encoding="utf-8"))["methods"].values()
    wanted = {int(seed) for seed in each.seeds.split(",")}
    return all(wanted <= {row["seed"] for row in method["per_seed"]} for method in methods)


if __name__ == "__main__":
    flags.DEFINE_enum("profile", "quick", ["quick", "paper"], "The settings of every run.")
    flags.DEFINE_string("study_dir", "runs/study", "Where the run directories go.")
    flags.DEFINE_string("only", "*", "The runs by <dataset>/<name>, with * and ?.")
    flags.DEFINE_integer("jobs", 1, "Runs at a time.", lower_bound=1)
    flags.DEFINE_bool("list", False, "Print the commands, and run none.")
    run(main)
