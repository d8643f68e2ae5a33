"""Where the time goes: each layer alone, forward and in a training step, beside its operations.

    python benchmarks/bench_layers.py

The share is the layer's operations over what the machine's own float32 matrix multiplication does
in that time. A layer alone includes a call of a traced function, some 0.2 ms.
"""

from functools import partial
from pathlib import Path

import numpy as np
from absl import app, flags
from measure import Worker, alternate, report, seconds_a_call, spread, spread_of_ratios

import experiments  # noqa: F401 (TensorFlow without the noise of its import)
from callbacks import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["64", "256"], "Image sizes in pixels.")
flags.DEFINE_list("latent_dims", ["100", "1000"], "Numbers of latent variables, one a size.")
flags.DEFINE_list("batch_sizes", ["1", "32"], "Images in a batch; one image makes no step.")
flags.DEFINE_integer("rounds", 5, "Turns of each layer.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/layers.json", "The JSON file.")
COLUMNS = ("size", "batch", "layer", "output")
COLUMNS += ("forward, ms", "forward, share", "step, ms", "step, share")
SECONDS = 0.1
"""How long a turn takes at least."""


def main(_):
    """Measures and reports."""
    from experiments.runtime import set_up, start_run
    from models import VAE

    set_up(num_threads=2)
    rows, turns, operations = [], {}, {}
    for size, latent_dim in zip(map(int, FLAGS.sizes), map(int, FLAGS.latent_dims), strict=True):
        start_run(seed=1)
        model = VAE((size, size), latent_dim=latent_dim)
        layers = [*model.encoder.layers, *model.decoder.layers]
        for batch_size in map(int, FLAGS.batch_sizes):
            for layer in (layer for layer in layers if hasattr(layer, "kernel")):
                output = "×".join(map(str, layer.output.shape[1:]))
                rows.append({"size": size, "batch": batch_size, "layer": layer.name})
                rows[-1] |= dict.fromkeys(COLUMNS[4:], "") | {"output": output}
                for name, (count, call) in _passes(layer, batch_size).items():
                    key = len(rows) - 1, name
                    call()
                    operations[key], turns[key] = count, partial(seconds_a_call, call, SECONDS)
    bar = ProgressBar((len(turns) + 1) * FLAGS.rounds)
    matmul = Worker("matmul.py")
    taken = alternate(
        {"matmul": matmul} | turns, FLAGS.rounds, lambda _: bar.advance(1, "each layer alone")
    )
    matmul.close()
    bar.close()
    rates = taken.pop("matmul")
    for (index, name), seconds in taken.items():
        floors = [operations[index, name] / rate for rate in rates]
        rows[index][f"{name}, ms"] = spread([1e3 * s for s in seconds])
        rows[index][f"{name}, share"] = spread_of_ratios(floors, seconds)
    report("Layers", COLUMNS, rows, Path(FLAGS.output))


def _passes(layer, batch_size):
    """By "forward" and "step": the operations for a batch, and what does them once."""
    import tensorflow as tf

    x = tf.random.normal((batch_size, *layer.input.shape[1:]))
    y = tf.random.normal((batch_size, *layer.output.shape[1:]))
    places = min(np.prod(layer.input.shape[1:-1]), np.prod(layer.output.shape[1:-1]))
    count = 2.0 * batch_size * places * np.prod(layer.kernel.shape)
    is_first = layer.input.shape[-1] == 1

    @tf.function
    def forward():
        return layer(x)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = layer(x, training=True)
        wanted = layer.trainable_variables if is_first else [x, *layer.trainable_variables]
        # With the output, which a layer without an activation would not have to compute.
        return output, tape.gradient(output, wanted, output_gradients=y)

    passes = {"forward": (count, forward)}
    if batch_size > 1:
        passes["step"] = (count * (2 if is_first else 3), step)
    return passes


if __name__ == "__main__":
    app.run(main)
