"""Writes a generated dataset as PNG files, in the layout that --dataset=folder reads.

    python experiments/write_dataset.py --dataset=bellows --output_dir=bellows

The names of the files tell the split that the generated dataset puts them in: train, calibration,
adapt or test. The masks of the defects are in ground_truth/.
"""

from pathlib import Path

from absl import flags

import awl_vae.experiments.flags
from awl_vae.callbacks import ProgressBar
from awl_vae.data import GENERATED, DataError, load_dataset, write_folder
from awl_vae.experiments.command import run
from awl_vae.training.config import DEFAULTS


def main() -> int:
    """Writes the dataset that the flags ask for."""
    values = flags.FLAGS
    if values.dataset not in GENERATED:
        raise DataError(
            f"Expected a dataset among {', '.join(GENERATED)}. Received: dataset={values.dataset}"
        )
    defaults = DEFAULTS[values.profile][values.dataset]
    dataset = load_dataset(
        values.dataset,
        experiments.flags.size_from_flag("image_size") or defaults["image_size"],
        num_train=values.num_train or defaults["num_train"],
        num_adapt=defaults["num_adapt"],
        protocol="heldout",
    )
    bar = ProgressBar(len(dataset.items()))
    write_folder(dataset, Path(values.output_dir), lambda: bar.advance(1, "writing images"))
    bar.close()
    print(f"{len(dataset.items())} images: {values.output_dir}")
    return 0


if __name__ == "__main__":
    experiments.flags.define_data_flags()
    flags.DEFINE_string("output_dir", None, "An empty directory, or one to be made.", required=True)
    flags.adopt_module_key_flags(experiments.flags)
    run(main)
