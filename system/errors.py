"""What a user can mend, how, and what may have been meant."""

import difflib
import os
import re
from collections.abc import Iterable


class UserError(Exception):
    """Something that a user can mend: its text is one line, and tells all that is needed.

    It says what was expected, what was found and where. It is written with the flags of a command
    (`--epochs=0`), which prints that and no traceback; as text it has the keywords that Python code
    gives (`epochs=0`).
    """

    @property
    def in_flags(self) -> str:
        """The line for who has given flags."""
        # What was found may have lines: a name of a file, an array.
        return " ".join(super().__str__().splitlines())

    def __str__(self) -> str:
        return re.sub(r"(?<!\S)--(?=[a-z])", "", self.in_flags)


def files_error(error: OSError, directory: str | os.PathLike | None = None) -> UserError:
    """What the system says of a file, as something that a user can mend.

    Args:
        error: what the system says.
        directory: where it was, if it is not known of which file it is (see `naming`).
    """
    where = error.filename or directory
    place = f", {os.fspath(where)}" if where else ""
    return UserError(
        f"Expected files that can be read and written. Received: {error.strerror or error}{place}"
    )


class FileError(UserError, ValueError):
    """A file that was written here holds something else by now."""


def check_path(flag: str, path: object, error: type[Exception] = UserError) -> None:
    """Checks that a path that was given is none by an empty text, such as a variable that is unset.

    Args:
        flag: what it is given by, without dashes.
        path: the path.
        error: the class of the error.

    Raises:
        UserError: If it is empty.
    """
    if path == "":
        raise error(f"Expected a path as --{flag}. Received: an empty text")


def install_hint(extra: str) -> str:
    """The command that adds an extra to an installation, also to that of a checkout."""
    return f"pip install 'awl-vae[{extra}]'"


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that a mistyped name is nearest to, or an empty text."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)), "")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The nearest name in brackets, to follow those that are expected, or an empty text."""
    found = nearest(name, names)
    return f" (did you mean {found}?)" if found else ""


def check_name(
    what: str,
    name: object,
    names: Iterable[str],
    error: type[UserError] = UserError,
    *,
    flag: str = "",
) -> None:
    """Checks that a name is one of some.

    Args:
        what: what is named, such as "a threshold".
        name: the name.
        names: those that there are.
        error: the class of the error.
        flag: what the name is given by, such as "--experiment=".

    Raises:
        UserError: If it is none of them; it tells which may have been meant.
    """
    names = list(names)
    if name not in names:
        meant = did_you_mean(str(name), names)
        raise error(f"Expected {what} among {', '.join(names)}{meant}. Received: {flag}{name}")
