"""Training in lower precision and on several devices: the same as in float32 on one."""

import json
import os
import socket
import subprocess
import sys

import pytest

PRELUDE = """
import json, sys
from awl_vae.system import quiet_tensorflow
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras
import numpy as np
from awl_vae import VAE

y, x = np.mgrid[0:32, 0:32] / 32
phase = np.linspace(0, 6, 64)[:, None, None]
images = (0.5 + 0.4 * np.sin(4 * x + 3 * y + phase)).astype(np.float32)[..., None]

def fitted(optimizer, epochs, batch_size=16, **settings):
    keras.utils.set_random_seed(0)
    vae = VAE((32, 32), latent_dim=8, seed=0, **settings)
    vae.compile(optimizer)
    before = [variable.numpy() for variable in vae.trainable_variables]
    batches = tf.data.Dataset.from_tensor_slices(images).batch(batch_size)
    losses = vae.fit(batches, epochs=epochs, verbose=0).history["loss"]
    steps = [v.numpy() - b for v, b in zip(vae.trainable_variables, before)]
    return losses, steps
"""


def result(script, **environment):
    """What a script prints as JSON in its last line."""
    command = [sys.executable, "-c", PRELUDE + script]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("likelihood", "optimizer"),
    [("bernoulli", "keras.optimizers.Adam(1e-3)"), ("gaussian", "keras.optimizers.SGD(1e-4)")],
)
def test_lower_precision_trains_as_float32(likelihood, optimizer):
    script = f"""
images = images[::4]
# Keras would wrap it too, with a scale that takes many steps to come down.
scaled = keras.optimizers.LossScaleOptimizer({optimizer}, initial_scale=64.0)
falls, norms = [], []
for optimizer, policy in (
    ({optimizer}, "float32"), (scaled, "mixed_float16"), ({optimizer}, "mixed_bfloat16")
):
    losses, steps = fitted(optimizer, 3, likelihood={likelihood!r}, dtype=policy)
    falls.append(losses[0] - losses[-1])
    norms.append(float(sum((step**2).sum() for step in steps) ** 0.5))
print(json.dumps([falls, norms]))
"""
    for of_float32, *others in result(script):
        assert of_float32 > 0
        assert others == pytest.approx([of_float32] * 2, rel=0.2)


@pytest.mark.slow
def test_a_step_on_two_devices_is_that_of_one():
    script = """
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one, steps = fitted(keras.optimizers.SGD(1e-3), 1, 64, sample_latent=False)
with strategy.scope():
    two, others = fitted(keras.optimizers.SGD(1e-3), 1, 64, sample_latent=False)
norms = [float(np.linalg.norm(b) / np.linalg.norm(a)) for a, b in zip(steps, others)]
print(json.dumps([one[-1], two[-1], norms]))
"""
    one, two, norms = result(script)
    assert two == pytest.approx(one, rel=1e-5)
    assert norms == pytest.approx([1.0] * len(norms), rel=1e-3)


@pytest.mark.slow
def test_keras_fit_among_several_workers_is_refused_before_anything_is_trained():
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    script = """
from awl_vae.system import quiet_tensorflow
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from awl_vae import VAE
with strategy.scope():
    model = VAE((16, 16), latent_dim=2)
    model.compile()
    try:
        model.fit(tf.zeros([4, 16, 16, 1]), verbose=0)
    except ValueError as error:
        print(error)
"""
    workers = []
    for index in range(2):
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = os.environ | {"TF_CONFIG": config}
        command = [sys.executable, "-c", script]
        workers.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
    for worker in workers:
        text, _ = worker.communicate(timeout=120)
        assert "Received: whole batches, and 2 workers" in text
