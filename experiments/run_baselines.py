"""Finds defects by the mean image and by PCA, for comparison with the networks.

    python experiments/run_baselines.py --dataset=bellows

What an image differs from is the mean of the training images, or its projection to their first
--latent_dim principal components. Scores, thresholds, tables and detectors are those of the other
experiments.
"""

from absl import flags

import awl_vae.experiments.flags
from awl_vae.training.baselines import BASELINES
from awl_vae.experiments.command import run
from awl_vae.training.runner import run_experiment


def main() -> int:
    """Runs what the flags ask for; returns the exit status."""
    return run_experiment(BASELINES, experiments.flags.run_directory_from_flags(BASELINES.name))


if __name__ == "__main__":
    experiments.flags.define_experiment_flags(BASELINES.name)
    flags.adopt_module_key_flags(experiments.flags)
    run(main)
