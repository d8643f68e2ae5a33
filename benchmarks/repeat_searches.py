"""Full searches once more that differ from those before in nothing but the noise ε.

    python benchmarks/repeat_searches.py --run_dir=runs/repeated
    python benchmarks/compare_searches.py --halving_dir=runs/repeated --other=repeated \
        --output=…

How often a search chooses as it did before, and how far apart the losses are, says how much of a
difference between two ways to search is chance. Cut off, the same command goes on.
"""

from pathlib import Path
from unittest import mock

from absl import app, flags

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae import VAE, train
from awl_vae.training import trainer

FLAGS = flags.FLAGS
flags.DEFINE_string("run_dir", "runs/repeated", "Where the runs go, one a dataset.")
flags.DEFINE_list("datasets", ["bellows", "square", "comb", "elpv_mono"], "Datasets.")
flags.DEFINE_integer("num_threads", 2, "CPU threads.", lower_bound=1)

SHIFT = 1_000_003
"""What is added to the seed of the noise; those of initialisation and order stay."""


def main(_):
    """Searches on every dataset."""
    with mock.patch.object(trainer, "VAE", _with_other_noise):
        for dataset in FLAGS.datasets:
            train(
                dataset=dataset,
                experiment="loss_adapted",
                seeds=(1, 10, 20),
                run_dir=Path(FLAGS.run_dir) / dataset,
                num_threads=FLAGS.num_threads,
            )


def _with_other_noise(*args, seed, **kwargs):
    return VAE(*args, seed=seed + SHIFT, **kwargs)


if __name__ == "__main__":
    app.run(main)
