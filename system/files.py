"""Writing under a temporary name and renaming, so that a kill leaves no half-written file."""

import contextlib
import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from awl_vae.system.errors import UserError


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`, renamed to it when the block ends without an error.

    The temporary name keeps the suffix, since Keras and Matplotlib choose the format by it. It is
    the same at every call: what a killed process left behind is overwritten by the next one.

    Args:
        path: the file to write; its directory is made.
        durable: whether to wait until the file is on the disk, so that it outlives a power cut.

    Yields:
        The path to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    try:
        yield temporary
        if durable:
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def atomic_directory(path: str | os.PathLike, *, earlier: Iterable[str] = ()) -> Iterator[Path]:
    """Yields a new directory beside `path`, which takes its place when the block ends well.

    Args:
        path: the directory to write. One that is there is replaced if it holds nothing but files
            that are written anew.
        earlier: patterns of names, such as "*.png", that it may hold besides.

    Yields:
        The directory to write to.

    Raises:
        UserError: If it holds something else; then it stays as it is.
    """
    path = Path(os.path.realpath(path))
    temporary, replaced = (
        path.with_name(f".{path.name}.awl_vae.{name}") for name in ("new", "old")
    )
    for leftover in (temporary, replaced):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            _check_replaceable(path, temporary, tuple(earlier))
            path.rename(replaced)
        temporary.rename(path)
    finally:
        for leftover in (temporary, replaced):
            shutil.rmtree(leftover, ignore_errors=True)


def _check_replaceable(path: Path, new: Path, earlier: tuple[str, ...]) -> None:
    """Checks that nobody else's files would go with a directory."""
    for child in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = child.relative_to(path)
        if child.is_dir() and not child.is_symlink():
            continue
        if not (new / name).is_file() and not any(map(name.match, earlier)):
            raise UserError(
                "Expected a new directory, or one with nothing but what is written there. "
                f"Received: {path}, which holds {name}"
            )


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file whole, in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, value: object) -> None:
    """Writes a JSON file whole; NaN and infinities are refused, since JSON has none."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_csv(path: str | os.PathLike, columns: Iterable[str], rows: Iterable[Mapping]) -> None:
    """Writes a CSV file whole: a header of `columns` and one line for each of `rows`."""
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Iterable[str], rows: Iterable[Mapping]) -> str:
    """What `write_csv` writes."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def read_csv(path: str | os.PathLike) -> list[dict[str, str]]:
    """Reads a CSV file with a header: a dict for each line."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numeric_columns(rows: Sequence[Mapping[str, str]]) -> dict[str, list[float]]:
    """By name, the columns of a CSV file that are not empty, as numbers."""
    return {name: [float(row[name]) for row in rows] for name in rows[0] if rows[0][name]}
