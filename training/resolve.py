"""From what a command line or a program says to a whole configuration."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from awl_vae.data.sources import check_data_dir
from awl_vae.system.ahead import num_cores
from awl_vae.system.errors import did_you_mean
from awl_vae.training.config import Config, ConfigError
from awl_vae.training.defaults import DEFAULTS, FEATURE_DEFAULTS, OWN_DEFAULTS
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.settings import Setting, settings_of

KEYWORDS = ("images", "run_dir", "experiment", "overwrite", "on")
"""What `train` takes beside settings."""


def resolve(experiment: str, given: Mapping[str, object]) -> Config:
    """The configuration of a command line, or of keywords.

    Args:
        experiment: a key of `EXPERIMENTS`.
        given: by setting, what it is to be. What is None or not there has the default of its
            profile and dataset.

    Returns:
        The configuration, of the experiment's class. Its dtype policy is never "auto": what that
        is on this machine is kept, since the bits depend on it.

    Raises:
        ConfigError: If there is no such setting, or they contradict each other.
    """
    config = EXPERIMENTS[experiment].config
    kinds = settings_of(config)
    for name in given:
        if name not in kinds:
            meant = did_you_mean(name, [*kinds, *KEYWORDS])
            raise ConfigError(
                f"Expected settings of {experiment}{meant}. Received: --{name}={given[name]}"
            )
    said = {
        name: _parsed(kinds[name], name, value)
        for name, value in given.items()
        if value is not None
    }
    values = {**OWN_DEFAULTS, "num_threads": num_cores(), **said}
    for name in ("dataset", "profile"):
        if not kinds[name].is_valid(values[name]):
            raise ConfigError(kinds[name].wrong(name, values[name]))
    check_data_dir(str(values["dataset"]), values["data_dir"])
    for name in ("data_dir", "roi_mask"):
        if values[name] is not None and str(values[name]):
            values[name] = os.path.abspath(str(values[name]))
    profile = str(values["profile"])
    defaults = dict(DEFAULTS[str(values["dataset"])][profile])
    if values["input"] == "features":
        defaults |= FEATURE_DEFAULTS[profile]
    defaults["seeds"] = EXPERIMENTS[experiment].seeds[profile]
    if values["data_dir"] is not None:
        defaults["num_train"] = None  # all the images that are there
    known: dict[str, Any] = {**defaults, **values, "experiment": experiment}
    if known["dtype_policy"] == "auto":
        from awl_vae.system import quiet_tensorflow  # noqa: F401
        from awl_vae.training.runtime import fastest_dtype_policy

        known["dtype_policy"] = fastest_dtype_policy()
    return config(**{field.name: known[field.name] for field in fields(config)})


def unread(config: Config, given: Mapping[str, object]) -> list[str]:
    """Notes on what was given and has no effect: a line each, with flags.

    They are no errors: such commands did what they do now, and may be a part of others.
    """
    row = EXPERIMENTS[config.experiment]
    beside = config.unread | dict.fromkeys(
        row.ignores(config), f"the experiment {config.experiment}"
    )
    return [
        f"Note: --{name} has no effect with {beside[name]}."
        for name, value in given.items()
        if value is not None and name in beside
    ]


def _parsed(kind: Setting, name: str, value: Any) -> Any:
    try:
        return kind.parse(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(kind.wrong(name, value)) from None
