"""`summary.json`, and the paper's tables from it."""

import statistics
from collections.abc import Mapping, Sequence

from experiments.config import Config
from experiments.methods import TITLES

MEASURES = ("auc", "sensitivity", "specificity")
TABLES = {"auc": "AUC (Table 6)", "sensitivity": "Sensitivity (Table 7)"} | {
    "specificity": "Specificity (Table 8)"
}
AVERAGED = (
    "epoch",
    "auc",
    "test_auc",
    "threshold",
    "sensitivity",
    "specificity",
    "test_sensitivity",
    "test_specificity",
)


def summarize(config: Config, results: Mapping[str, Sequence[dict]], baseline: dict) -> dict:
    """What `summary.json` holds.

    Args:
        config: the settings.
        results: by method, the entries of its seeds. One with `failed` has no figures.
        baseline: AUROC of the mean intensity alone, by split.

    Returns:
        The summary; nothing in it depends on the time or the machine.
    """
    names = ("experiment", "dataset", "profile", "protocol", "likelihood", "score")
    summary = {name: getattr(config, name) for name in names}
    summary["methods"] = {
        method: {
            "per_seed": [_entry(row) for row in rows],
            "mean": {name: _over_seeds(statistics.fmean, rows, name) for name in AVERAGED},
            # Paper: ± is not explained. Here: the sample standard deviation over seeds (ddof = 1).
            "std": {name: _over_seeds(statistics.stdev, rows, name) for name in AVERAGED},
        }
        for method, rows in results.items()
    }
    return summary | {"mean_intensity": baseline}


def _entry(row):
    return {"seed": row["seed"]} | {name: row.get(name) for name in AVERAGED} | row


def _over_seeds(statistic, rows, name):
    values = [row[name] for row in rows if row.get(name) is not None]
    return statistic(values) if len(values) >= (2 if statistic is statistics.stdev else 1) else None


def to_markdown(summary: dict, counts: Mapping[str, tuple[int, int]]) -> str:
    """The paper's Tables 6 to 8 for one dataset, and every run behind them.

    Args:
        summary: what `summarize` returned.
        counts: by labelled split, how many normal and anomalous images it has.

    Returns:
        The text of `summary.md`.
    """
    methods = summary["methods"]
    seeds = [str(row["seed"]) for row in next(iter(methods.values()))["per_seed"]]
    lines = [
        f"# {summary['dataset']}: {' and '.join(TITLES[method] for method in methods)}",
        "",
        f"Profile {summary['profile']}, protocol {summary['protocol']}, "
        f"{summary['likelihood']} likelihood, score {summary['score']}, seeds {', '.join(seeds)}. "
        "In %, mean ± sample standard deviation over the seeds, at the epoch of each run's highest "
        f"AUC on the adapt images.{_failures(methods)}",
        "",
        f"**Adapt images ({_count(counts['adapt'])}).** They steered the training and chose the "
        "epoch and the threshold: the figures are optimistic.",
        "",
        *_table(methods, ""),
    ]
    if "test" in counts:
        lines += [
            "",
            f"**Test images ({_count(counts['test'])}).** Read once, at the end, with the "
            "threshold of the adapt images.",
            "",
            *_table(methods, "test_"),
        ]
    lines += ["", *_baseline_lines(summary["mean_intensity"]), "", "Every run:", ""]
    return "\n".join([*lines, *_runs(methods)]) + "\n"


def _failures(methods):
    failed = [
        f"{TITLES[method]} with seed {row['seed']}"
        for method, outcome in methods.items()
        for row in outcome["per_seed"]
        if "failed" in row
    ]
    return f" Stopped, and not in the means: {', '.join(failed)}." if failed else ""


def _count(count):
    return f"{count[0]} normal + {count[1]} anomalous"


def _table(methods, prefix):
    yield f"| | {' | '.join(TITLES[method] for method in methods)} |"
    yield "|---" * (len(methods) + 1) + "|"
    for measure in MEASURES:
        cells = [
            _mean_and_std(method["mean"][prefix + measure], method["std"][prefix + measure])
            for method in methods.values()
        ]
        yield f"| {TABLES[measure]} | {' | '.join(cells)} |"


def _mean_and_std(mean, std):
    if mean is None:
        return "–"
    return f"{100 * mean:.2f}" + ("" if std is None else f" ± {100 * std:.2f}")


def _baseline_lines(baseline):
    aucs = [f"{100 * auc:.2f} on the {split} images" for split, auc in baseline.items()]
    yield (
        f"For comparison, the AUC of the mean intensity alone: {', '.join(aucs)} "
        "(under 50: the anomalous ones are darker)."
    )


def _runs(methods):
    columns = ("auc", "sensitivity", "specificity", "test_auc", "test_sensitivity")
    columns += ("test_specificity",)
    yield f"| method | seed | epoch | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 3) + "|"
    for method, outcome in methods.items():
        for row in outcome["per_seed"]:
            if "failed" in row:
                failed = row["failed"]
                reason = f"stopped: {failed['term']} was not finite in epoch {failed['epoch']}"
                yield f"| {method} | {row['seed']} | {reason} {'| ' * (len(columns) + 1)}|"
                continue
            cells = [_mean_and_std(row[column], None) for column in columns]
            yield f"| {method} | {row['seed']} | {row['epoch']} | {' | '.join(cells)} |"
