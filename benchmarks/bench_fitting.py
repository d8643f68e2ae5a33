"""Seconds to fit a detector to good images and to inspect others, beside anomalib.

    python -m venv anomalib && anomalib/bin/pip install anomalib
    python benchmarks/bench_fitting.py --anomalib=anomalib/bin/python

Images are those of bellows, enlarged, in colours, as PNG files. `awl-vae fit` fits six more times
to parts of the images to find its threshold, and writes a report; the other sides have neither. A
method is compared with ours of the same name, and `fit` and its recipe with each other. A side that
has not ended after --most_seconds is stopped, and counts as so many.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from absl import app, flags
from made_images import made_images, write_images
from measure import HERE, environment, report, spread, spread_of_ratios

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_string("anomalib", None, "The Python of an environment with anomalib.", required=True)
flags.DEFINE_integer("num_fitted", 200, "Number of good images.", lower_bound=2)
flags.DEFINE_integer("num_inspected", 64, "Number of other images.", lower_bound=1)
flags.DEFINE_integer("side", 700, "Their height and width in pixels.", lower_bound=16)
flags.DEFINE_integer("rounds", 3, "Turns of each side.", lower_bound=1)
flags.DEFINE_integer("most_seconds", 600, "Seconds after which a side is stopped.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/fitting.json", "The JSON file.")

RECIPE, PADIM, PATCHCORE = "our recipe alone", "our PaDiM", "our PatchCore"
SIDES = {
    "awl-vae fit": ("fit_ours.py", ("fit",), RECIPE),
    RECIPE: ("fit_ours.py", ("low_rank",), RECIPE),
    PADIM: ("fit_ours.py", ("padim",), PADIM),
    "anomalib PaDiM, ResNet-18": ("fit_anomalib.py", ("padim", "resnet18"), PADIM),
    PATCHCORE: ("fit_ours.py", ("patchcore",), PATCHCORE),
    "anomalib PatchCore, ResNet-18": ("fit_anomalib.py", ("patchcore", "resnet18"), PATCHCORE),
    "anomalib PatchCore, coreset at random": (
        "fit_anomalib.py",
        ("patchcore", "resnet18", "random"),
        PATCHCORE,
    ),
}
"""By name the script of a side, its arguments, and the side that it is compared with."""

MEASURES = {
    "fit, s": "fit",
    "one image, ms": "one",
    "of many, ms": "many",
}
COLUMNS = ("side", *MEASURES, "fit, ratio", "one image, ratio", "of many, ratio")


def main(_):
    """Measures and reports."""
    taken = {side: [] for side in SIDES}
    bar = ProgressBar(len(SIDES) * FLAGS.rounds)
    with tempfile.TemporaryDirectory() as directory:
        folder, others = Path(directory) / "photographs", Path(directory) / "others"
        images = [*made_images(FLAGS.num_fitted + FLAGS.num_inspected, FLAGS.side)]
        write_images(images[: FLAGS.num_fitted], folder / "train/good", ".png", is_colour=True)
        write_images(images[FLAGS.num_fitted :], others, ".png", is_colour=True)
        for _ in range(FLAGS.rounds):
            for side, (script, arguments, _) in SIDES.items():
                taken[side].append(_run(script, [folder, others, *arguments]))
                bar.advance(1, side)
    bar.close()
    title = f"Fitting to {FLAGS.num_fitted} images of {FLAGS.side}², and inspecting others"
    report(title, COLUMNS, [_row(side, taken) for side in taken], Path(FLAGS.output))


def _run(script, arguments):
    """One turn of a side: seconds to fit, and milliseconds an image."""
    python = FLAGS.anomalib if script == "fit_anomalib.py" else sys.executable
    command = [python, HERE / script, *arguments]
    most = FLAGS.most_seconds
    try:
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            env=environment(),
            timeout=most,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"fit": float(most), "one": None, "many": None}
    if done.returncode:
        raise RuntimeError(f"Expected a side that runs. Received: {command}\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {"fit": found["fit"], "one": 1e3 * found["one"], "many": 1e3 * found["many"]}


def _row(side, taken):
    row = {"side": side}
    for column, name in MEASURES.items():
        values, ours = ([turn[name] for turn in taken[each]] for each in (side, SIDES[side][2]))
        ratio = f"{column.partition(',')[0]}, ratio"
        if None in values:
            row |= {column: "", ratio: ""}
            continue
        row |= {column: spread(values), ratio: spread_of_ratios(values, ours)}
        if values == [float(FLAGS.most_seconds)] * len(values):
            least = min(value / other for value, other in zip(values, ours, strict=True))
            row |= {column: f"over {FLAGS.most_seconds}", ratio: f"over {least:.1f}"}
    return row


if __name__ == "__main__":
    app.run(main)
