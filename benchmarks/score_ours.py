"""Worker: seconds from array or file to score and verdict. Arguments: see `bench_scoring`."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import seconds_a_call, serve

import experiments  # noqa: F401 (TensorFlow without the noise of its import)

SECONDS = 1.0
"""How long a turn takes at least."""


def main(model_dir, way, batch_size):
    import cv2

    from detection import Detector
    from detection.export import RUNNERS, export
    from detection.inspection import inspect

    detector = Detector.load(Path(model_dir))
    batch_size = int(batch_size)
    rng = np.random.RandomState(0)
    images = rng.randint(0, 256, (batch_size, *detector.image_size)).astype(np.uint8)
    directory = Path(tempfile.mkdtemp())
    prepared = np.stack([detector.prepare(image) for image in images])
    if way == "array":
        call = lambda: detector.analyze_prepared(prepared)  # noqa: E731
    elif way == "predict":
        model = detector.scorer.model
        call = lambda: model.predict(prepared[..., None], verbose=0)  # noqa: E731
    elif way == "onnxruntime":
        settings = {"format": "onnx", "input_size": detector.image_size, "dtype": "uint8"}
        export(detector, directory / "exported.onnx", **settings)
        run = RUNNERS["onnx"](directory / "exported.onnx")
        call = lambda: run(images)  # noqa: E731
    else:
        paths = [directory / f"{index}.png" for index in range(batch_size)]
        for path in paths:
            # Smooth, as photographs are: noise would take longer to decode.
            image = cv2.GaussianBlur(rng.uniform(0, 255, detector.image_size), (0, 0), 8)
            cv2.imwrite(str(path), np.rint(image).astype(np.uint8))
        call = lambda: list(  # noqa: E731
            inspect(detector, paths, batch_size=batch_size, num_threads=2)
        )

    serve(lambda: seconds_a_call(call, SECONDS) / batch_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
