"""Epochs and seconds of a loss-adapted search against one conventional run, two and three terms.

    python benchmarks/bench_search.py

The stages are those of the quick profile, the images fewer. A search's seconds include the
snapshots, events and figure that it writes, a conventional run's only its training, so the ratio of
the seconds is what a search costs beside bare training.
"""

import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from absl import app, flags
from measure import NUM_THREADS, alternate, report, spread, spread_of_ratios

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.system.tasks import InSequence
from awl_vae.system.terminal import ProgressBar

FLAGS = flags.FLAGS
flags.DEFINE_list("datasets", ["bellows", "comb"], "Generated datasets: two terms and three.")
flags.DEFINE_integer("num_train", 128, "Training images.")
flags.DEFINE_integer("rounds", 3, "Turns of each side.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/search.json", "The JSON file.")
COLUMNS = ("dataset", "terms", "training", "epochs", "seconds", "epochs, ratio", "seconds, ratio")


def main(_):
    """Measures and reports."""
    from awl_vae.losses import TERMS
    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    rows = []
    bar = ProgressBar(len(FLAGS.datasets) * 3 * FLAGS.rounds)
    for dataset in FLAGS.datasets:
        with tempfile.TemporaryDirectory() as root:
            runs, epochs = _runs(dataset, Path(root))
            taken = alternate(
                runs, FLAGS.rounds, lambda name, text=dataset: bar.advance(1, f"{text}: {name}")
            )
        for name, seconds in taken.items():
            rows.append(
                {"dataset": dataset, "terms": len(TERMS[_config(dataset).likelihood])}
                | {"training": name, "epochs": epochs[name], "seconds": spread(seconds)}
                | {"epochs, ratio": epochs[name] / epochs["conventional"]}
                | {"seconds, ratio": spread_of_ratios(seconds, taken["conventional"])}
            )
    bar.close()
    report("Loss-adapted search against one run", COLUMNS, rows, Path(FLAGS.output))


def _config(dataset):
    from awl_vae.training.resolve import resolve

    given = {"dataset": dataset, "num_train": FLAGS.num_train}
    return replace(resolve("loss_adapted", given | {"num_threads": NUM_THREADS}), repeats=1)


def _runs(dataset, root):
    """By name, what trains once and returns its seconds; and by name, its epochs."""
    from awl_vae.data import load_dataset, prepare
    from awl_vae.training.images import RunImages
    from awl_vae.training.loss_adapted import train
    from awl_vae.training.trainer import Trainer

    config = _config(dataset)
    images = load_dataset(
        dataset,
        config.image_size,
        num_train=FLAGS.num_train,
        protocol="heldout",
        needs_labels=False,
    )
    images = replace(images, adapt=(), test=())
    data = prepare(
        images,
        cache_path=root / "cache.npy",
        manifest_path=root / "images.json",
        num_threads=NUM_THREADS,
    )
    epochs = {"conventional": config.e3}

    def conventional():
        start = time.perf_counter()
        training = Trainer(config, data, 1)
        training.model.fit(training.batches.dataset, epochs=config.e3, shuffle=False, verbose=0)
        return time.perf_counter() - start

    def search(kind):
        def run():
            directory = Path(tempfile.mkdtemp(dir=root))
            start = time.perf_counter()
            trained = train(
                RunImages(directory, replace(config, search=kind), data, version=1),
                methods=("conventional", "loss_adapted"),
                seed=1,
                bar=ProgressBar(1, io.StringIO()),
                engine=InSequence(),
            )
            seconds = time.perf_counter() - start
            epochs[f"{kind} search"] = trained["loss_adapted"].notes["trained_epochs"]
            return seconds

        return run

    runs = {"conventional": conventional}
    runs |= {f"{kind} search": search(kind) for kind in ("full", "halving")}
    return runs, epochs


if __name__ == "__main__":
    app.run(main)
