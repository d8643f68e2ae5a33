"""Compares VAEs on one dataset, the conventional and the AUC-adapted (the paper's Experiment I).

    python experiments/run_auc_adapted.py --dataset=bellows

Trains each of the --methods with every seed, from the same weights and with the images in the same
order, and writes tables, figures, models and TensorBoard events to the run directory. Given twice,
the command goes on where the first was cut off.
"""

from absl import flags

import awl_vae.experiments.flags
from awl_vae.training.auc_adapted import AUC_ADAPTED
from awl_vae.experiments.command import run
from awl_vae.training.runner import run_experiment


def main() -> int:
    """Runs the experiment that the flags ask for; returns the exit status, 1 where a run failed."""
    return run_experiment(AUC_ADAPTED, experiments.flags.run_directory_from_flags(AUC_ADAPTED.name))


if __name__ == "__main__":
    experiments.flags.define_experiment_flags(AUC_ADAPTED.name)
    flags.adopt_module_key_flags(experiments.flags)
    run(main)
