"""Batches that are split over replicas, of one process and of several: what one gives."""

import json
import os
import socket
import subprocess
import sys

import commands
import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_same_run, make_folder, read_csv, tiny, variables_of

from awl_vae.data import TrainingBatches

AUC = "run_auc_adapted.py"


class Numbers:
    """Inputs whose images are their positions."""

    shape, num_channels = (1, 1), 1

    def read(self, positions):
        return positions.astype(np.float32)[:, None, None, None]


@pytest.mark.parametrize(("count", "size"), [(12, 4), (11, 5), (7, 6), (5, 4)])
@pytest.mark.parametrize(("replicas", "workers"), [(2, 1), (2, 2), (3, 1), (4, 2)])
def test_shares_are_the_batches_in_their_order(count, size, replicas, workers):
    batches = TrainingBatches(Numbers(), np.arange(count), batch_size=size, seed=1)
    whole = [batch.numpy().ravel() for batch in batches.dataset]
    of_workers = [
        list(
            batches.shares(
                tf.distribute.InputContext(
                    num_input_pipelines=workers,
                    input_pipeline_id=worker,
                    num_replicas_in_sync=replicas,
                )
            )
        )
        for worker in range(workers)
    ]
    own = replicas // workers
    for index, batch in enumerate(whole):
        found = []
        for shares in of_workers:
            for x, (start, total, counts) in shares[own * index : own * (index + 1)]:
                assert total == len(batch)
                values = x.numpy().ravel()
                assert len(values) >= 1
                np.testing.assert_array_equal(values, batch[start : start + len(values)])
                found += [*values] if counts else []
        np.testing.assert_array_equal(found, batch)
    assert all(len(shares) == own * len(whole) for shares in of_workers)


SIZES = "size=256, latent_dim=3, likelihood='bernoulli'"
SPLIT = """
import json
import keras
import numpy as np
from awl_vae.system import quiet_tensorflow
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")[:1]
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 3)
tf.config.experimental.enable_op_determinism()
from awl_vae.callbacks import EpochOrder
from awl_vae.data import TrainingBatches
from awl_vae.models import VAE
from awl_vae.models.balancing import GECO, ControlVAE, UncertaintyWeights
from awl_vae.training.loop import fit_shares

class Images:
    shape, num_channels = (16, 16), 2 if {roi} else 1
    x = np.random.RandomState(0).rand(23, 16, 16, num_channels).astype(np.float32)
    x[..., 1:] = x[..., 1:] > 0.3
    def read(self, positions):
        return self.x[positions]

def trained(strategy, optimizer, count, batch_size, epochs):
    keras.utils.set_random_seed(1)
    batches = TrainingBatches(Images(), np.arange(count), batch_size=batch_size, seed=1)
    with strategy.scope():
        model = VAE((16, 16), latent_dim=3, seed=1, **{model})
        model.compile(optimizer=optimizer())
        model.set_term_weights({{name: 0.5 + i for i, name in enumerate(model.term_weights)}})
    before = flat(model)
    history = keras.callbacks.History()
    fit_shares(model, batches, [EpochOrder(batches), history], strategy=strategy, epochs=epochs,
        initial_epoch=0)
    state = int(np.asarray(model.seed_generator.state)[1])
    return before, flat(model), history.history, state

def flat(model):
    return np.concatenate([np.asarray(v).ravel() for v in model.trainable_variables])

one = tf.distribute.get_strategy()
split = tf.distribute.MirroredStrategy([f"CPU:{{i}}" for i in range({replicas})])
found = []
for optimizer, count, size, epochs in (
    (lambda: keras.optimizers.SGD(1e-4), 6, 6, 1),
    (lambda: keras.optimizers.SGD(1e-4), 5, 5, 1),
    (lambda: keras.optimizers.SGD(1e-4), 1, 4, 1),
    (lambda: keras.optimizers.Adam(1e-3), 23, 6, 1),
):
    start, alone, history, state = trained(one, optimizer, count, size, epochs)
    _, together, other, other_state = trained(split, optimizer, count, size, epochs)
    norm = float(np.linalg.norm(alone))
    found.append({{
        "apart": float(np.linalg.norm(together - alone)) / norm,
        "moved": float(np.linalg.norm(alone - start)) / norm,
        "history": [history, other], "states": [state, other_state]}})
print(json.dumps(found))
"""


HALVES = """
import json
import keras
import numpy as np
from awl_vae.system import quiet_tensorflow
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")[:1]
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from awl_vae.data import TrainingBatches
from awl_vae.models import VAE
from awl_vae.training.loop import fit_shares

class Images:
    shape, num_channels = (16, 16), 1
    x = np.random.RandomState(0).rand(4, 16, 16, 1).astype(np.float32)
    def read(self, positions):
        return self.x[positions]

split = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
batches = TrainingBatches(Images(), np.arange(4), batch_size=4, seed=1)
with split.scope():
    model = VAE((16, 16), latent_dim=3, seed=1, dtype="mixed_float16")
    model.compile(optimizer=keras.optimizers.SGD(1e-4))

def replicas():
    local = [split.experimental_local_results(v.value) for v in model.trainable_variables]
    return [np.concatenate([np.asarray(v[i]).ravel() for v in local]) for i in range(2)]

found = []
for epoch, broken in enumerate((False, True, False)):
    Images.x[0] = np.nan if broken else 0.5  # which one of the two replicas has
    before = replicas()
    fit_shares(model, batches, [], strategy=split, epochs=epoch + 1, initial_epoch=epoch)
    after = replicas()
    found.append({
        "moved": float(np.abs(after[0] - before[0]).max()),
        "apart": float(np.abs(after[0] - after[1]).max()),
        "scale": float(np.asarray(model.optimizer.dynamic_scale))})
print(json.dumps(found))
"""


