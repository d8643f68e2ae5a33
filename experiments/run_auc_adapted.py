"""Compares VAEs on one dataset, the conventional and the AUC-adapted (the paper's Experiment I).

    awl-vae auc-adapted --dataset=bellows

Trains each of the --methods with every seed, from the same weights and with the images in the same
order, and writes tables, figures, models and TensorBoard events to the run directory. Given twice,
the command goes on where the first was cut off.
"""

if not __package__:
    import checkout  # noqa: F401

from awl_vae.experiments.command import run
from awl_vae.experiments.flags import define_experiment_flags, run_experiment_from_flags

if __name__ == "__main__":
    define_experiment_flags("auc_adapted")
    run(lambda: run_experiment_from_flags("auc_adapted"), goes_on=lambda: True)
