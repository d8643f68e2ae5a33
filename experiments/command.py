"""Starting a command: flags in, one line out for what a user can mend."""

import os
import sys
from collections.abc import Callable

from absl import app, flags

from data import DataError
from experiments.run_directory import RunDirectoryError

INTERRUPTED = 130


def run(main: Callable[[], bool]) -> None:
    """Parses the flags, calls `main` and exits.

    Args:
        main: does the work; False where some of it failed. What it raises of `DataError`,
            `RunDirectoryError` and `OSError` becomes one line on standard error and exit status 1.
    """
    app.run(lambda _: _call(main), flags_parser=_parse)


def _parse(argv):
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    if rest[1:]:
        sys.exit(f"error: Expected flags only. Received: {' '.join(rest[1:])}")
    return rest


def _call(main):
    try:
        sys.exit(0 if main() else 1)
    except (DataError, RunDirectoryError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        given = flags.FLAGS.flag_values_dict()
        where = error.filename or given.get("run_dir") or given.get("output_dir") or "run_dir"
        sys.exit(
            "error: Expected files that can be read and written. "
            f"Received: {error.strerror or error}, {os.fspath(where)}"
        )
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)
