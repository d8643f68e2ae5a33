"""What a user can mend, how, and what may have been meant."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something that a user can mend: its text is one line, and tells all that is needed.

    It says what was expected, what was found and where. A command prints it and no traceback.
    """


def install_hint(extra: str) -> str:
    """The command that adds an extra to an installation, also to that of a checkout."""
    return f"pip install 'awl-vae[{extra}]'"


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that a mistyped name is nearest to, or an empty text."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)), "")
