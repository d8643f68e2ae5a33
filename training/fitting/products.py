"""A detector for each product of a list: a fit a line, and one table of what came of them."""

import functools
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from awl_vae.system import as_file_name, read_json, write_csv
from awl_vae.system.errors import FileError, UserError, check_name
from awl_vae.system.files import csv_rows
from awl_vae.system.tasks import Engine, Task
from awl_vae.system.terminal import ProgressBar
from awl_vae.system.words import in_one_line
from awl_vae.training.fitting.fit import FitSettings, fit
from awl_vae.training.fitting.folder import read_list

NEEDED = ("product", "folder")

OPTIONS: dict[str, Callable[[str], Any]] = {
    "exclude": str,
    "false_alarm_rate": float,
    "short_side": int,
    "tiles": str,
    "backbone": str,
    "precise": lambda text: {"true": True, "false": False}[text.lower()],
}
"""By column, the flag of `awl-vae fit` of that name, what its text is read by."""

RESULTS = "results.csv"

COLUMNS = (*NEEDED, "model_dir", "images", "threshold", "found", "auroc", "warning", "error")
"""Of `RESULTS`: the good images, the score from which an image is called anomalous, the share of
synthetic defects that are found, and where there are labelled images the AUROC of the recipe."""


@dataclass(frozen=True)
class Product:
    """A line of the list.

    Attributes:
        name: the product.
        folder: its images, as the list has them.
        options: by column of `OPTIONS` that the line fills, its text.
    """

    name: str
    folder: str
    options: Mapping[str, str]

    def settings(self, root: Path, num_threads: int) -> FitSettings:
        """What its fit is asked for; paths are below `root` unless they are absolute.

        Raises:
            UserError: If an option is none.
        """
        values: dict[str, Any] = {}
        for name, text in self.options.items():
            try:
                values[name] = OPTIONS[name](text)
            except (ValueError, KeyError) as error:
                raise UserError(f"Expected another {name}. Received: {text}") from error
        folder = os.path.abspath(root / self.folder)
        if "exclude" in values:
            values["exclude"] = tuple(read_list(root / values["exclude"], Path(folder)))
        if "tiles" in values:
            values["grid"] = values.pop("tiles")
        return FitSettings(folder, num_threads=num_threads, **values)


def read_products(path: Path) -> list[Product]:
    """The lines of a list, a CSV file with the columns `NEEDED`, and some of `OPTIONS`.

    Raises:
        UserError: If it is no such file, has other columns, or two products of one name.
    """
    products = []
    for row in csv_rows(path, NEEDED):
        name, folder = (row.pop(column).strip() for column in NEEDED)
        for column in row:
            check_name("a column", column, OPTIONS, FileError)
        options = {column: text.strip() for column, text in row.items() if text.strip()}
        products.append(Product(name, folder, options))
    names = [as_file_name(product.name) for product in products]
    for number, name in enumerate(names):
        if name in names[:number] or not re.fullmatch(r"[^./\\][^/\\]*", name):
            raise FileError(
                "Expected products each with a name of its own, which a directory can have. "
                f"Received: {name or 'none'} in row {number + 1}, {path}"
            )
    if not products:
        raise FileError(f"Expected products. Received: none in {path}")
    return products


def fit_products(
    products: Sequence[Product],
    output_dir: Path,
    *,
    root: Path,
    num_threads: int,
    engine: Engine,
) -> list[dict[str, object]]:
    """Fits a detector to each product, and writes the table.

    Args:
        products: the products.
        output_dir: where a directory for each, and `RESULTS`, go.
        root: where paths of the list begin.
        num_threads: CPU threads of each fit.
        engine: what the fits run on.

    Returns:
        The lines of the table. What went wrong with a product is in its line.
    """
    tasks = []
    for product in products:
        model_dir = output_dir / as_file_name(product.name)
        tasks.append(
            Task(
                product.name,
                _fit,
                (product, model_dir, root, num_threads),
                units=1,
                num_threads=num_threads,
                paths=(model_dir,),
                on_lost=functools.partial(_failed, product),
            )
        )
    rows = engine.run(tasks)
    write_csv(output_dir / RESULTS, COLUMNS, rows)
    return rows


def _fit(
    product: Product, model_dir: Path, root: Path, num_threads: int, *, bar: ProgressBar
) -> dict[str, object]:
    try:
        detector = fit(product.settings(root, num_threads), model_dir, _Lines(bar))
    except UserError as error:
        return _failed(product, error.in_flags)
    except Exception as error:  # Whatever one product does, the others have their lines.
        return _failed(product, f"{type(error).__name__} {in_one_line(str(error))}")
    result = read_json(model_dir / "fit.json")["result"]
    methods = result.get("labelled", {}).get("methods", {})
    first: dict[str, Any] = next(iter(methods.values()), {})
    auroc = first.get("auroc", [""])[0]
    return _row(product) | {
        "model_dir": str(model_dir),
        "images": result["num_images"],
        "threshold": repr(detector.threshold.value),
        "found": result["synthetic_defects"]["found"],
        "auroc": auroc,
        "warning": "; ".join(result["warnings"]),
    }


def _row(product: Product) -> dict[str, object]:
    """A line of the table, as far as it says which product."""
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    return row | {"product": product.name, "folder": product.folder}


def _failed(product: Product, error: str) -> dict[str, object]:
    return _row(product) | {"error": error}


class _Lines(io.TextIOBase, TextIO):
    """Where a fit tells its progress: its latest line is what the bar shows."""

    def __init__(self, bar: ProgressBar):
        self._bar = bar

    def write(self, text: str) -> int:
        for line in filter(str.strip, text.splitlines()):
            self._bar.show(line.rpartition("  ")[2])
        return len(text)


def table_rows(rows: Sequence[Mapping[str, object]]) -> Iterator[list[str]]:
    """The lines of the table for the terminal."""
    for row in rows:
        found = row["found"]
        share = f"{100 * found:.0f} %" if isinstance(found, float) else ""
        yield [
            str(row["product"]),
            str(row["images"]),
            share,
            f"{row['auroc']:.4f}" if isinstance(row["auroc"], float) else "",
            str(row["error"] or row["warning"]),
        ]
