"""A run directory: whose it is, what it holds, and who is writing to it."""

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Self

from awl_vae.data.folder import check_folder
from awl_vae.system import LOCK, DirectoryLock, foreign_file, read_json, temporary_path, write_json
from awl_vae.system.errors import FileError, UserError, check_path
from awl_vae.system.kinds import difference
from awl_vae.training.config import Config, ConfigError
from awl_vae.training.own_files import OURS
from awl_vae.training.resolve import resolve, unread
from awl_vae.training.settings import before_settings

CONFIG = "config.json"

NEW = ".new"
"""Where in it the images are decoded before anything else is removed."""

RUN_DIR = "runs/{experiment}/{dataset}"
"""Where the files go if nothing is said."""

KINDS = {"experiment": str, "dataset": str, "seeds": [int], "num_threads": int | None}
"""What tells that a `config.json` is of a run, and what is taken over; the rest is compared."""


class RunDirectoryError(UserError, RuntimeError):
    """The run directory is in use, or belongs to another configuration."""


class RunDirectory:
    """A run directory that this process alone writes to, until it ends or leaves its `with` block.

    Args:
        path: the directory; it is made, and goes again where nothing is begun in it.
        config: what is to be run in it.
        overwrite: whether `begin` may empty a directory of another configuration.
        keep_threads: whether to keep the number of threads that the directory was begun with.

    Attributes:
        path: the directory.
        config: the configuration, with the seeds of earlier commands added.
        is_new: whether nothing was run here before, or it is to be overwritten.
        notes: lines to tell before anything is trained.

    Raises:
        RunDirectoryError: If another process holds it, or it belongs to another configuration.
        DataError: If something is to be begun, and the folder of images is not there.
    """

    def __init__(self, path: Path, config: Config, *, overwrite: bool, keep_threads: bool):
        self.path = path
        self.notes: list[str] = []
        try:
            self._lock = DirectoryLock(path)
        except BlockingIOError:
            raise RunDirectoryError(
                f"Expected a --run_dir that no other process uses. Received: --run_dir={path}"
            ) from None
        try:
            self._compare(config, overwrite, keep_threads)
        except BaseException:
            self._lock.undo()
            raise

    def _compare(self, config: Config, overwrite: bool, keep_threads: bool) -> None:
        """Compares the configuration with that of the directory, if it has one."""
        known = self._read_config()
        if known is not None:
            known = before_settings(type(config)) | known
        wanted = config
        if known is not None and keep_threads:
            wanted = self._with(config, num_threads=known.get("num_threads", config.num_threads))
        differing = [] if known is None else differing_settings(known, wanted.to_json())
        self.is_new = known is None or bool(differing)
        if self.is_new and config.data_dir is not None:
            check_folder(config.data_dir)  # no other run_dir would help
        if differing and not overwrite:
            ways = "another --run_dir" if self._foreign() else "--overwrite, or another --run_dir"
            raise RunDirectoryError(
                f"Expected the configuration of {self.path / CONFIG}, or {ways}. "
                f"Received: {', '.join(differing)}"
            )
        if differing:
            self._check_ours()
        self.config = config
        if known is not None and not differing:
            seeds = tuple(sorted({*config.seeds, *known["seeds"]}))
            self.config = self._with(wanted, seeds=seeds)

    def _with(self, config: Config, **known: Any) -> Config:
        """The configuration with what the directory has."""
        try:
            return dataclasses.replace(config, **known)
        except ConfigError as error:
            raise RunDirectoryError(f"{error}, {self.path / CONFIG}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if (self.path / CONFIG).exists():
            self._lock.close()
        else:
            self._lock.undo()

    @contextlib.contextmanager
    def begin(self) -> Iterator[Path]:
        """Makes the directory this configuration's, once what is needed for that is written.

        Yields:
            Where to write it. Of a new directory that is a part of its own: what was there before
            goes when the block ends, and stays where it raises.
        """
        new = self.path / NEW
        shutil.rmtree(new, ignore_errors=True)
        if not self.is_new:
            yield self.path
            self._record()
            return
        new.mkdir()
        try:
            yield new
            self._clear()
            self._record()
            for child in new.iterdir():
                child.rename(self.path / child.name)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _record(self) -> None:
        """Writes the configuration, with the seeds that this command adds."""
        write_json(self.path / CONFIG, self.config.to_json())

    def _read_config(self) -> dict[str, Any] | None:
        file = self.path / CONFIG
        if not file.exists():
            # Our own, also of a process that was killed before or while it wrote the first one.
            ours = (LOCK, NEW, temporary_path(file).name)
            others = [child.name for child in self.path.iterdir() if child.name not in ours]
            if name := self._foreign():
                others.append(str(name))
            if others:
                raise _not_ours(self.path, f"which holds {others[0]} but no {CONFIG}")
            return None
        try:
            known = read_json(file)
            if not {"experiment", "dataset"} <= known.keys():
                raise _not_ours(self.path, f"whose {CONFIG} is not that of a run")
            if wrong := difference(known, KINDS):
                raise FileError(f"{wrong}, {file}")
            return known
        except FileError as error:
            raise RunDirectoryError(str(error)) from error

    def _foreign(self) -> PurePath | None:
        return foreign_file(self.path, OURS)

    def _check_ours(self) -> None:
        """Checks that nothing of somebody else's would go with an earlier run."""
        if name := self._foreign():
            raise _not_ours(self.path, f"which holds {name}, too, and is not overwritten")

    def _clear(self) -> None:
        """Removes what was there before."""
        self._check_ours()  # again: reading images takes its time
        for child in self.path.iterdir():
            # config.json goes last: until then a cut leaves a directory that is known as ours.
            if child.name in (LOCK, NEW, CONFIG):
                continue
            if child.is_dir():
                shutil.rmtree(child)
            else:
                child.unlink()
        (self.path / CONFIG).unlink(missing_ok=True)


def open_run_directory(
    experiment: str, given: Mapping[str, object], *, run_dir: str | Path | None, overwrite: bool
) -> RunDirectory:
    """The run directory of a command line, or of keywords.

    Args:
        experiment: a key of `EXPERIMENTS`.
        given: by setting, what it is to be; see `resolve`.
        run_dir: the directory, or None for `RUN_DIR`.
        overwrite: whether it may be emptied where it is of another configuration.

    Raises:
        ConfigError: If the settings contradict each other.
        RunDirectoryError: If the run directory can't be used.
        DataError: If the folder of images is not there.
    """
    check_path("run_dir", run_dir, ConfigError)
    config = resolve(experiment, given)
    directory = RunDirectory(
        Path(run_dir or RUN_DIR.format(experiment=experiment, dataset=config.dataset)),
        config,
        overwrite=overwrite,
        keep_threads=given.get("num_threads") is None,
    )
    directory.notes += unread(config, given)
    return directory


def _not_ours(path: Path, why: str) -> RunDirectoryError:
    return RunDirectoryError(
        f"Expected an empty --run_dir or one of an earlier run. Received: --run_dir={path}, {why}"
    )


def differing_settings(known: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """The settings but for the seeds that are others than those known, as flags."""
    return [
        f"--{name}={wanted.get(name)} (there: {known.get(name)})"
        for name in sorted(known.keys() | wanted.keys())
        if name != "seeds" and known.get(name) != wanted.get(name)
    ]
