"""Starting a command: flags in, one line out for what a user can mend."""

import re
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from absl import app, flags

from awl_vae.system.errors import UserError, check_path, did_you_mean, files_error, nearest
from awl_vae.system.interrupts import INTERRUPTED, exit_at_interrupts, interruptible
from awl_vae.system.keras_backend import BackendError
from awl_vae.system.terminal import quiet_at_a_closed_pipe, take_any_text

# What is defined here counts as a flag of the command that asks for it.
flags.disclaim_key_flags()

NO_BACKEND = 2
"""The exit status of every command where Keras is set to another backend than TensorFlow."""


class _PathParser(flags.ArgumentParser):
    """Reads a path."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.syntactic_help = "a path"

    def parse(self, argument: str) -> str:
        check_path(self.name, argument, ValueError)
        return argument


def define_path(
    name: str,
    default: str | None,
    help: str,  # noqa: A002 (absl's name)
    *,
    required: bool = False,
) -> None:
    """Defines a flag that takes the path of a file or a directory."""
    flags.DEFINE(
        _PathParser(name),
        name,
        default,
        help,
        serializer=flags.ArgumentSerializer(),
        required=required,
    )


def run(
    main: Callable[..., int],
    *,
    error_status: int = 1,
    word: str = "",
    goes_on: Callable[[], bool] = lambda: False,
) -> None:
    """Parses the flags, calls `main` and exits.

    Nothing here imports TensorFlow, so that `--help` and a wrong flag are answered at once: `main`
    does, by `awl_vae.system.quiet_tensorflow`, when it knows what it is to do.

    Args:
        main: does the work and returns the exit status. What it raises of `OSError` and
            `UserError` becomes one line on standard error.
        error_status: the exit status after such a line.
        word: what the one word is that the command takes beside its flags, and hands to `main`; by
            default it takes none.
        goes_on: returns whether the same command goes on where it was interrupted.
    """
    exit_at_interrupts()
    take_any_text()
    flags.FLAGS.set_gnu_getopt()  # Flags may come after a word.

    def fail(text: str, status: int = error_status) -> NoReturn:
        print(f"error: {text}", file=sys.stderr)
        sys.exit(status)

    def parse(argv: list[str]) -> list[str]:
        try:
            rest = flags.FLAGS(argv)
        except flags.Error as error:
            fail(_in_words(error))
        if len(rest) != (2 if word else 1):
            expected = f"one {word}" if word else "flags only"
            fail(f"Expected {expected}. Received: {' '.join(rest[1:]) or 'none'}")
        return rest

    with quiet_at_a_closed_pipe():
        app.run(
            lambda argv: _call(partial(main, *argv[1:]), fail, error_status, goes_on),
            flags_parser=parse,
        )


def _call(
    main: Callable[[], int],
    fail: Callable[..., NoReturn],
    error_status: int,
    goes_on: Callable[[], bool],
) -> None:
    try:
        sys.exit(interruptible(main))
    except BackendError as error:
        fail(error.in_flags, NO_BACKEND)
    except UserError as error:
        fail(error.in_flags)
    except BrokenPipeError:
        raise
    except OSError as error:
        given = flags.FLAGS.flag_values_dict()
        fail(files_error(error, given.get("run_dir") or given.get("output_dir")).in_flags)
    except Exception:
        # Python's own status, 1, has a meaning for some commands.
        traceback.print_exc()
        sys.exit(error_status)
    except KeyboardInterrupt:
        more = " The same command goes on from here." if goes_on() else ""
        print(f"\nInterrupted.{more}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _in_words(error: flags.Error) -> str:
    """An error of absl's as what was expected and what was received."""
    text = " ".join(str(error).split())
    if isinstance(error, flags.UnrecognizedFlagError):
        own = [flag.name for flag in flags.FLAGS.get_key_flags_for_module(sys.argv[0])]
        found = nearest(error.flagname, [*own, "help"])
        meant = f"did you mean --{found}?" if found else "--help lists them."
        _, is_given, value = str(error.flagvalue).partition("=")
        given = f"--{error.flagname}{is_given}{value}"
        return f"Expected a flag of this command; {meant} Received: {given}"
    if missing := re.fullmatch(r"flag --(\w+)=None: Flag --\1 must have a value.*", text):
        return f"Expected --{missing[1]}. Received: none."
    if wrong := re.fullmatch(r"flag --(\w+)=(.*?): (.*)", text):
        name, value, reason = wrong.groups()
        if reason.startswith("Expected"):
            return reason if "Received" in reason else f"{reason} Received: --{name}={value}"
        if number := re.fullmatch(r".* is not (an? .*)", reason):
            reason = f"{number[1]} as --{name}"
        elif reason.startswith(("invalid literal for int", "could not convert string to float")):
            kind = "a whole number" if "int" in reason else "a number"
            reason = f"{kind} as --{name}"
        elif "boolean" in reason:
            reason = f"--{name} or --no{name}"
        elif choices := re.fullmatch(r"value should be one of <(.*)>", reason):
            names = choices[1].split("|")
            reason = f"one of {', '.join(names)} as --{name}{did_you_mean(value, names)}"
        else:
            reason = f"another --{name}: {reason}"
        return f"Expected {reason}. Received: --{name}={value}"
    if lacking := re.fullmatch(r"Missing value for flag (--\w+).*", text):
        return f"Expected {lacking[1]}=<value>. Received: {lacking[1]}"
    return (
        text
        if text.startswith("Expected")
        else f"Expected flags as --help has them. Received: {text}"
    )
