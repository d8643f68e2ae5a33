"""`summary.md`: the paper's tables from `summary.json`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.system.markdown import NOTHING, percent, table
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.methods import score_of, title_of
from awl_vae.training.synthetic_tables import synthetic_lines

Methods = Mapping[str, Mapping[str, Any]]
"""By method, its seeds, means and deviations."""


MEASURES = {"auc": "AUC", "sensitivity": "Sensitivity", "specificity": "Specificity"}


def to_markdown(summary: Mapping[str, Any], counts: Mapping[str, Sequence[int]]) -> str:
    """The paper's tables for one dataset, and every run behind them.

    Args:
        summary: what `summarize` returned.
        counts: by labelled split, how many normal and anomalous images it has.

    Returns:
        The text of `summary.md`.
    """
    experiment = EXPERIMENTS[summary["experiment"]]
    wording = experiment.wording or SIGNALS[summary["adapt_signal"]].wording
    methods = summary["methods"]
    seeds = [str(row["seed"]) for row in next(iter(methods.values()))["per_seed"]]
    lines = [
        f"# {summary['dataset']}: {' and '.join(title_of(method) for method in methods)}",
        "",
        f"Profile {summary['profile']}, protocol {summary['protocol']}, "
        f"{_seen(summary)}seeds {', '.join(seeds)}. "
        f"{_rule(summary)}"
        "In %, mean ± sample standard deviation over the seeds, "
        f"{wording.epoch}.{_failures(methods)}",
        "",
    ]
    if "adapt" in counts:
        lines += [
            f"**Adapt images ({_count(counts['adapt'])}).** {wording.steered}",
            "",
            *_table(experiment.first_table, methods, ""),
            "",
        ]
    if "test" in counts:
        lines += [
            f"**Test images ({_count(counts['test'])}).** Read once, at the end, with "
            f"{wording.threshold}.",
            "",
            *_table(experiment.first_table, methods, "test_"),
            "",
        ]
    if counts:
        lines += [*_baseline_lines(summary["mean_intensity"]), ""]
    else:
        lines += ["No labelled images: there is no AUC to report.", ""]
    lines += synthetic_lines(summary, has_labels=bool(counts))
    if "loss_adapted" in methods:
        lines += ["What the searches chose:", "", *_searches(methods), ""]
    return "\n".join([*lines, "Every run:", "", *_runs(methods)]) + "\n"


def _rule(summary: Mapping[str, Any]) -> str:
    text = ""
    if "auc_adapted" in summary["methods"]:
        rule, patterns = summary["rule"], summary["patterns"]
        if (rule, patterns) != ("paper", "paper"):
            text = f"Rule {rule}, patterns {patterns}. "
    if "beta_vae" in summary["methods"]:
        text += f"KL weight of the β-VAE {summary['kl_weight']:g}. "
        if (weight := summary.get("log_variance_weight", 1.0)) != 1.0:
            text += f"Weight of its log-variance {weight:g}. "
    return text


def _searches(methods: Methods) -> Iterator[str]:
    pairs = zip(
        *(methods[name]["per_seed"] for name in ("conventional", "loss_adapted")), strict=True
    )
    stages = ("falls in stage 2", "falls in stage 3")
    losses = ("loss, conventional", "loss, loss-adapted", "difference")
    yield from table(
        ("seed", *stages, *losses, "epochs trained"),
        (_search(conventional, adapted) for conventional, adapted in pairs),
    )
    yield ""
    yield "The loss is the mean of the last epoch in nats, all terms at weight 1."
    for row in methods["loss_adapted"]["per_seed"]:
        for out in row.get("out", []):
            yield (
                f"With seed {row['seed']}, {out['branch']} was out of stage {out['stage']}: its "
                f"loss was not finite in epoch {out['epoch']}."
            )


def _seen(summary: Mapping[str, Any]) -> str:
    """What the models see, and how they are scored."""
    own = {score_of(method, summary["score"]) for method in summary["methods"]}
    if own != {summary["score"]}:
        return "features, each method by its own score, "
    features = "features, " if "input" in summary else ""
    return f"{features}{summary['likelihood']} likelihood, score {summary['score']}, "


def _search(conventional: Mapping[str, Any], adapted: Mapping[str, Any]) -> list[str]:
    before, after = (row.get("loss_unweighted") for row in (conventional, adapted))
    cells = [NOTHING if loss is None else f"{loss:.2f}" for loss in (before, after)]
    cells.append(NOTHING if before is None or after is None else f"{after - before:+.2f}")
    chosen = [branch or NOTHING for branch in adapted["chosen"]]
    return [str(adapted["seed"]), *chosen, *cells, str(adapted["trained_epochs"])]


def _failures(methods: Methods) -> str:
    failed = [
        f"{title_of(method)} with seed {row['seed']}"
        for method, outcome in methods.items()
        for row in outcome["per_seed"]
        if "failed" in row
    ]
    return f" Stopped, and not in the means: {', '.join(failed)}." if failed else ""


def _count(count: Sequence[int]) -> str:
    return f"{count[0]} normal + {count[1]} anomalous"


def _table(first: int, methods: Methods, prefix: str) -> Iterator[str]:
    return table(
        ("", *(title_of(method) for method in methods)),
        (
            [
                f"{title} (Table {number})",
                *(
                    percent(method["mean"][prefix + measure], method["std"][prefix + measure])
                    for method in methods.values()
                ),
            ]
            for number, (measure, title) in enumerate(MEASURES.items(), first)
        ),
    )


def _baseline_lines(baseline: Mapping[str, float]) -> Iterator[str]:
    aucs = [f"{100 * auc:.2f} on the {split} images" for split, auc in baseline.items()]
    yield (
        f"For comparison, the AUC of the mean intensity alone: {', '.join(aucs)} "
        "(under 50: the anomalous ones are darker)."
    )


def _runs(methods: Methods) -> Iterator[str]:
    columns = (
        *("auc", "sensitivity", "specificity", "test_auc", "test_sensitivity"),
        *("test_specificity", "synthetic_auc"),
    )
    return table(
        ("method", "seed", "epoch", "threshold", *columns),
        (
            [method, str(row["seed"]), *_run(row, columns)]
            for method, outcome in methods.items()
            for row in outcome["per_seed"]
        ),
    )


def _run(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    if "failed" in row:
        failed = row["failed"]
        reason = f"stopped: {failed['term']} was not finite in epoch {failed['epoch']}"
        return [reason, "", *("" for _ in columns)]
    figures = [percent(row.get(column)) for column in columns]
    return [str(row["epoch"]), f"{row['threshold']:.6g}", *figures]
