"""Worker: seconds from array or file to score and verdict. Arguments: see `bench_scoring`.

Arrays are of 8 bits, files smooth images without a finding.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import NUM_THREADS, seconds_a_call, serve

import awl_vae.system.quiet_tensorflow  # noqa: F401

SECONDS = 1.0
"""How long a turn takes at least."""


def main(model_dir, way, batch_size):
    from awl_vae.detection import Detector
    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    detector = Detector.load(Path(model_dir))
    shape = (int(batch_size), *detector.image_size)
    images = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    with tempfile.TemporaryDirectory() as directory:
        call = WAYS[way](detector, images, Path(directory))
        serve(lambda: seconds_a_call(call, SECONDS) / len(images))


def _array(detector, images, directory):
    return lambda: detector.score(images)


def _predict(detector, images, directory):
    prepared = np.stack([detector.preprocess(image) for image in images])[..., None]
    return lambda: detector.scorer.model.predict(prepared, verbose=0)


def _onnxruntime(detector, images, directory):
    from awl_vae.detection.export import export
    from awl_vae.detection.export_formats import FORMATS

    settings = {"format": "onnx", "input_size": detector.image_size, "dtype": "uint8"}
    export(detector, directory / "exported.onnx", **settings)
    run = FORMATS["onnx"].run(directory / "exported.onnx")
    return lambda: run(images)


def _file(detector, images, directory):
    import cv2

    from awl_vae.detection.judging import find

    paths = [directory / f"{index}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        # Smooth, as photographs are: noise would take longer to decode.
        cv2.imwrite(str(path), cv2.GaussianBlur(image, (0, 0), 8))
    settings = {"batch_size": len(images), "num_threads": NUM_THREADS}
    return lambda: list(find(detector, [(path, None) for path in paths], **settings))


WAYS = {"array": _array, "file": _file, "predict": _predict, "onnxruntime": _onnxruntime}


if __name__ == "__main__":
    main(*sys.argv[1:])
