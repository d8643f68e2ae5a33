"""One side: `fit` on a folder of good images, and inspection of others, decoding included.

Arguments: the folder that holds train/good, the folder of the others. Prints JSON on one line.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from measure import NUM_THREADS, seconds_an_image

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.training.fitting.fit import FitSettings, fit


def main(folder, others):
    settings = FitSettings(folder, num_threads=NUM_THREADS)
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        detector = fit(settings, Path(directory) / "detector", sys.stderr)
        seconds = time.perf_counter() - start
    images = sorted(Path(others).iterdir())
    one, many = (
        seconds_an_image(detector.inspect, images, batch_size) for batch_size in (1, len(images))
    )
    print(json.dumps({"fit": seconds, "one": one, "many": many}))


if __name__ == "__main__":
    main(*sys.argv[1:])
