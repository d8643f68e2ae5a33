"""The paper's tables of results, its numbers beside ours."""

from collections.abc import Iterator, Mapping
from typing import Any

from awl_vae.study.run_files import Study
from awl_vae.study.tables import mean_and_std
from awl_vae.system.markdown import NOTHING, table

DATASETS = ("bellows", "square", "comb")

PAPER_TABLES = {
    6: (
        "AUC at the epoch of the highest AUC",
        "auc",
        {
            "bellows": ("83.64 ± 0.34", "88.41 ± 1.13"),
            "square": ("99.73 ± 0.002", "99.72 ± 0.01"),
            "comb": ("94.18 ± 2.10", "97.41 ± 0.90"),
        },
    ),
    7: (
        "Sensitivity at the epoch of the highest AUC",
        "sensitivity",
        {
            "bellows": ("67.88 ± 1.87", "78.27 ± 8.00"),
            "square": ("97.14 ± 0.48", "97.14 ± 0.29"),
            "comb": ("87.00 ± 9.62", "92.00 ± 4.95"),
        },
    ),
    8: (
        "Specificity at the epoch of the highest AUC",
        "specificity",
        {
            "bellows": ("89.56 ± 1.49", "84.67 ± 7.30"),
            "square": ("99.48 ± 0.19", "99.66 ± 0.11"),
            "comb": ("86.67 ± 4.87", "91.94 ± 2.48"),
        },
    ),
    9: (
        "AUC at the last epoch",
        "auc",
        {
            "bellows": ("76.08 ± 0.47", "75.95 ± 0.85"),
            "square": ("99.01 ± 0.11", "99.16 ± 0.17"),
            "comb": ("87.45 ± 2.71", "90.02 ± 1.56"),
        },
    ),
    10: (
        "Sensitivity at the last epoch",
        "sensitivity",
        {
            "bellows": ("62.18 ± 0.56", "61.86 ± 1.11"),
            "square": ("97.67 ± 0.50", "98.03 ± 0.55"),
            "comb": ("89.67 ± 2.52", "88.67 ± 5.77"),
        },
    ),
    11: (
        "Specificity at the last epoch",
        "specificity",
        {
            "bellows": ("85.56 ± 1.11", "85.19 ± 1.70"),
            "square": ("99.47 ± 0.06", "99.47 ± 0.12"),
            "comb": ("72.69 ± 8.37", "79.63 ± 3.50"),
        },
    ),
}
"""By its number, what a table of the paper is of, the figure's name in `summary.json`, and by
dataset the paper's numbers in %: conventional VAE, adapted VAE. Its photographs are not ours."""


def paper_tables(study: Study) -> Iterator[str]:
    """Tables 6 to 11 as Markdown."""
    for number, (text, merit, printed) in PAPER_TABLES.items():
        run_name, adapted = ("labels", "AUC") if number <= 8 else ("loss", "loss")
        yield f"**Table {number}.** {text}, %"
        yield ""
        columns = [
            f"{method}, {whose}"
            for method in ("conventional VAE", f"{adapted}-adapted VAE")
            for whose in ("paper", "ours", "ours, held out")
        ]
        rows = []
        for dataset in DATASETS:
            cells = []
            methods = ("conventional", f"{adapted.lower()}_adapted")
            for method, theirs in zip(methods, printed[dataset], strict=True):
                run = study.get(dataset, run_name)
                summary = None if run is None else run.summary["methods"][method]
                cells += [theirs, _cell(summary, merit), _cell(summary, f"test_{merit}")]
            rows.append([dataset, *cells])
        yield from table(["dataset", *columns], rows)
        yield ""


def _cell(summary: Mapping[str, Any] | None, merit: str) -> str:
    if summary is None:
        return NOTHING
    return mean_and_std([row.get(merit) for row in summary["per_seed"]])
