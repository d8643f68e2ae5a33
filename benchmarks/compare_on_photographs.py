"""What `awl-vae fit` and its rivals find on sets of photographs in the layout of MVTec AD.

    python benchmarks/compare_on_photographs.py --root=photographs

Each folder in --root is a set. PaDiM and PatchCore have the same features and images as the recipe
of `fit`, and so has that recipe with the VAE (`vae`) or the mean (`neither`) in the place of the
components; `precise` is `fit --precise`, and PCA sees gray pixels, as in the report of `fit`. A
threshold is for a promised 1 % of false alarms, from good images that were held out; labels of test
images are read by this program alone. It goes on where it was cut off.
"""

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from absl import app, flags

import awl_vae.system.quiet_tensorflow  # noqa: F401
from awl_vae.detection import calibrate
from awl_vae.evaluation import auroc, pixel_metrics
from awl_vae.evaluation.intervals import difference_interval
from awl_vae.system import atomic_path, markdown, read_json, write_json, write_text
from awl_vae.training.fitting.explaining import LowRank, Trained
from awl_vae.training.fitting.fit import RECIPE
from awl_vae.training.fitting.folder import find_images
from awl_vae.training.fitting.held_out import HeldOut
from awl_vae.training.fitting.labelled import CHANGED, Maps, PixelMaps, with_masks
from awl_vae.training.fitting.recipes import RECIPES
from awl_vae.training.fitting.work import THRESHOLD, Work
from awl_vae.training.runtime import set_up, start_run

FLAGS = flags.FLAGS
flags.DEFINE_string("root", None, "Where the sets are.", required=True)
flags.DEFINE_list("seeds", ["1", "10", "20"], "Seeds of everything that is chosen by chance.")
flags.DEFINE_string("work_dir", "build/photographs", "Where images and features are kept.")
flags.DEFINE_string("output", "benchmarks/results/photographs/found.json", "The JSON file.")

THRESHOLDS = (THRESHOLD, "quantile")
RATE = 0.01

OTHERS = {
    "precise": RECIPES[RECIPE],
    "neither": replace(RECIPES[RECIPE], model=LowRank(0)),
    "vae": replace(RECIPES[RECIPE], model=Trained()),
}
"""The recipe with other features, and with other models: does the VAE earn its place?"""

WITH_THRESHOLDS = (*RECIPES, "precise")
PIXELS = "pca_pixels"

METHODS = {
    RECIPE: "`awl-vae fit`",
    "precise": "`awl-vae fit --precise`",
    "vae": "the same with a VAE",
    "neither": "the same with the mean",
    "padim": "PaDiM",
    "patchcore": "PatchCore",
    PIXELS: "PCA on gray pixels",
}
"""What is measured, in the order of the tables, with its title there."""

AT_THRESHOLDS = {
    f"found_{THRESHOLD}": "Share of the defects found",
    f"false_alarms_{THRESHOLD}": "False alarms",
    "found_quantile": "Share of the defects found by the threshold `quantile`",
    "false_alarms_quantile": "False alarms by the threshold `quantile`",
}
MEASURES = {
    "auroc": "AUROC of images",
    "aupro": "AUPRO, up to 30 % of false positives, where there are masks",
    **AT_THRESHOLDS,
    "goods_against_held_out": "AUROC of good test images against those held out",
}
"""Of a method on a set: what it is, in the order of the tables."""

flags.DEFINE_multi_enum("method", [*METHODS], [*METHODS], "What is measured.")


def main(_):
    """Measures what is not yet in the file, and writes the tables."""
    path = Path(FLAGS.output)
    rows = read_json(path)["rows"] if path.exists() else []
    scores = _read_scores(path)
    done = {(row["set"], row["seed"], row["method"]) for row in rows}
    sets = sorted(child for child in Path(FLAGS.root).iterdir() if (child / "train").is_dir())
    set_up(2)
    for seed, folder in itertools.product(map(int, FLAGS.seeds), sets):
        methods = [name for name in FLAGS.method if (folder.name, seed, name) not in done]
        if not methods:
            continue
        directory = Path(FLAGS.work_dir) / folder.name
        directory.mkdir(parents=True, exist_ok=True)
        start_run(seed)
        images = find_images(folder)
        works = {
            precise: Work(
                images,
                directory,
                backbone="efficientnet_lite0",
                precise=precise,
                num_threads=2,
                stream=sys.stderr,
                seed=seed,
            )
            for precise in (False, True)
        }
        for name in methods:
            work = works[name == "precise"]
            print(f"{folder.name}, seed {seed}, {name}", file=sys.stderr)
            row, found = _row(work, name)
            scores |= {f"{folder.name}/{seed}/{key}": value for key, value in found.items()}
            scores[f"{folder.name}/labels"] = work.data.labels["test"]
            rows.append({"set": folder.name, "seed": seed, "method": name} | row)
            with atomic_path(path.with_suffix(".npz")) as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, **scores)
            write_json(path, {"rows": rows})
    lines = [*_tables(rows), *_differences(rows, scores)]
    write_text(path.with_suffix(".md"), "\n".join(lines) + "\n")


