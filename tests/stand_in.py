"""A study whose runs are drawn at random: files with the names and columns of real ones."""

import csv
import gzip
import io
import json

import numpy as np

from awl_vae.evaluation import SCORES, auroc
from awl_vae.figures.examples import Example, write_examples
from awl_vae.losses import BRANCHES, TERMS
from awl_vae.study.grid import runs
from awl_vae.training.resolve import resolve

COUNTS = {"adapt": (12, 10), "test": (20, 18)}
METHODS = {
    "run_auc_adapted.py": None,
    "run_loss_adapted.py": ("conventional", "loss_adapted"),
    "run_baselines.py": ("pca", "mean_image"),
}


def write_study(root, *, without=(), failed=()):
    """Writes every run of the study but some, each with figures of its own.

    Args:
        root: the directory, as `collect` leaves it.
        without: paths of the runs that are left out.
        failed: (path, method, seed) of those that ended with a number that is not finite.
    """
    for number, run in enumerate(runs("quick")):
        if run.path not in without:
            _write_run(root / run.path, run, np.random.RandomState(number), failed)


def _write_run(path, run, rng, failed):
    path.mkdir(parents=True)
    flags = dict(flag[2:].split("=") for flag in run.flags)
    methods = METHODS[run.script] or flags["methods"].split(",")
    config = _config(run, flags)
    summary = {"score": config["score"], "methods": {}}
    for method in methods:
        rows = []
        for seed in config["seeds"]:
            directory = path / method / f"seed-{seed}"
            if (run.path, method, seed) in failed:
                rows.append({"seed": seed, "failed": {"epoch": 2, "term": "kl"}})
                continue
            directory.mkdir(parents=True)
            rows.append({"seed": seed} | _write_seed(directory, run, config, rng, flags))
            if run.name == "labels" and seed == 1:
                image = rng.rand(16, 16).astype(np.float16)
                examples = [Example("a.png", image, image.T, 0.1, mask=image > 0.9)]
                write_examples(
                    directory / "examples.npz", {"normal": examples, "anomalous": examples}
                )
        summary["methods"][method] = {"per_seed": rows}
    environment = {"processor": "p", "python": "3", "git_commit": "c0ffee"}
    environment |= {"cores": 2, "platform": "Linux"}
    environment["packages"] = {"tensorflow": "2", "keras": "3"}
    files = {"summary": summary, "config": config, "environment": environment}
    files["time"] = {"seconds": 1800.0}
    files["baseline"] = {"counts": COUNTS, "mean_intensity": {"adapt": 0.4, "test": 0.3}}
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))


def _config(run, flags):
    experiment = {
        "run_auc_adapted.py": "auc_adapted",
        "run_loss_adapted.py": "loss_adapted",
        "run_baselines.py": "baselines",
    }[run.script]
    ends = {name: int(flags[name]) for name in ("e1", "e2", "e3") if name in flags}
    given = ends | {
        "score": flags.get("score"),
        "seeds": tuple(map(int, run.seeds.split(","))),
        "dataset": run.dataset,
        "protocol": flags.get("protocol"),
        "num_threads": 1,
    }
    return resolve(experiment, given).to_json()


def _write_seed(directory, run, config, rng, flags):
    """Writes the files of one seed; returns its entry in the summary."""
    is_paper = flags.get("protocol") == "paper"
    labels = {split: np.repeat([0, 1], count) for split, count in COUNTS.items()}
    if is_paper:
        labels = {"adapt": np.concatenate(list(labels.values()))}
    columns = {config["score"]: None, "standardized": None}
    rows, aucs = [], {name: {"test_auc": None} for name in SCORES}
    gains = {name: rng.rand() for name in SCORES}
    for split, truth in labels.items():
        scores = {name: rng.rand(len(truth)) + gains[name] * truth for name in SCORES}
        scores = {name: np.float32(values) for name, values in scores.items()}
        for name, values in scores.items():
            aucs[name]["auc" if split == "adapt" else "test_auc"] = auroc(truth, values)
            aucs[name]["synthetic_auc"] = rng.rand()
        rows += [
            {"split": split, "label": label} | {name: scores[name][i] for name in columns}
            for i, label in enumerate(truth)
        ]
    _write(directory / "scores.csv.gz", rows)
    if run.script != "run_baselines.py":
        _write_epochs(directory, run, config, rng)
    rates = ("sensitivity", "specificity", "test_sensitivity", "test_specificity")
    own = {"epoch": 3, "by_score": aucs, "trained_epochs": 90} | {
        name: float(rng.rand()) for name in rates
    }
    return own | aucs[config["score"]]


def _write_epochs(directory, run, config, rng):
    terms = TERMS[config["likelihood"]]
    rising = np.sort(rng.rand(6))

    def row(epoch, weight=1.0):
        losses = {term: 10.0 * rng.rand() for term in terms}
        return losses | {f"weight_{term}": weight for term in terms} | {"epoch": epoch}

    history = [
        row(epoch) | {"adapt_auc": auc, "adapt_auc_synthetic": auc / 2}
        for epoch, auc in enumerate(rising, 1)
    ]
    _write(directory / "history.csv.gz", history)
    if directory.parent.name == "loss_adapted":
        _write(directory / "branches.csv.gz", list(_branches(config, row, rng)))


def _branches(config, row, rng):
    """Where the loss is lower the AUROC is higher."""
    ends = (0, config["e1"], config["e2"], config["e3"])
    for stage in (1, 2, 3):
        for branch in ("none",) if stage == 1 else BRANCHES[config["likelihood"]]:
            for epoch in range(ends[stage - 1] + 1, ends[stage] + 1):
                loss = float(100 + 10 * rng.rand())
                found = {"loss_unweighted": loss, "adapt_auc": 1 - loss / 200, "selected": 0}
                yield {"stage": stage, "branch": branch} | row(epoch) | found


def _write(path, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode()))
