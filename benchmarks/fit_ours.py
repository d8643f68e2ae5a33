"""One side: fitting to a folder of good images, and inspection of others, decoding included.

Arguments: the folder that holds train/good, the folder of the others, and what is done: "fit" is
all of `awl-vae fit`, with its threshold and report, a recipe is that alone. Prints JSON on one
line.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from measure import NUM_THREADS, seconds_an_image

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.detection import Detector, calibrate
from awl_vae.training.fitting.fit import FitSettings, fit
from awl_vae.training.fitting.folder import find_images
from awl_vae.training.fitting.recipes import RECIPES
from awl_vae.training.fitting.work import Work
from awl_vae.training.runtime import set_up, start_run


def main(folder, others, what):
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        detector = _fit(folder, Path(directory) / "detector", what)
        seconds = time.perf_counter() - start
    images = sorted(Path(others).iterdir())
    one, many = (
        seconds_an_image(detector.inspect, images, batch_size) for batch_size in (1, len(images))
    )
    print(json.dumps({"fit": seconds, "one": one, "many": many}))


def _fit(folder, directory, what):
    if what == "fit":
        return fit(FitSettings(folder, num_threads=NUM_THREADS), directory, sys.stderr)
    set_up(NUM_THREADS)
    start_run(1)
    directory.mkdir()
    settings = {"backbone": "efficientnet_lite0", "num_threads": NUM_THREADS, "stream": sys.stderr}
    work = Work(find_images(Path(folder)), directory, **settings)
    normal = [{"split": "calibration", "label": 0, "score": 1.0}]
    return Detector(
        work.fitted(RECIPES[what]),
        resize=work.folder.resize,
        threshold=calibrate(normal, "manual", 10.0),
        pixel_threshold=10.0,
        calibration=normal,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
