"""Compares the conventional and the AUC-adapted VAE on one dataset (the paper's Experiment I).

    python experiments/run_auc_adapted.py --dataset=bellows

Trains both methods with every seed, from the same weights and with the images in the same order,
and writes tables, figures, models and TensorBoard events to the run directory. Given twice, the
command goes on where the first was cut off.
"""

from absl import flags

import experiments.flags
from experiments.command import run
from experiments.run_directory import RunDirectory
from experiments.runner import run_experiment


def main() -> bool:
    """Runs the experiment that the flags ask for; False where a run failed."""
    config, run_dir = experiments.flags.config_from_flags("auc_adapted")
    directory = RunDirectory(
        run_dir,
        config,
        overwrite=flags.FLAGS.overwrite,
        keep_threads=flags.FLAGS.num_threads is None,
    )
    return run_experiment(directory)


if __name__ == "__main__":
    experiments.flags.define_experiment_flags()
    experiments.flags.define_adaptation_flags()
    flags.adopt_module_key_flags(experiments.flags)
    run(main)
