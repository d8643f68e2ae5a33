"""Peak memory of `awl-vae inspect` on Ray, of all its processes, by the number of images.

    python benchmarks/bench_inspection_memory.py

The images are a thousand small ones under many names: links to their directory. The detector sees
32x32 pixels. It takes a quarter of an hour, and five gigabytes of overlays for a while.
"""

import subprocess
import tempfile
from pathlib import Path

from absl import app, flags
from made_images import write_folders
from measure import AWL_VAE, environment, peak_memory, report_peaks

import awl_vae.system.quiet_tensorflow  # noqa: F401

FLAGS = flags.FLAGS
flags.DEFINE_list("counts", ["10000", "1000000"], "Numbers of images: thousands.")
flags.DEFINE_integer("image_size", 32, "Pixels.", lower_bound=32)
flags.DEFINE_string("output", "benchmarks/results/inspection_memory.json", "The JSON file.")

NUM_IMAGES = 1000


def main(_):
    """Measures and reports."""
    counts = sorted(map(int, FLAGS.counts))
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_folders(root, [NUM_IMAGES], FLAGS.image_size)
        images = root / f"{NUM_IMAGES}/train/good"
        fit = [AWL_VAE, "fit", images, f"--model_dir={root / 'detector'}"]
        fit.append(f"--short_side={FLAGS.image_size}")
        subprocess.run(fit, check=True, capture_output=True, env=environment())
        report_peaks(
            "Memory of an inspection on Ray",
            counts,
            lambda count: _peak(root, _names(root, images, count), count),
            Path(FLAGS.output),
        )


def _names(root, images, count):
    """A list of so many images."""
    path = root / f"{count}.txt"
    with open(path, "w") as file:
        for index in range(count // NUM_IMAGES):
            link = root / f"links/{index:05d}"
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(images)
            file.writelines(f"{link / image.name}\n" for image in sorted(images.iterdir()))
    return path


def _peak(root, names, count):
    command = [AWL_VAE, "inspect", "--images=-", f"--model_dir={root / 'detector'}"]
    with tempfile.TemporaryDirectory(dir=root) as output_dir:
        command += [f"--output_dir={output_dir}/inspection", "--num_threads=1", "--on=ray"]
        peak = peak_memory(command, stdin=names, statuses=(0, 1))
        lines = Path(output_dir, "inspection/inspection.csv").read_bytes().count(b"\n")
    if lines != count + 1:
        raise RuntimeError(f"Expected a line for each of {count} images. Received: {lines - 1}")
    return peak


if __name__ == "__main__":
    app.run(main)
