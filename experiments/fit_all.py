"""Fits a detector to each product of a list.

    awl-vae fit-all products.csv --output_dir=detectors

The list is a CSV file: a line a product, with the columns product and folder, and, where a product
wants something else than the defaults of `awl-vae fit`, the flags of that as columns: exclude,
false_alarm_rate, short_side, tiles, backbone, precise. Paths in it begin where it lies. For each
product --output_dir gets a directory, as `awl-vae fit` writes it, and for all of them results.csv.
A product whose images cannot be fitted is a line with its error. The same command goes on where it
was cut off.

Exit status: 0 all are fitted, 1 some are not.
"""

if not __package__:
    import checkout  # noqa: F401

import os
from pathlib import Path

from absl import flags

from awl_vae.experiments.command import define_path, run
from awl_vae.experiments.flags import define_engine
from awl_vae.system.ahead import num_cores
from awl_vae.system.errors import check_path
from awl_vae.system.tasks import engine_of

FLAGS = flags.FLAGS

DONE, SOME_NOT = 0, 1


def main(products: str) -> int:
    """Fits what the list asks for; returns the exit status."""
    check_path("output_dir", FLAGS.output_dir)
    from awl_vae.system import quiet_tensorflow  # noqa: F401
    from awl_vae.system.markdown import table
    from awl_vae.training.fitting.products import RESULTS, fit_products, read_products, table_rows

    path, output_dir = (Path(os.path.abspath(each)) for each in (products, FLAGS.output_dir))
    rows = fit_products(
        read_products(path),
        output_dir,
        root=path.parent,
        num_threads=FLAGS.num_threads or num_cores(),
        engine=engine_of(FLAGS.on),
    )
    head = ("product", "good images", "synthetic defects found", "AUROC", "to look at")
    print("\n".join(table(head, table_rows(rows))))
    print(f"Detectors and {RESULTS}: {output_dir}")
    return SOME_NOT if any(row["error"] for row in rows) else DONE


if __name__ == "__main__":
    define_path("output_dir", None, "Where the detectors and the table go.", required=True)
    flags.DEFINE_integer(
        "num_threads", None, "CPU threads of each fit. Default: the machine's cores.", 1, 1024
    )
    define_engine("one product after the other")
    run(main, word="PRODUCTS", goes_on=lambda: True)
