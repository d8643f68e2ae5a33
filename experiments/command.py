"""Starting a command: flags in, one line out for what a user can mend."""

import os
import sys
import traceback
from collections.abc import Callable

from absl import app, flags

from awl_vae.data import DataError
from awl_vae.detection import CalibrationError, DetectorError
from awl_vae.detection.export import ExportError
from awl_vae.training.config import ConfigError
from awl_vae.training.run_directory import RunDirectoryError

ERRORS = (
    ConfigError,
    CalibrationError,
    DataError,
    DetectorError,
    ExportError,
    RunDirectoryError,
)
INTERRUPTED = 130


def run(main: Callable[[], int], *, error_status: int = 1) -> None:
    """Parses the flags, calls `main` and exits.

    Args:
        main: does the work and returns the exit status. What it raises of `OSError`
            and the errors of this project becomes one line on standard error.
        error_status: the exit status after such a line.
    """

    def fail(text):
        print(f"error: {text}", file=sys.stderr)
        sys.exit(error_status)

    def parse(argv):
        try:
            rest = flags.FLAGS(argv)
        except flags.Error as error:
            fail(" ".join(str(error).split()))
        if rest[1:]:
            fail(f"Expected flags only. Received: {' '.join(rest[1:])}")
        return rest

    app.run(lambda _: _call(main, fail, error_status), flags_parser=parse)


def _call(main, fail, error_status):
    try:
        sys.exit(main())
    except ERRORS as error:
        fail(str(error))
    except OSError as error:
        given = flags.FLAGS.flag_values_dict()
        where = error.filename or given.get("run_dir") or given.get("output_dir") or "run_dir"
        fail(
            "Expected files that can be read and written. "
            f"Received: {error.strerror or error}, {os.fspath(where)}"
        )
    except Exception:
        # Python's own status, 1, has a meaning for some commands.
        traceback.print_exc()
        sys.exit(error_status)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        sys.exit(INTERRUPTED)
