"""`summary.json`: what the seeds of each method came to."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from awl_vae.training.config import Config

SETTINGS = (
    "experiment",
    "dataset",
    "profile",
    "protocol",
    "likelihood",
    "score",
    "variance",
    "adapt_signal",
    "patterns",
    "rule",
    "kl_weight",
)
"""The settings that `summary.json` begins with, where the experiment has them."""

SETTINGS_IF_NOT = {"input": "pixels", "log_variance_weight": 1.0}
"""Those that follow where they are not this."""

AVERAGED = (
    "epoch",
    "auc",
    "test_auc",
    "synthetic_auc",
    "threshold",
    "sensitivity",
    "specificity",
    "test_sensitivity",
    "test_specificity",
    "pixel_auc",
    "test_pixel_auc",
    "pixel_aupro",
    "test_pixel_aupro",
)


def summarize(
    config: Config, results: Mapping[str, Sequence[dict[str, Any]]], baseline: Mapping[str, float]
) -> dict[str, Any]:
    """What `summary.json` holds.

    Args:
        config: the settings.
        results: by method, the entries of its seeds. One with `failed` has no figures.
        baseline: AUROC of the mean intensity alone, by split.

    Returns:
        The summary; nothing in it depends on the time or the machine.
    """
    summary = {name: getattr(config, name) for name in SETTINGS if hasattr(config, name)}
    summary |= {
        name: value
        for name, usual in SETTINGS_IF_NOT.items()
        if (value := getattr(config, name, usual)) != usual
    }
    summary["methods"] = {
        method: {
            "per_seed": [_entry(row) for row in rows],
            "mean": {name: over_seeds(statistics.fmean, rows, name) for name in AVERAGED},
            # Paper: ± is not explained. Here: the sample standard deviation over seeds (ddof = 1).
            "std": {name: over_seeds(statistics.stdev, rows, name) for name in AVERAGED},
        }
        for method, rows in results.items()
    }
    return summary | {"mean_intensity": baseline}


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    return {"seed": row["seed"]} | {name: row.get(name) for name in AVERAGED} | row


def over_seeds(
    statistic: Callable[[list[float]], float], rows: Sequence[Mapping[str, Any]], name: str
) -> float | None:
    """A mean or deviation of the rows that have a value; None where they are too few for it."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return statistic(values) if len(values) >= (2 if statistic is statistics.stdev else 1) else None
