"""Milliseconds an image from array to score and from file to verdict, beside what could be.

    pip install 'awl-vae[benchmark]' && python benchmarks/bench_scoring.py

The detector is untrained, with the paper's size and latent rank: its speed is that of a trained
one. The floor is the network's operations over the machine's rate of float32 matrix multiplication.
`predict` is Keras' own way, without a score; onnxruntime runs the exported graph.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from absl import app, flags
from measure import Worker, alternate, report, spread, spread_of_ratios
from operations import count_operations

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["64", "256"], "Image sizes in pixels.")
flags.DEFINE_integer("latent_dim", 1000, "Number of latent variables.")
flags.DEFINE_string("score", "mse", "The score.")
flags.DEFINE_integer("rounds", 5, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/scoring.json", "The JSON file.")

WAYS = {
    "array": "array to score",
    "file": "file to verdict",
    "predict": "model.predict",
    "onnxruntime": "onnxruntime",
}
COLUMNS = ("size", "batch", "way", "ms an image", "floor, ms", "over floor")


def main(_):
    """Measures and reports."""
    rows = []
    bar = ProgressBar(len(FLAGS.sizes) * 2 * (len(WAYS) + 1) * FLAGS.rounds)
    with Worker("matmul.py") as matmul, tempfile.TemporaryDirectory() as root:
        for size in map(int, FLAGS.sizes):
            model_dir = Path(root) / str(size)
            _save_detector(size, model_dir)
            for batch_size in (1, 32):
                rows += _rows(size, batch_size, _measure(size, batch_size, model_dir, matmul, bar))
    bar.close()
    report(f"Scoring, {FLAGS.score}, milliseconds an image", COLUMNS, rows, Path(FLAGS.output))


def _measure(size, batch_size, model_dir, matmul, bar):
    """By side, seconds an image; of `matmul`, its rates."""
    with ExitStack() as stack:
        workers = {"matmul": matmul}
        for way in WAYS:
            worker = Worker("score_ours.py", model_dir, way, batch_size)
            workers[way] = stack.enter_context(worker)
        text = f"{size}, batch of {batch_size}: "
        return alternate(workers, FLAGS.rounds, lambda name: bar.advance(1, text + name))


def _rows(size, batch_size, taken):
    forward, _ = count_operations((size, size), latent_dim=FLAGS.latent_dim, num_maps=1)
    floors = [1e3 * forward / rate for rate in taken.pop("matmul")]
    for way, seconds in taken.items():
        times = [1e3 * second for second in seconds]
        yield (
            {"size": size, "batch": batch_size, "way": WAYS[way]}
            | {"ms an image": spread(times), "floor, ms": spread(floors)}
            | {"over floor": spread_of_ratios(times, floors)}
        )


def _save_detector(size, directory):
    from awl_vae.detection import Detector, calibrate
    from awl_vae.evaluation import Scorer
    from awl_vae.models import VAE

    scorer = Scorer(VAE((size, size), latent_dim=FLAGS.latent_dim), FLAGS.score, (size, size))
    scorer.scale.assign(np.full((size, size), 0.1, np.float32))
    rows = [{"image": "", "split": "calibration", "label": 0, "score": 1.0}]
    detector = Detector(
        scorer,
        resize="stretch",
        threshold=calibrate(rows, "manual", 1.0),
        pixel_threshold=10.0,
        calibration=rows,
    )
    detector.save(directory)


if __name__ == "__main__":
    app.run(main)
