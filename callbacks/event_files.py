"""Event files of TensorBoard that a process left behind which was cut off."""

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event

from awl_vae.system import atomic_path


def keep_epochs(log_dir: Path, last: int) -> None:
    """Leaves in a directory's event files what is of the first epochs, and nothing else.

    What follows was written before the checkpoint that would have counted it, and comes again; so
    do the hyper-parameters, which have no epoch. Readers of TensorBoard's would show it twice.

    Args:
        log_dir: the directory of the event files; it need not be there.
        last: the last epoch, from 1, whose events count; 0 for none.
    """
    for path in log_dir.glob("events.out.tfevents.*"):
        events = [(Event.FromString(record), record) for record in _records(path)]
        kept = [record for event, record in events if event.file_version or 0 < event.step <= last]
        if len(kept) <= 1:
            path.unlink()
            continue
        with atomic_path(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in kept:
                writer.write(record)


def _records(path: Path) -> Iterator[bytes]:
    """The records of an event file, but for one that was cut off at its end."""
    try:
        for record in tf.data.TFRecordDataset(str(path)):
            yield record.numpy()
    except tf.errors.DataLossError:
        return
