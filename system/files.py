"""Writing under a temporary name and renaming, so that a kill leaves no half-written file."""

import contextlib
import csv
import errno
import glob
import io
import json
import math
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from awl_vae.system.errors import FileError, UserError
from awl_vae.system.kinds import Kind, difference


def temporary_path(path: Path, word: str = "tmp") -> Path:
    """The name beside `path` under which it is written, the same at every call.

    It keeps the suffix, since Keras and Matplotlib choose the format by it.
    """
    return path.with_name(f".{path.stem}.{word}{path.suffix}")


FILE_ERRORS = tuple(
    map(os.strerror, (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES))
)
"""What a library may tell of the system, among its own words."""


def as_file_name(name: str) -> str:
    """A name without colons, which some file systems do not take."""
    return name.replace(":", "-")


@contextlib.contextmanager
def naming(path: str | os.PathLike, *library_errors: type[Exception]) -> Iterator[None]:
    """Tells of an error of writing which file it is about.

    Args:
        path: the file.
        library_errors: what a library raises in the place of `OSError`.

    Raises:
        OSError: What the block raised, with the name of the file.
    """
    try:
        yield
    except OSError as error:
        # Of a file that is open the system tells no name, and the temporary one is nobody's.
        if error.filename in (None, os.fspath(temporary_path(Path(path)))):
            error.filename, error.filename2 = os.fspath(path), None
        raise
    except library_errors as error:
        text = " ".join(str(error).split())
        reason = next((each for each in FILE_ERRORS if each in text), text)
        raise OSError(errno.EIO, reason, os.fspath(path)) from error


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`, renamed to it when the block ends without an error.

    What a killed process left under the temporary name is overwritten by the next one.

    Args:
        path: the file to write; its directory is made.
        durable: whether to wait until the file is on the disk, so that it outlives a power cut.

    Yields:
        The path to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        with naming(path):
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
        earlier: patterns, such as "*.png", of what it may hold besides; see `foreign_file`.

    Yields:
        The directory to write to.

    Raises:
        UserError: If it holds something else, or is the current directory or one above; then it
            stays as it is.
    """
    path = Path(os.path.realpath(path))
    temporary, replaced = (temporary_path(path, f"awl_vae.{name}") for name in ("new", "old"))
    if replaced.exists() and not path.exists():
        replaced.rename(path)  # A process was killed between the two renames below.
    for leftover in (temporary, replaced):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            _check_replaceable(path, temporary, earlier)
            path.rename(replaced)
        temporary.rename(path)
    except OSError as error:
        name = Path(os.fsdecode(error.filename or temporary))
        if error.errno and name.is_relative_to(temporary):  # which is nobody's
            error.filename, error.filename2 = str(path / name.relative_to(temporary)), None
        raise
    finally:
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        for leftover in (temporary, replaced):
            shutil.rmtree(leftover, ignore_errors=True)


def _check_replaceable(path: Path, new: Path, earlier: Iterable[str]) -> None:
    """Checks that nobody else's files would go with a directory, and nobody stands in it."""
    files = (file.relative_to(new) for file in new.rglob("*") if file.is_file())
    written = (f"/{glob.escape(str(file))}" for file in files)
    name = foreign_file(path, [*written, *earlier]) if path.is_dir() else PurePath()
    if name is not None:
        raise UserError(
            "Expected a new directory, or one with nothing but what is written there. "
            f"Received: {path}, which holds {name}"
        )
    check_not_current(path)


def check_not_current(path: Path) -> None:
    """Checks that nobody stands in a directory that is to be replaced.

    Raises:
        UserError: If it is the current directory or one above.
    """
    if Path.cwd().is_relative_to(path):
        raise UserError(
            "Expected a directory that can be replaced by a new one. "
            f"Received: {path}, the current directory or one above"
        )


def foreign_file(directory: Path, ours: Iterable[str]) -> PurePath | None:
    """The first file in a directory that is none of ours, so that nobody may remove it.

    Args:
        directory: the directory. A link in it is a file, whatever it leads to.
        ours: patterns of our files, such as "*.png" at any depth, or "/seed-*/*.png" from the
            directory on. What is left of their temporary files is ours, too.

    Returns:
        Its path in the directory, or None where all are ours.
    """
    patterns = tuple(ours)
    for child in sorted(directory.rglob("*")):
        if child.is_dir() and not child.is_symlink():
            continue
        name = PurePath("/", child.relative_to(directory))
        written = name.with_name(re.sub(r"^\.(.+)\.tmp(\.[^.]*)?$", r"\1\2", name.name))
        if not any(name.match(pattern) or written.match(pattern) for pattern in patterns):
            return child.relative_to(directory)
    return None


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


def check_regular(path: str | os.PathLike) -> None:
    """Checks that what is read is no pipe or device, for which one could wait for ever.

    Raises:
        FileError: If it is one.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise FileError(f"Expected a file. Received: {os.fspath(path)}, a pipe or device")


def read_json(path: str | os.PathLike, kinds: Kind = dict) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Args:
        path: the file, in UTF-8.
        kinds: by key, what its values have to be.

    Returns:
        The object. Its numbers are finite, and no key stands in it twice.

    Raises:
        FileError: If the file holds something else.
        OSError: If it cannot be read.
    """
    check_regular(path)
    try:
        value = json.loads(
            Path(path).read_text(encoding="utf-8-sig"),
            parse_int=_finite_int,
            parse_float=_finite_float,
            parse_constant=_finite_float,
            object_pairs_hook=_without_repeats,
        )
    except (ValueError, OverflowError, RecursionError) as error:
        raise FileError(f"Expected JSON. Received: {path} ({error})") from error
    if wrong := difference(value, kinds):
        raise FileError(f"{wrong}, {path}")
    found: dict[str, Any] = value
    return found


def _finite_int(text: str) -> int:
    float(value := int(text))
    return value


def _finite_float(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no finite number")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError(f"a key stands twice among {', '.join(name for name, _ in pairs):.80}")
    return found


def read_csv(path: str | os.PathLike, columns: Iterable[str] = ()) -> list[dict[str, str]]:
    """Reads a CSV file with a header: a dict for each line; see `csv_rows`."""
    return list(csv_rows(path, columns))


def csv_rows(
    path: str | os.PathLike,
    columns: Iterable[str] = (),
    *,
    encoding: str = "utf-8-sig",
    errors: str = "strict",
) -> Iterator[dict[str, str]]:
    """Reads a CSV file with a header, line by line.

    Args:
        path: the file.
        columns: those that it has to have.
        encoding: of its text.
        errors: what happens to bytes that are none in it; see `open`.

    Yields:
        A dict for each line.

    Raises:
        FileError: If it is no such file, or a line has more or fewer fields than the header.
        OSError: If it cannot be read.
    """
    check_regular(path)
    try:
        with open(path, newline="", encoding=encoding, errors=errors) as file:
            reader = csv.DictReader(file)
            found = reader.fieldnames or ()
            if lacking := [name for name in columns if name not in found]:
                raise FileError(f"Expected a column {lacking[0]}. Received: {path}, which has none")
            for number, row in enumerate(reader, 1):
                if None in row or None in row.values():
                    raise FileError(
                        f"Expected {len(found)} fields in each line. "
                        f"Received: others in row {number}, {path}"
                    )
                yield row
    except FileError:
        raise
    except (ValueError, csv.Error) as error:
        raise FileError(f"Expected CSV. Received: {path} ({error})") from error


def is_finite(text: str) -> bool:
    """Whether a field of a CSV file is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def numeric_columns(rows: Sequence[Mapping[str, str]]) -> dict[str, list[float]]:
    """By name, the columns of a CSV file that are not empty, as numbers."""
    first = rows[0] if rows else {}
    return {name: [float(row[name]) for row in rows] for name in first if first[name]}