@pytest.mark.slow
def test_replicas_of_float16_scale_their_loss_and_skip_a_step_together():
    text = subprocess.run(
        [sys.executable, "-c", HALVES], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    first, broken, last = json.loads(text.splitlines()[-1])
    assert first["moved"] > 0 < last["moved"]
    assert broken["moved"] == 0
    assert all(found["apart"] == 0 for found in (first, broken, last))
    assert first["scale"] == 2 * broken["scale"] == 2 * last["scale"] > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "replicas", "roi"),
    [
        ("{}", 2, False),
        ("{}", 3, True),
        ('dict(likelihood="gaussian")', 2, True),
        ('dict(likelihood="gaussian", variance="optimal")', 3, True),
        (f"dict(balancing=UncertaintyWeights({SIZES}))", 2, False),
        (f"dict(balancing=GECO(tolerance=170.0, {SIZES}))", 3, False),
        (f"dict(balancing=ControlVAE(target=3.0, {SIZES}))", 2, False),
    ],
)
def test_replicas_of_one_process_train_as_one(model, replicas, roi):
    script = SPLIT.format(model=model, replicas=replicas, roi=roi)
    text = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    *steps, epoch = json.loads(text.splitlines()[-1])
    for found in steps:
        assert found["apart"] < 1e-5 < 10 * found["moved"]
    for found in (*steps, epoch):
        alone, together = found["history"]
        for name, values in alone.items():
            assert together[name] == pytest.approx(values, rel=1e-4), name
        assert len(set(found["states"])) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("images") / "photographs")


class Workers:
    """The same command as two workers, in processes of their own."""

    def __init__(self, *flags):
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("localhost", 0))
                ports.append(free.getsockname()[1])
        self.processes = []
        for index in range(2):
            cluster = {"worker": [f"localhost:{port}" for port in ports]}
            task = {"type": "worker", "index": index}
            environment = os.environ | {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, commands.SCRIPTS / AUC, *flags],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )

    def end(self, *expected):
        """Waits for the ends, which must have these statuses; returns what was printed."""
        try:
            found = [process.communicate(timeout=120) for process in self.processes]
        finally:
            for process in self.processes:
                process.kill()
        statuses = [process.returncode for process in self.processes]
        assert statuses == list(expected), found
        return found


@pytest.fixture(scope="module")
def together(folder, tmp_path_factory):
    """A run of two workers."""
    run = tmp_path_factory.mktemp("together") / "run"
    flags = tiny(folder, run, "--distribute=multi_worker", "--num_threads=1", "--epochs=8")
    (chief, errors), (other, _) = Workers(*flags).end(0, 0)
    assert "Waiting for all workers: localhost:" in chief
    assert "Taking part in conventional, seed 1." in other
    assert "Collective" not in errors
    return run


@pytest.mark.slow
def test_two_workers_train_as_one(folder, together, tmp_path):
    commands.run(AUC, *tiny(folder, tmp_path / "one", "--num_threads=1", "--epochs=8"))
    for method in ("conventional", "auc_adapted"):
        of_both = [
            read_csv(run / method / "seed-1/history.csv") for run in (together, tmp_path / "one")
        ]
        for row, expected in zip(*of_both, strict=True):
            for name, value in expected.items():
                if name.startswith(("loss", "bce", "kl", "weight")) and row["epoch"] == "1":
                    assert float(row[name]) == pytest.approx(float(value), rel=1e-4), name
            assert list(row) == list(expected)


@pytest.mark.slow
def test_a_killed_worker_ends_the_others_and_the_run_goes_on(folder, together, tmp_path):
    run = tmp_path / "run"
    flags = tiny(folder, run, "--distribute=multi_worker", "--num_threads=1", "--epochs=8")
    for victim, method in ((1, "conventional"), (0, "auc_adapted")):
        workers = Workers(*flags)
        history = run / method / "seed-1/history.csv"
        commands.wait_until(lambda: history.exists() and len(read_csv(history)) > 1)  # noqa: B023
        workers.processes[victim].kill()
        found = workers.end(*((1, -9) if victim else (-9, 1)))
        (line,) = [line for line in found[1 - victim][1].splitlines() if "error:" in line]
        assert "Expected all workers to live until the end" in line
    Workers(*flags).end(0, 0)
    assert_same_run(run, together, ("conventional", "auc_adapted"))
    assert variables_of(run / "conventional/seed-1")
