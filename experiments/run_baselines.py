"""Finds defects by the mean image and by PCA, for comparison with the networks.

    awl-vae baselines --dataset=bellows

What an image differs from is the mean of the training images, or its projection to their first
--latent_dim principal components. Scores, thresholds, tables and detectors are those of the other
experiments.
"""

if not __package__:
    import checkout  # noqa: F401

from awl_vae.experiments.command import run
from awl_vae.experiments.flags import define_experiment_flags, run_directory_from_flags


def main() -> int:
    """Runs what the flags ask for; returns the exit status."""
    directory = run_directory_from_flags("baselines")
    from awl_vae.system import quiet_tensorflow  # noqa: F401
    from awl_vae.training.baselines import BASELINES
    from awl_vae.training.runner import run_experiment

    return run_experiment(BASELINES, directory)


if __name__ == "__main__":
    define_experiment_flags("baselines")
    run(main)
