"""Compares the conventional and the loss-adapted VAE on one dataset (the paper's Experiment II).

    python experiments/run_loss_adapted.py --dataset=comb

Searches with every seed for the weights that lead to the lowest loss: trains to E1, then every
branch from there to E2, then every branch from the best of them to E3. No label steers it; labels
only report on it, and none is needed. Writes tables, figures, models and TensorBoard events to the
run directory. Given twice, the command goes on where the first was cut off.
"""

from absl import flags

import awl_vae.experiments.flags
from awl_vae.experiments.command import run
from awl_vae.training.loss_adapted import LOSS_ADAPTED
from awl_vae.training.runner import run_experiment


def main() -> int:
    """Runs the experiment that the flags ask for; returns the exit status, 1 where a run failed."""
    return run_experiment(
        LOSS_ADAPTED, experiments.flags.run_directory_from_flags(LOSS_ADAPTED.name)
    )


if __name__ == "__main__":
    experiments.flags.define_experiment_flags(LOSS_ADAPTED.name)
    flags.adopt_module_key_flags(experiments.flags)
    run(main)
