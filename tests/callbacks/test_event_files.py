"""TensorBoard's events of a training that is killed and goes on: each step once."""

import pytest
import tensorflow as tf
from conftest import events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from awl_vae.callbacks import EventWriter

TAGS = ("loss/bce", "loss/weighted", "auc/adapt")
HYPER_PARAMETERS = "_hparams_/session_start_info"


def writer(directory):
    writer = EventWriter(
        directory,
        terms=["bce"],
        hyper_parameters={"seed": 1},
        monitor="adapt_auc",
        images=dict,
    )
    writer.on_train_begin()
    return writer


def write(writer, epochs, value):
    """Writes epochs, from 0 as Keras counts, and leaves the files as a kill would."""
    for epoch in epochs:
        writer.on_epoch_end(epoch, {"bce": value, "loss": value, "adapt_auc": 0.5})


@pytest.mark.parametrize("goes_on_after", [0, 1, 3])
def test_each_step_is_there_once_by_the_process_that_goes_on(tmp_path, goes_on_after):
    write(writer(tmp_path), range(3), 1.0)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-7] if goes_on_after < 3 else content)  # also in the middle of one
    # Killed again before its first checkpoint.
    write(writer(tmp_path), [goes_on_after], 2.0)
    write(writer(tmp_path), range(goes_on_after, 5), 3.0)
    found = events(tmp_path)
    assert sorted(found) == sorted(
        [(HYPER_PARAMETERS, 0), *((tag, step) for tag in TAGS for step in range(1, 6))]
    )
    accumulator = EventAccumulator(str(tmp_path)).Reload()
    shown = [
        float(tf.make_ndarray(event.tensor_proto)) for event in accumulator.Tensors("loss/bce")
    ]
    assert shown == [1.0] * goes_on_after + [3.0] * (5 - goes_on_after)


def test_a_training_that_has_nothing_left_to_do_leaves_its_events(tmp_path):
    write(writer(tmp_path), range(2), 1.0)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    writer(tmp_path).on_train_end()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
