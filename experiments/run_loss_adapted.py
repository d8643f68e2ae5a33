"""Compares the conventional and the loss-adapted VAE on one dataset (the paper's Experiment II).

    awl-vae loss-adapted --dataset=comb

Searches with every seed for the weights that lead to the lowest loss: trains to E1, then every
branch from there to E2, then every branch from the best of them to E3. No label steers it; labels
only report on it, and none is needed. Writes tables, figures, models and TensorBoard events to the
run directory. Given twice, the command goes on where the first was cut off.
"""

if not __package__:
    import checkout  # noqa: F401

from awl_vae.experiments.command import run
from awl_vae.experiments.flags import define_experiment_flags, run_experiment_from_flags

if __name__ == "__main__":
    define_experiment_flags("loss_adapted")
    run(lambda: run_experiment_from_flags("loss_adapted"), goes_on=lambda: True)
