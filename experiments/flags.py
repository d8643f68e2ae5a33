"""The flags of the experiments, made from the settings that their configurations have.

A flag has no default of its own: its help tells those of the profiles.
"""

from collections.abc import Iterable, Mapping

from absl import flags

from awl_vae.experiments.command import define_path
from awl_vae.system.tasks import ENGINES, engine_of
from awl_vae.training.defaults import DEFAULTS, FEATURE_DEFAULTS, OWN_DEFAULTS
from awl_vae.training.experiment import EXPERIMENTS
from awl_vae.training.run_directory import RUN_DIR, open_run_directory
from awl_vae.training.settings import Setting, settings_of
from awl_vae.training.tf_config import is_chief

FLAGS = flags.FLAGS
# What is defined here counts as a flag of the command that asks for it.
flags.disclaim_key_flags()


class _SettingParser(flags.ArgumentParser):
    """Reads a flag as its setting says."""

    def __init__(self, name: str, kind: Setting):
        super().__init__()
        self.name = name
        self.kind = kind
        self.syntactic_help = kind.expected.rstrip(",")

    def parse(self, argument: str) -> object:
        try:
            value = self.kind.parse(argument)
        except ValueError:
            value = None
        if not self.kind.is_valid(value):
            raise ValueError(self.kind.wrong(self.name, argument))
        return value


def define_settings(experiment: str, names: Iterable[str] | None = None) -> None:
    """Defines the flags of an experiment's settings, or of those that are named."""
    kinds = settings_of(EXPERIMENTS[experiment].config)
    chosen = list(kinds if names is None else names)
    for name in chosen:
        default = _default(experiment, name, kinds[name])
        if "input" in chosen and name in FEATURE_DEFAULTS["quick"]:
            rows = FEATURE_DEFAULTS.items()
            of_features = {profile: kinds[name].show(row[name]) for profile, row in rows}
            default += f"; with --input=features: {_by_profile(of_features)}"
        define_setting(name, kinds[name], default=default)


def define_setting(name: str, kind: Setting, *, default: str) -> None:
    """Defines a flag that a setting reads; `default` tells what holds without it."""
    flags.DEFINE(
        _SettingParser(name, kind),
        name,
        None,
        f"{kind.help} Default: {default}.",
        serializer=flags.ArgumentSerializer(),
    )


def define_experiment_flags(experiment: str) -> None:
    """Defines an experiment's flags: its settings, and where its files go."""
    define_settings(experiment)
    run_dir = RUN_DIR.format(experiment=experiment, dataset="<dataset>")
    define_path("run_dir", None, f"Where the files go. Default: {run_dir}.")
    flags.DEFINE_bool("overwrite", False, "Start anew in a run_dir of another configuration.")
    define_engine("one thing after the other")


def define_engine(otherwise: str) -> None:
    """Defines the flag that says where tasks run; `otherwise` tells how without it."""
    flags.DEFINE_string(
        "on",
        None,
        f"Where it runs: {ENGINES}. The results are the same. Default: here, {otherwise}.",
    )


def run_experiment_from_flags(experiment: str) -> int:
    """Runs an experiment as the flags ask; returns the exit status, 1 where a run failed.

    Raises:
        ConfigError: If the flags contradict each other.
        RunDirectoryError: If the run directory can't be used.
    """
    given = {name: FLAGS[name].value for name in settings_of(EXPERIMENTS[experiment].config)}
    if given["distribute"] == "multi_worker" and not is_chief():
        from awl_vae.system import quiet_tensorflow
        from awl_vae.training.worker import run_as_worker

        return run_as_worker(experiment, given, run_dir=FLAGS.run_dir)
    with open_run_directory(
        experiment, given, run_dir=FLAGS.run_dir, overwrite=FLAGS.overwrite
    ) as directory:
        engine = engine_of(FLAGS.on)
        from awl_vae.system import quiet_tensorflow  # noqa: F401
        from awl_vae.training.runner import run_experiment

        return run_experiment(EXPERIMENTS[experiment].load(), directory, engine)


def _default(experiment: str, name: str, kind: Setting) -> str:
    if name == "num_threads":
        return "the machine's cores, or what the run_dir was begun with"
    if name in OWN_DEFAULTS:
        return _shown(kind, OWN_DEFAULTS[name], nothing="none")
    values = {
        profile: kind.show(seeds) if name == "seeds" else _of_datasets(name, profile, kind)
        for profile, seeds in EXPERIMENTS[experiment].seeds.items()
    }
    return _by_profile(values)


def _by_profile(values: Mapping[str, str]) -> str:
    if len(set(values.values())) == 1:
        return values["quick"]
    return "; ".join(f"{profile} {text}" for profile, text in values.items())


def _of_datasets(name: str, profile: str, kind: Setting) -> str:
    """The value of most datasets, and in brackets the others with theirs."""
    by_value: dict[str, list[str]] = {}
    for dataset, row in DEFAULTS.items():
        by_value.setdefault(_shown(kind, row[profile][name]), []).append(dataset)
    usual, *others = sorted(by_value, key=lambda value: -len(by_value[value]))
    own = "; ".join(f"{', '.join(by_value[value])}: {value}" for value in others)
    return f"{usual} ({own})" if own else usual


def _shown(kind: Setting, value: object, nothing: str = "all") -> str:
    return nothing if value is None else kind.show(value)
