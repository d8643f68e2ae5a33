"""GANomaly, and a search in latent space as AnoGAN's, beside the VAE: AUROC and seconds an image.

    python benchmarks/compare_with_gan.py

GANomaly is trained on the images that the VAE of the study was trained on, for as many epochs and
with as many latents; its epoch is chosen by the adapt images, as that of the VAE is. AnoGAN
(Schlegl et al., 2017) looks for the latents of an image by 500 gradient steps; here its time alone
is taken, with GANomaly's decoder, since its AUROC would be of a GAN of its own.
"""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from measure import NUM_THREADS, alternate, report, seconds_a_call, spread

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.evaluation import Scorer, auroc
from awl_vae.models import VAE
from awl_vae.models.ganomaly import GANomaly
from awl_vae.study.compared_methods import CONVENTIONAL
from awl_vae.study.grid import EPOCHS
from awl_vae.study.run_files import Study
from awl_vae.system.terminal import ProgressBar
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.images import load_images
from awl_vae.training.resolve import resolve
from awl_vae.training.runtime import set_up, start_run

FLAGS = flags.FLAGS
flags.DEFINE_list("datasets", ["bellows", "square", "comb"], "Datasets.")
flags.DEFINE_integer("seed", 1, "Of initialisation and order.")
flags.DEFINE_string("study_dir", "docs/results/study", "The files of the study.")
flags.DEFINE_string("output", "benchmarks/results/gan.json", "The JSON file.")

ROUNDS, SECONDS = 5, 0.2
"""Turns of each side, and how long one takes at least."""

COLUMNS = ("dataset", "method", "epoch", "AUC, adapt, %", "AUC, test, %", "ms an image")
BATCH_SIZE = 64
SEARCH_STEPS, SEARCH_RATE, FEATURE_SHARE = 500, 0.01, 0.1
"""Of AnoGAN: Γ, the step size, and λ of Eq. (5)."""


def main(_):
    """Trains, measures and reports."""
    set_up(NUM_THREADS)
    study, rows = Study(Path(FLAGS.study_dir)), []
    bar = ProgressBar(sum(EPOCHS[dataset] for dataset in FLAGS.datasets))
    for dataset in FLAGS.datasets:
        rows += _rows(dataset, study, bar)
    bar.close()
    report("GANs beside the VAE, 64²", COLUMNS, rows, Path(FLAGS.output))


def _rows(dataset, study, bar):
    config = resolve("auc_adapted", {"dataset": dataset, "epochs": EPOCHS[dataset]})
    items = load_images(EXPERIMENTS["auc_adapted"].load(), config)
    x = {name: _read(getattr(items, name)) for name in ("train", "adapt", "test")}
    labels = {name: np.array([i.label for i in getattr(items, name)]) for name in ("adapt", "test")}
    start_run(FLAGS.seed)
    gan = GANomaly(x["train"].shape[1:], latent_dim=config.latent_dim)
    gan.compile()
    order, aucs = np.random.default_rng(FLAGS.seed), []
    batches = tf.data.Dataset.from_generator(
        lambda: (x["train"][part] for part in _parts(order.permutation(len(x["train"])))),
        output_signature=tf.TensorSpec((None, *x["train"].shape[1:]), tf.float32),
    )
    score = tf.function(gan.score, reduce_retracing=True)
    for epoch in range(EPOCHS[dataset]):
        for _ in range(config.repeats):
            gan.fit(batches, verbose=0)
        aucs.append({name: auroc(labels[name], _scores(score, x[name])) for name in labels})
        bar.advance(1, f"{dataset}, epoch {epoch + 1}")
    best = int(np.argmax([each["adapt"] for each in aucs]))
    vae = CONVENTIONAL.outcomes(study, dataset)[FLAGS.seed].entry
    scorer = Scorer(_untrained(x["train"].shape[1:], config), config.score, x["train"].shape[1:3])
    one, search = tf.constant(x["test"][:1]), _search(gan)
    calls = {
        "conventional VAE": lambda: scorer.score_and_map(one),
        "GANomaly": lambda: score(one),
        "AnoGAN's search": lambda: search(one),
    }
    merits = {
        "conventional VAE": (vae["epoch"], 100 * vae["auc"], 100 * vae["test_auc"]),
        "GANomaly": (best + 1, *(100 * auc for auc in aucs[best].values())),
    }
    for call in calls.values():
        call()
    sides = {name: partial(seconds_a_call, call, SECONDS) for name, call in calls.items()}
    for name, taken in alternate(sides, ROUNDS, lambda _: None).items():
        milliseconds = spread([1e3 * seconds for seconds in taken])
        of_method = merits.get(name, ("", "", ""))
        yield dict(zip(COLUMNS, (dataset, name, *of_method, milliseconds), strict=True))


def _read(items):
    images = np.stack([item.load() for item in items]).astype(np.float32)
    return images[..., None] / 255.0


def _parts(order):
    return [order[start : start + BATCH_SIZE] for start in range(0, len(order), BATCH_SIZE)]


def _scores(score, x):
    parts = np.array_split(x, -(-len(x) // BATCH_SIZE))
    return np.concatenate([score(tf.constant(part)).numpy() for part in parts])


def _untrained(shape, config):
    """A VAE of the run's size: its time does not depend on its weights."""
    return VAE(shape, latent_dim=config.latent_dim, likelihood=config.likelihood, seed=1)


def _search(gan):
    """Returns what looks for the latents whose image is most like one image."""
    begin = np.random.default_rng(1).normal(size=(1, gan.latent_dim))
    z = keras.Variable(begin, dtype="float32")
    optimizer = keras.optimizers.Adam(SEARCH_RATE)
    optimizer.build([z])

    @tf.function
    def step(x, real):
        with tf.GradientTape() as tape:
            made = gan.decoder(z, training=False)
            residual = tf.reduce_sum(tf.abs(x - made))
            features = tf.reduce_sum(tf.abs(real - gan.features(made, training=False)))
            loss = (1 - FEATURE_SHARE) * residual + FEATURE_SHARE * features
        optimizer.apply([tape.gradient(loss, z)], [z])

    def search(x):
        z.assign(begin)
        real = gan.features(x, training=False)
        for _ in range(SEARCH_STEPS):
            step(x, real)

    return search


if __name__ == "__main__":
    app.run(main)
