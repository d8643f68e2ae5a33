"""An exported detector at work with ONNX Runtime, without TensorFlow and without this package.

    awl-vae export --format=onnx --output=detector.onnx --input_size=480x640 --model_dir=...
    python examples/onnx_without_tensorflow.py detector.onnx image.png ...

The graph takes gray images of the size that it was exported for; the file beside it says which, and
has the threshold.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime

network, *paths = sys.argv[1:]
with open(f"{network}.json", encoding="utf-8") as file:
    settings = json.load(file)
size, dtype = tuple(settings["input"]["shape"][1:]), settings["input"]["dtype"]
session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])

for path in paths:
    image = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image is not None:  # gray by its colours, as a detector reads a file
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if image is None or image.shape != size or image.dtype != dtype:
        found = "none" if image is None else f"{image.shape}, {image.dtype}"
        sys.exit(f"error: Expected an image of {size}, {dtype}. Received: {found}, {path}")
    score, anomaly_map = session.run(["score", "anomaly_map"], {"images": image[None]})
    verdict = "normal" if score[0] < settings["threshold"]["value"] else "anomalous"
    row, column = np.unravel_index(np.argmax(anomaly_map[0]), anomaly_map[0].shape)
    print(f"{path}: score {score[0]:.4g}, {verdict}; most at row {row}, column {column} of the map")
