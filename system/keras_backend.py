"""Which backend Keras takes, known before it is imported."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from awl_vae.system.errors import UserError


class BackendError(UserError, RuntimeError):
    """Keras is set to another backend than TensorFlow."""


def check_backend() -> None:
    """Checks that Keras has the backend TensorFlow, or would have it.

    With another one the networks do not work, and with PyTorch's the process dies of it.

    Raises:
        BackendError: If it has another one.
    """
    name, where = _backend()
    if name != "tensorflow":
        raise BackendError(f"Expected Keras with the backend tensorflow. Received: {name}, {where}")


@contextlib.contextmanager
def hidden_bfloat16() -> Iterator[None]:
    """Hides a user's `keras.json` with the floatx "bfloat16".

    TensorFlow reads it when it is imported, and knows no such floatx; so it cannot be imported.
    """
    _, settings = _settings()
    if settings.get("floatx") != "bfloat16":
        yield
        return
    before = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.devnull
    try:
        yield
    finally:
        del os.environ["KERAS_HOME"]
        if before is not None:
            os.environ["KERAS_HOME"] = before


def _backend() -> tuple[str, str]:
    """The name of the backend, and where it is set; as Keras finds it."""
    if (keras := sys.modules.get("keras")) and hasattr(keras, "config"):
        return keras.config.backend(), "by the Keras that is imported"
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "by the environment's KERAS_BACKEND"
    path, settings = _settings()
    return str(settings.get("backend", "tensorflow")), f"by {path}"


def _settings() -> tuple[Path, dict[str, Any]]:
    """The user's `keras.json` and what it holds."""
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = None  # Keras takes its defaults, too.
    return path, settings if isinstance(settings, dict) else {}
