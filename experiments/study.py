"""Runs everything that the results are made of, each run as a command of its own.

    awl-vae study --list
    awl-vae study
    awl-vae study --only='bellows/*'

Every run is one of the other commands with its flags, in a directory of its own below --study_dir.
Cut off, the same command goes on where it was; what is finished is not run again.

A run has one thread, and there are as many runs at a time as cores: two runs of one thread train
half as fast again as one of two, and what a run gives does not depend on how many are beside it.
"""

if not __package__:
    import checkout  # noqa: F401

import fnmatch
import os
import shlex
from pathlib import Path

from absl import flags

from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.flags import define_engine
from awl_vae.study.grid import runs
from awl_vae.study.schedule import execute, is_finished
from awl_vae.system.errors import UserError
from awl_vae.system.tasks import InThreads, engine_of
from awl_vae.system.words import quantity
from awl_vae.training.defaults import PROFILES

FLAGS = flags.FLAGS


def main() -> int:
    """Runs what is not finished; returns 1 where a run failed."""
    profile, study_dir = FLAGS.profile, Path(FLAGS.study_dir)
    chosen = [each for each in runs(profile) if fnmatch.fnmatch(each.path, FLAGS.only)]
    if not chosen:
        raise UserError(f"Expected runs that match. Received: --only={FLAGS.only}; see --list")
    finished = {each for each in chosen if is_finished(each, study_dir, profile)}
    if FLAGS.list:
        for each in chosen:
            mark = "finished" if each in finished else "to do"
            print(f"{mark:9}{shlex.join(each.command(study_dir, profile))}")
        return 0
    print(f"Finished: {len(finished)} of {quantity(len(chosen), 'run')}.")
    pending = [each for each in chosen if each not in finished]
    engine = engine_of(FLAGS.on) if FLAGS.on else InThreads(FLAGS.jobs)
    return execute(pending, study_dir, profile=profile, engine=engine)


if __name__ == "__main__":
    flags.DEFINE_enum("profile", "quick", PROFILES, "The settings of every run.")
    define_path("study_dir", "runs/study", "Where the run directories of a profile go.")
    flags.DEFINE_string("only", "*", "The runs by <dataset>/<name>, with * and ?.")
    flags.DEFINE_integer(
        "jobs", os.cpu_count(), "Runs at a time; 1 where they share a GPU.", lower_bound=1
    )
    define_engine("as many runs at a time as --jobs says")
    flags.DEFINE_bool("list", False, "Print the commands, and run none.")
    run(main, goes_on=lambda: True)
