"""What could make a VAE earn its place in `awl-vae fit`, tried on sets of photographs.

    python benchmarks/compare_vaes.py --root=photographs --set=casting512 --set=cfrp_layup

The recipe of `fit` is fitted with each kind of VAE in the place of its principal components, with
one seed. Beside its AUROC on the images of test stands that of the residuals alone, by their
distances as PatchCore takes them, without the part of the features themselves, which hides what a
model does. It goes on where it was cut off.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from keras import layers, ops

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.callbacks import LossWeightScheduler
from awl_vae.callbacks.rules import ClimbRule
from awl_vae.data.images import to_float
from awl_vae.evaluation import auroc
from awl_vae.evaluation.whitening import standardization
from awl_vae.losses.patterns import LADDER, with_weights
from awl_vae.models import VAE
from awl_vae.system import markdown, read_json, write_json, write_text
from awl_vae.training.fitting.defects import damaged_copies
from awl_vae.training.fitting.explaining import Explaining, LowRank, Trained, batches
from awl_vae.training.fitting.fit import RECIPE
from awl_vae.training.fitting.folder import find_images
from awl_vae.training.fitting.labelled import Maps
from awl_vae.training.fitting.recipes import RECIPES
from awl_vae.training.fitting.work import Work
from awl_vae.training.runtime import set_up, start_run

FLAGS = flags.FLAGS
flags.DEFINE_string("root", None, "Where the sets are.", required=True)
flags.DEFINE_multi_string("set", [], "The sets, by the names of their folders.")
flags.DEFINE_integer("seed", 1, "Of everything that is chosen by chance.")
flags.DEFINE_string("work_dir", "build/photographs", "Where images and features are kept.")
flags.DEFINE_string("output", "benchmarks/results/photographs/vaes.json", "The JSON file.")

NOISE, HIDDEN, CELL = 0.5, 0.3, 4
"""The noise's standard deviation; the share of cells of so many places a side that are hidden."""

LOCAL_LATENTS = 4
"""For each cell of 4 × 4 places."""