def _read_scores(path):
    """Scores of test images by set, seed and method, those held out, and the labels by set."""
    try:
        with np.load(path.with_suffix(".npz")) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        return {}


def _row(work, name):
    """The figures of a method, and scores (N,) by name: of test images, of those held out."""
    recipe = None if name == PIXELS else (RECIPES | OTHERS)[name]
    maps = PixelMaps(work) if recipe is None else Maps(work, work.fitted(recipe))
    labels = work.data.labels["test"]
    row, found = {"auroc": auroc(labels, maps.scores)}, {name: np.float32(maps.scores)}
    if name in WITH_THRESHOLDS:
        held_out = _held_out(work, recipe)
        found[f"{name}/held_out"] = np.float32(held_out)
        goods, anomalous = (maps.scores[labels == label] for label in (0, 1))
        both = np.repeat([0, 1], [len(held_out), len(goods)])
        row["goods_against_held_out"] = auroc(both, np.concatenate([held_out, goods]))
        calibration = [{"split": "calibration", "label": 0, "score": each} for each in held_out]
        for threshold in THRESHOLDS:
            value = calibrate(calibration, threshold, RATE).value
            row[f"found_{threshold}"] = float(np.mean(anomalous >= value))
            row[f"false_alarms_{threshold}"] = float(np.mean(goods >= value))
    marked = with_masks(work, maps)
    row["pixel_auroc"], row["aupro"] = pixel_metrics(*marked) if marked else (None, None)
    return row, found


def _held_out(work, recipe):
    """The scores (N,) of good images by models of the others."""
    everything = np.arange(len(work.items))
    parts = [
        HeldOut.of(
            work.fitted(recipe, np.setdiff1d(everything, part)), work.features, part, (), None
        )
        for part in work.parts()
    ]
    return HeldOut.joined(parts).scores


def _tables(rows):
    sets, seeds = (sorted({row[each] for row in rows}) for each in ("set", "seed"))
    yield f"Means over the seeds {', '.join(map(str, seeds))}. 1 % of false alarms is promised."
    for measure, title in MEASURES.items():
        yield from ("", f"#### {title}", "")
        lines = []
        for method, name in METHODS.items():
            values = [_mean(rows, measure, method, each) for each in sets]
            known = [value for value in values if value is not None]
            if known:
                shown = ["" if value is None else f"{value:.3f}" for value in values]
                lines.append([name, f"{np.mean(known):.3f}", *shown])
        yield from markdown.table(["", "mean", *sets], lines)
    yield from ("", "#### Means over sets whose goods have not changed", "")
    areas = {name: _mean(rows, "goods_against_held_out", RECIPE, name) for name in sets}
    unchanged = [name for name, area in areas.items() if area is not None and area < CHANGED]
    names = ", ".join(unchanged) or "none"
    yield f"AUROC of good test images against those held out below {CHANGED:g}: {names}."
    yield ""
    lines = []
    for method, title in METHODS.items():
        columns = [
            [_mean(rows, each, method, name) for name in unchanged] for each in AT_THRESHOLDS
        ]
        if unchanged and all(None not in values for values in columns):
            lines.append([title, *(f"{np.mean(values):.4f}" for values in columns)])
    yield from markdown.table(["", *AT_THRESHOLDS.values()], lines)


def _mean(rows, measure, method, name):
    of = [row.get(measure) for row in rows if (row["method"], row["set"]) == (method, name)]
    return float(np.mean(of)) if of and of[0] is not None else None


def _differences(rows, scores):
    """The recipe beside each other method, with 95 % intervals over images and seeds."""
    yield from ("", f"#### AUROC of {METHODS[RECIPE]} less that of others, 95 % intervals", "")
    sets, seeds = (sorted({row[each] for row in rows}) for each in ("set", "seed"))
    lines = []
    for other in (name for name in METHODS if name != RECIPE):
        line = [METHODS[other]]
        for name in sets:
            keys = [
                f"{name}/{seed}"
                for seed in seeds
                if {f"{name}/{seed}/{one}" for one in (RECIPE, other)} <= scores.keys()
            ]
            pairs = ([scores[f"{key}/{one}"] for key in keys] for one in (RECIPE, other))
            found = difference_interval(scores[f"{name}/labels"], *pairs) if keys else None
            line.append(
                f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})" if found else ""
            )
        if any(line[1:]):
            lines.append(line)
    yield from markdown.table(["", *sets], lines)


if __name__ == "__main__":
    app.run(main)
