"""The findings of an inspection as Parquet files, for tools that read millions of lines."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from awl_vae.system import atomic_directory

SHARDS = "findings"
"""The directory of the files, in that of an inspection."""

SHARD_LINES = 100_000
"""Lines of a file; no more are in memory."""

REGION = ("x", "y", "width", "height", "area", "peak")
"""The numbers of a region in a line, by the names that they have in a file."""


def write_shards(directory: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Writes lines, in their order, whole or not at all.

    Args:
        directory: what holds the files, part-00000.parquet and so on.
        rows: the lines of a journal.
    """
    import pyarrow
    from pyarrow.parquet import write_table

    region = pyarrow.struct(
        [(name, pyarrow.float32() if name == "peak" else pyarrow.int32()) for name in REGION]
    )
    schema = pyarrow.schema(
        {
            "path": pyarrow.string(),
            "score": pyarrow.float64(),
            "verdict": pyarrow.string(),
            "regions": pyarrow.list_(region),
            "error": pyarrow.string(),
            "size": pyarrow.int64(),
            "modified": pyarrow.timestamp("ns"),
            "unlike_calibration": pyarrow.string(),
        }
    )
    values = map(_values, rows)
    with atomic_directory(directory, earlier=["part-*.parquet"]) as temporary:
        shards = iter(lambda: list(islice(values, SHARD_LINES)), [])
        for number, shard in enumerate(shards):
            path = temporary / f"part-{number:05d}.parquet"
            write_table(pyarrow.Table.from_pylist(shard, schema), path)


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    """A line's values; of what is no number or time, none."""
    regions = json.loads(row["regions"] or "[]")
    return {
        # A name may be no UTF-8.
        **{
            name: text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            for name, text in row.items()
        },
        "score": float(row["score"]) if row["score"] else None,
        "regions": [dict(zip(REGION, region, strict=True)) for region in regions],
        "size": int(row["size"]) if row["size"] else None,
        "modified": int(row["modified"]) if row["modified"] else None,
    }
