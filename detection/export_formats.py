"""The formats that a detector can be exported to: a row of `FORMATS` each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAVED_MODEL = ("/fingerprint.pb", "/saved_model.pb", "/variables/variables.*")
"""What TensorFlow writes into the directory of a SavedModel; see `foreign_file`."""

EXPORTED = "exported"
"""The name of an export, without the suffix of its format, if nothing is said."""

Runner = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Images (N, h, w) to scores (N,) and anomaly maps (N, H, W)."""


def _run_saved_model(path: Path) -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = loaded.serve(tf.constant(images))
        return outputs["score"].numpy(), outputs["anomaly_map"].numpy()

    return run


def _run_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(["score", "anomaly_map"], {name: images})


def _run_litert(path: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path)).get_signature_runner()
    (name,) = runner.get_input_details()

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = runner(**{name: images})
        return outputs["score"], outputs["anomaly_map"]

    return run


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        about: what it is, for `--help`.
        suffix: of its file; empty where it is a directory.
        keras_name: what `keras.Model.export` calls it.
        run: returns, for the path of an export, what runs it.
    """

    about: str
    suffix: str
    keras_name: str
    run: Callable[[Path], Runner]


FORMATS = {
    "saved_model": ExportFormat("TensorFlow", "", "tf_saved_model", _run_saved_model),
    "onnx": ExportFormat("ONNX", ".onnx", "onnx", _run_onnx),
    "litert": ExportFormat("LiteRT (TensorFlow Lite)", ".tflite", "litert", _run_litert),
}
"""The formats by the names that `--format` takes."""