class DenoisingVAE(VAE):
    """In training the encoder sees standardized features with noise."""

    def encode(self, x: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """See `VAE`."""
        if training:
            x = x + NOISE * keras.random.normal(ops.shape(x), seed=self.seed_generator)
        return super().encode(x, training)


class MaskedVAE(VAE):
    """In training some cells are hidden from the encoder: they are 0."""

    def encode(self, x: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """See `VAE`."""
        if training:
            height, width, _ = self.shape
            cells = (ops.shape(x)[0], -(-height // CELL), -(-width // CELL), 1)
            seen = keras.random.uniform(cells, seed=self.seed_generator) > HIDDEN
            seen = ops.repeat(ops.repeat(ops.cast(seen, "float32"), CELL, 1), CELL, 2)
            x = x * seen[:, :height, :width]
        return super().encode(x, training)


class LocalVAE(VAE):
    """Latents for each cell of an image, instead of for all of it."""

    def __init__(self, shape, *, latent_dim, **kwargs):
        height, width, channels = shape
        small = -(-height // CELL), -(-width // CELL)
        count = small[0] * small[1]
        super().__init__(shape, latent_dim=count * LOCAL_LATENTS, **kwargs)
        common = {"padding": "same", "activation": "relu"}
        self.encoder = keras.Sequential(
            [
                keras.Input(shape),
                layers.Conv2D(64, 1, **common),
                layers.Conv2D(128, 4, strides=2, **common),
                layers.Conv2D(128, 4, strides=2, **common),
                layers.Conv2D(2 * LOCAL_LATENTS, 1),
                layers.Reshape((count, 2, LOCAL_LATENTS)),
                layers.Permute((2, 1, 3)),  # all means, then all log-variances
                layers.Flatten(),
            ]
        )
        self.decoder = keras.Sequential(
            [
                keras.Input((count * LOCAL_LATENTS,)),
                layers.Reshape((*small, LOCAL_LATENTS)),
                layers.Conv2D(128, 1, **common),
                layers.Conv2DTranspose(128, 4, strides=2, **common),
                layers.Conv2DTranspose(64, 4, strides=2, **common),
                layers.Cropping2D(((0, CELL * small[0] - height), (0, CELL * small[1] - width))),
                layers.Conv2D(2 * channels, 1),
            ]
        )


class SyntheticAUC(keras.callbacks.Callback):
    """Adds `synthetic_auc` to the logs: good images against copies with a drawn defect.

    Args:
        good: features (N, h, w, C) of good images, standardized.
        damaged: the same of the copies.
    """

    def __init__(self, good: np.ndarray, damaged: np.ndarray):
        super().__init__()
        self.x = np.concatenate([good, damaged])
        self.labels = np.repeat([0, 1], [len(good), len(damaged)])

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Scores both by the mean square of what the model leaves."""
        parts = [self.x[part] for part in batches(np.arange(len(self.x)))]
        squares = [np.square(x - self.model(x)).mean(axis=(1, 2, 3)) for x in parts]
        logs["synthetic_auc"] = auroc(self.labels, np.concatenate(squares))


@dataclass(frozen=True)
class Adapted(Trained):
    """The KL weight follows the AUC of synthetic defects by the rule "climb".

    Attributes:
        work: the images, of which copies are drawn.
        epochs: into which the steps are divided.
        num_copies: of images that are fitted.
    """

    work: Work | None = None
    epochs: int = 30
    num_copies: int = 32

    def fit(self, read, indices, num_groups, shape, seed):
        """See `Explaining`."""
        images = np.random.default_rng(seed).permutation(indices)[: self.num_copies]
        everything = np.arange(len(self.work.items))
        standardized = standardization(map(self.work.features, batches(everything)))
        drawn = damaged_copies(
            self.work.levels, self.work.inside, images, range(self.num_copies), len(everything)
        )
        damaged = self.work.extract(to_float(np.stack([copy.image for copy in drawn])))
        rungs = [with_weights("gaussian", kl=self.kl_weight * weight) for weight in LADDER]
        model = self.network(shape, seed)
        with tempfile.TemporaryDirectory() as directory:
            callbacks = [
                SyntheticAUC(read(images), standardized(damaged).numpy()),
                LossWeightScheduler(
                    ClimbRule(rungs, window=2),
                    monitor="synthetic_auc",
                    best_path=Path(directory) / "best.npz",
                ),
            ]
            self.train(model, read, indices, seed, epochs=self.epochs, callbacks=callbacks)
        return model


VAE_64 = Trained()
VARIANTS: dict[str, Callable[[Work], Explaining]] = {
    "40 components, as in `awl-vae fit`": lambda work: RECIPES[RECIPE].model,
    "the mean": lambda work: LowRank(0),
    f"a VAE of {VAE_64.latent_dim} latents, {VAE_64.steps} steps": lambda work: VAE_64,
    "four times the steps": lambda work: replace(VAE_64, steps=4 * VAE_64.steps),
    "16 latents": lambda work: replace(VAE_64, latent_dim=16),
    "256 latents": lambda work: replace(VAE_64, latent_dim=256),
    f"{LOCAL_LATENTS} latents for each {CELL} × {CELL} places": lambda work: replace(
        VAE_64, kind=LocalVAE
    ),
    "KL weight 100": lambda work: replace(VAE_64, kl_weight=100.0),
    "KL weight 0.01": lambda work: replace(VAE_64, kl_weight=0.01),
    "KL weight by `climb`, twice the steps": lambda work: Adapted(
        work=work, steps=2 * VAE_64.steps
    ),
    f"denoising, σ = {NOISE}": lambda work: replace(VAE_64, kind=DenoisingVAE),
    f"{HIDDEN:.0%} of the places hidden": lambda work: replace(VAE_64, kind=MaskedVAE),
}
"""By its title, what stands in the place of the components; it is given the images."""

MEASURES = {
    "auroc": "AUROC of images by the whole recipe",
    "residual": "AUROC of images by the residuals alone",
}


def main(_):
    """Measures what is not yet in the file, and writes the tables."""
    path = Path(FLAGS.output)
    rows = read_json(path)["rows"] if path.exists() else []
    done = {(row["set"], row["variant"]) for row in rows}
    set_up(2)
    for title, name in itertools.product(VARIANTS, FLAGS.set):
        if (name, title) in done:
            continue
        print(f"{name}, {title}", file=sys.stderr)
        directory = Path(FLAGS.work_dir) / name
        directory.mkdir(parents=True, exist_ok=True)
        start_run(FLAGS.seed)
        work = Work(
            find_images(Path(FLAGS.root) / name),
            directory,
            backbone="efficientnet_lite0",
            num_threads=2,
            stream=sys.stderr,
            seed=FLAGS.seed,
        )
        rows.append({"set": name, "variant": title, "seed": FLAGS.seed} | _row(work, title))
        write_json(path, {"rows": rows})
    write_text(path.with_suffix(".md"), "\n".join(_tables(rows)) + "\n")


def _row(work, title):
    labels = work.data.labels["test"]
    work.features(np.array([0]))  # which are computed now, and not while the time is taken
    start = time.perf_counter()
    scorer = work.fitted(replace(RECIPES[RECIPE], model=VARIANTS[title](work)))
    seconds = time.perf_counter() - start
    whole = Maps(work, scorer).scores
    scorer.has_plain = False
    del scorer.score_and_map_of_features  # it is traced anew
    residual = Maps(work, scorer).scores
    return {
        "auroc": auroc(labels, whole),
        "residual": auroc(labels, residual),
        "seconds": seconds,
    }


def _tables(rows):
    sets, titles = ([*dict.fromkeys(row[name] for row in rows)] for name in ("set", "variant"))
    found = {(row["set"], row["variant"]): row for row in rows}
    for measure, about in MEASURES.items():
        yield from ("", f"#### {about}", "") if measure != "auroc" else (f"#### {about}", "")
        lines = []
        for title in titles:
            values = [found.get((name, title), {}).get(measure) for name in sets]
            shown = ["" if value is None else f"{value:.4f}" for value in values]
            mean = "" if None in values else f"{np.mean(values):.4f}"
            lines.append([title, mean, *shown])
        yield from markdown.table(["", "mean", *sets], lines)


if __name__ == "__main__":
    app.run(main)
