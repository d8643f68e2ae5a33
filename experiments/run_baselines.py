"""Finds defects by the mean image and by PCA, for comparison with the networks.

    awl-vae baselines --dataset=bellows

What an image differs from is the mean of the training images, or its projection to their first
--latent_dim principal components. With --input=features, the baselines are PaDiM, PatchCore and the
low-rank recipe of `awl-vae fit`, each with its own score and no --latent_dim. Thresholds, tables
and detectors are those of the other experiments.
"""

if not __package__:
    import checkout  # noqa: F401

from awl_vae.experiments.command import run
from awl_vae.experiments.flags import define_experiment_flags, run_experiment_from_flags

if __name__ == "__main__":
    define_experiment_flags("baselines")
    run(lambda: run_experiment_from_flags("baselines"), goes_on=lambda: True)
