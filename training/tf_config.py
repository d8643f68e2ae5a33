"""What TF_CONFIG tells of the workers that train together."""

import json
import os
from typing import Any

from awl_vae.training.config import ConfigError


def tf_config() -> dict[str, Any]:
    """Its content; empty where it is not set.

    Raises:
        ConfigError: If it is no JSON.
    """
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise ConfigError(f"Expected JSON in TF_CONFIG. Received: {text}") from error


def workers() -> list[str]:
    """The addresses of all workers."""
    return list(tf_config().get("cluster", {}).get("worker", []))


def is_chief() -> bool:
    """Whether this process writes the files: the first worker, or one that is alone."""
    return int(tf_config().get("task", {}).get("index", 0)) == 0
