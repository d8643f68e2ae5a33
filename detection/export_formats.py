"""The formats that a detector can be exported to: a row of `FORMATS` each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SAVED_MODEL = ("/fingerprint.pb", "/saved_model.pb", "/variables/variables.*")
"""What TensorFlow writes into the directory of a SavedModel; see `foreign_file`."""

EXPORTED = "exported"
"""The name of an export, without the suffix of its format, if nothing is said."""

OUTPUTS = ("score", "anomaly_map", "is_anomalous")
"""Of a graph: (N,) float32, (N, H, W) float32 and (N,) bool."""

Runner = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Images (N, h, w) or (N, h, w, 3) to `OUTPUTS`."""


def _run_saved_model(path: Path) -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs = loaded.serve(tf.constant(images))
        score, anomaly_map, verdict = (outputs[name].numpy() for name in OUTPUTS)
        return score, anomaly_map, verdict

    return run


def _run_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: tuple(session.run(list(OUTPUTS), {name: images}))


def _run_litert(path: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path)).get_signature_runner()
    (name,) = runner.get_input_details()

    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs = runner(**{name: images})
        score, anomaly_map, verdict = (outputs[each] for each in OUTPUTS)
        return score, anomaly_map, verdict

    return run


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        about: what it is, for `--help`.
        suffix: of its file; empty where it is a directory.
        keras_name: what `keras.Model.export` calls it.
        run: returns, for the path of an export, what runs it.
        options: what Keras hands to the converter, by a function, since it takes TensorFlow.
        tolerance: largest difference from the detector's of a score, as its share, and of a map, as
            its largest value's.
    """

    about: str
    suffix: str
    keras_name: str
    run: Callable[[Path], Runner]
    options: Callable[[], Mapping[str, Any]] = dict
    tolerance: float = 1e-3


def _float16() -> dict[str, Any]:
    import tensorflow as tf

    return {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "target_spec": {"supported_types": [tf.float16]},
    }


FORMATS = {
    "saved_model": ExportFormat("TensorFlow", "", "tf_saved_model", _run_saved_model),
    "onnx": ExportFormat("ONNX", ".onnx", "onnx", _run_onnx),
    "litert": ExportFormat("LiteRT (TensorFlow Lite)", ".tflite", "litert", _run_litert),
    "litert_float16": ExportFormat(
        "LiteRT with weights in float16, half as large, less exact",
        ".tflite",
        "litert",
        _run_litert,
        _float16,
        tolerance=1e-2,
    ),
}
"""The formats by the names that `--format` takes."""
