"""What tests have workers on Ray do; a module of its own, which imports little."""

import os

from awl_vae.system.errors import UserError


def double(values):
    """Gives results."""
    yield from (2 * value for value in values)


def count(values, *, bar):
    """Gives how many there are."""
    return len(values)


def die(values, *, bar=None):
    """Ends its process."""
    os._exit(1)


def refuse(values):
    """Raises what is said to the user."""
    raise UserError(f"Expected none. Received: {next(iter(values))}")
