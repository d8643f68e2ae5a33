"""Where the time goes: each layer alone, forward and in a training step, beside its operations.

    python benchmarks/bench_layers.py

The share is the layer's operations over what the machine's own float32 matrix multiplication does
in that time. Each part alone includes an empty call of a traced function, which is a part too.
"""

from functools import partial
from pathlib import Path

import numpy as np
from absl import app, flags
from measure import NUM_THREADS, Worker, alternate, report, seconds_a_call, spread, spread_of_ratios
from operations import count_operations

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.losses import bce
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["64", "256"], "Image sizes in pixels.")
flags.DEFINE_list("latent_dims", ["100", "1000"], "Numbers of latent variables, one a size.")
flags.DEFINE_list("batch_sizes", ["1", "32"], "Images in a batch; one image makes no step.")
flags.DEFINE_integer("rounds", 5, "Turns of each layer.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/layers.json", "The JSON file.")
COLUMNS = ("size", "batch", "part", "output")
COLUMNS += ("forward, ms", "forward, share", "step, ms", "step, share")
SECONDS = 0.1
"""How long a turn takes at least."""


def main(_):
    """Measures and reports."""
    import tensorflow as tf

    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    tf.get_logger().setLevel("ERROR")  # every part is traced on purpose
    rows, turns, operations = [], {}, {}
    for size, latent_dim in zip(map(int, FLAGS.sizes), map(int, FLAGS.latent_dims), strict=True):
        for batch_size in map(int, FLAGS.batch_sizes):
            for part, output, passes in _parts(size, latent_dim, batch_size):
                rows.append({"size": size, "batch": batch_size, "part": part, "output": output})
                rows[-1] |= dict.fromkeys(COLUMNS[4:], "")
                for name, (count, call) in passes.items():
                    call()
                    key = len(rows) - 1, name
                    operations[key], turns[key] = count, partial(seconds_a_call, call, SECONDS)
    bar = ProgressBar((len(turns) + 1) * FLAGS.rounds)
    with Worker("matmul.py") as matmul:
        sides = {"matmul": matmul} | turns
        taken = alternate(sides, FLAGS.rounds, lambda _: bar.advance(1, "each part alone"))
    bar.close()
    rates = taken.pop("matmul")
    for (index, name), seconds in taken.items():
        rows[index][f"{name}, ms"] = spread([1e3 * s for s in seconds])
        if operations[index, name]:
            floors = [operations[index, name] / rate for rate in rates]
            rows[index][f"{name}, share"] = spread_of_ratios(floors, seconds)
    report("Layers", COLUMNS, rows, Path(FLAGS.output))


def _parts(size, latent_dim, batch_size):
    """(name, shape of the output, passes) of each layer, and of what is around them."""
    import keras
    import tensorflow as tf

    from awl_vae.models import VAE
    from awl_vae.training.runtime import start_run

    start_run(seed=1)
    model = VAE((size, size), latent_dim=latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(1e-4))
    x = tf.random.uniform((batch_size, size, size, 1))
    yield "an empty call", "", {"forward": (0, tf.function(lambda: x[0, 0, 0]))}
    for layer in [*model.encoder.layers, *model.decoder.layers]:
        if hasattr(layer, "kernel"):
            output = "×".join(map(str, layer.output.shape[1:]))
            yield layer.name, output, _layer_passes(layer, batch_size)
    forward, step = count_operations((size, size), latent_dim=latent_dim, num_maps=1)
    passes = {"forward": (batch_size * forward, tf.function(lambda: model(x)))}
    if batch_size > 1:
        logits = tf.random.normal(x.shape)
        yield "bce", "", _passes_of(lambda: bce(x, logits), [logits], 0)
        variables = model.trainable_variables
        gradients = [tf.random.normal(variable.shape) for variable in variables]
        model.optimizer.build(variables)
        adam = tf.function(lambda: model.optimizer.apply(gradients, variables))
        yield "Adam", "", {"step": (0, adam)}
        passes["step"] = (batch_size * step, tf.function(lambda: model.train_step(x)))
    yield "all of it", f"{size}×{size}×1", passes


def _layer_passes(layer, batch_size):
    import tensorflow as tf

    x = tf.random.normal((batch_size, *layer.input.shape[1:]))
    places = min(np.prod(layer.input.shape[1:-1]), np.prod(layer.output.shape[1:-1]))
    count = 2.0 * batch_size * places * np.prod(layer.kernel.shape)
    # Nothing needs the gradient with respect to the image.
    wanted = layer.trainable_variables
    if layer.input.shape[-1] > 1:
        wanted = [x, *wanted]
    passes = _passes_of(lambda: layer(x), wanted, count, steps=2 + (layer.input.shape[-1] > 1))
    return passes if batch_size > 1 else {"forward": passes["forward"]}


def _passes_of(call, wanted, count, steps=0):
    """By "forward" and "step": the operations, and what does them once."""
    import tensorflow as tf

    y = tf.random.normal(call().shape)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([value for value in wanted if isinstance(value, tf.Tensor)])
            output = call()
        # With the output, which a layer without an activation would not have to compute.
        return output, tape.gradient(output, wanted, output_gradients=y)

    return {"forward": (count, tf.function(call)), "step": (steps * count, step)}


if __name__ == "__main__":
    app.run(main)
