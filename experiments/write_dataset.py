"""Writes a generated dataset as PNG files, in the layout that --dataset=folder reads.

    awl-vae write-dataset --dataset=bellows --output_dir=bellows

The names of the files tell the split that the generated dataset puts them in: train, calibration,
adapt or test. The masks of the defects are in ground_truth/.
"""

if not __package__:
    import checkout  # noqa: F401

from contextlib import closing
from pathlib import Path

from absl import flags

from awl_vae.data.sources import GENERATED
from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.flags import define_settings
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import quantity
from awl_vae.training.resolve import resolve

SETTINGS = ("profile", "image_size", "num_train")


def main() -> int:
    """Writes the dataset that the flags ask for."""
    from awl_vae.data import load_dataset, write_folder

    values = flags.FLAGS
    given = {name: values[name].value for name in ("dataset", *SETTINGS)}
    config = resolve("baselines", given)
    dataset = load_dataset(
        config.dataset,
        config.image_size,
        num_train=config.num_train,
        num_adapt=config.num_adapt,
        protocol="heldout",
    )
    with closing(ProgressBar(len(dataset.items()))) as bar:
        write_folder(dataset, Path(values.output_dir), lambda: bar.advance(1, "writing images"))
    print(f"{quantity(len(dataset.items()), 'image')}: {values.output_dir}")
    return 0


if __name__ == "__main__":
    flags.DEFINE_enum("dataset", "bellows", list(GENERATED), "Which of the generated ones.")
    define_settings("baselines", SETTINGS)
    define_path("output_dir", None, "An empty directory, or one to be made.", required=True)
    run(main)
