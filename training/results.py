"""`result.json` and `baseline.json`: what the summary of a run directory is made from."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from awl_vae.system import read_json
from awl_vae.system.errors import FileError
from awl_vae.system.kinds import NUMBER, OPTIONAL_NUMBER, difference
from awl_vae.training.config import Config
from awl_vae.training.methods import score_of
from awl_vae.training.summary import AVERAGED

BASELINE = {"mean_intensity": {...: NUMBER}, "counts": {...: [int]}}
FAILED = {"failed": {"epoch": int, "term": str}}
SEARCHED = {
    "chosen": [str | None],
    "out": [{"stage": int, "branch": str, "epoch": int}],
    "trained_epochs": int,
}
MERITS = dict.fromkeys(("auc", "test_auc", "synthetic_auc"), OPTIONAL_NUMBER)
ALIKE = ("by_score", "synthetic_auc_by_kind")
"""The objects that have the same keys in all results of a run directory; the first, of a method."""


def result_path(run_dir: Path, method: str, seed: int) -> Path:
    """The file that is written last, so where it is, the method is finished with the seed."""
    return run_dir / method / f"seed-{seed}" / "result.json"


def read_results(
    run_dir: Path, config: Config, methods: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """By method, the results of the configuration's seeds.

    Raises:
        FileError: If a file holds something else than a result.
        OSError: If one cannot be read.
    """
    paths = {name: [result_path(run_dir, name, seed) for seed in config.seeds] for name in methods}
    results = {
        name: [_read_result(path, config, name) for path in of_method]
        for name, of_method in paths.items()
    }
    alike: dict[str, set[str]] = {}
    for name, of_method in paths.items():
        alike.pop("by_score", None)  # a method may have a score of its own
        for path, seed, result in zip(of_method, config.seeds, results[name], strict=True):
            if result["seed"] != seed:
                raise FileError(f"Expected the seed {seed}. Received: {result['seed']}, {path}")
            for key in ALIKE if "failed" not in result else ():
                if alike.setdefault(key, {*result[key]}) != {*result[key]}:
                    raise FileError(f"Expected the {key} of the others. Received: another, {path}")
    return results


def read_baseline(run_dir: Path) -> dict[str, Any]:
    """How much the mean intensity alone tells of the labels, and how many labels there are.

    Raises:
        FileError: If the file holds something else.
        OSError: If it cannot be read.
    """
    path = run_dir / "baseline.json"
    baseline = read_json(path, BASELINE)
    for split, count in baseline["counts"].items():
        if len(count) != 2 or split not in ("adapt", "test"):
            raise FileError(f"Expected two counts of adapt and test. Received: {count}, {path}")
    return baseline


def _read_result(path: Path, config: Config, method: str) -> dict[str, Any]:
    result = read_json(path)
    kinds: dict[str, Any] = {"seed": int} | (SEARCHED if method == "loss_adapted" else {})
    if "failed" in result:
        kinds |= FAILED
    else:
        kinds |= dict.fromkeys((*AVERAGED, "loss_unweighted"), OPTIONAL_NUMBER)
        kinds |= {"is_empty": bool | None}
        kinds |= {"epoch": int, "threshold": NUMBER}
        kinds |= {"by_score": {score_of(method, config.score): MERITS, ...: MERITS}}
        kinds |= {"synthetic_auc_by_kind": {...: NUMBER}}
    if wrong := difference(result, kinds):
        raise FileError(f"{wrong}, {path}")
    return result
