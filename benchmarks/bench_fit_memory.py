"""Peak memory of `awl-vae fit`, by the number of images.

    python benchmarks/bench_fit_memory.py

Of the files of decoded images and of features the system keeps in memory what there is room for;
that does not count, see `peak_memory`.
"""

import tempfile
from pathlib import Path

from absl import app, flags
from made_images import write_folders
from measure import AWL_VAE, peak_memory, report_peaks

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.training.fitting.folder import SHORT_SIDE

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["100", "1000", "10000"], "Numbers of images.")
flags.DEFINE_integer("image_size", 256, "Pixels.", lower_bound=32)
flags.DEFINE_string("output", "benchmarks/results/fit_memory.json", "The JSON file.")


def main(_):
    """Measures and reports."""
    counts = sorted(map(int, FLAGS.counts))
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_folders(root, counts, FLAGS.image_size)

        def peak_of(count):
            model_dir = root / f"detector_{count}"
            fit = [AWL_VAE, "fit", root / str(count), f"--model_dir={model_dir}"]
            return peak_memory([*fit, f"--short_side={min(FLAGS.image_size, SHORT_SIDE)}"])

        report_peaks("Memory of fitting a detector", counts, peak_of, Path(FLAGS.output))


if __name__ == "__main__":
    app.run(main)
