"""The flags that every experiment has, and the configuration that they make.

Each flag that overrides the profile has no default of its own: its help tells the profiles'.
"""

import os
import re
from pathlib import Path

from absl import flags

from data import GENERATED, REAL
from data.images import RESIZE_MODES
from evaluation import SCORES
from experiments.config import DEFAULTS, Config, resolve
from losses import TERMS
from models.networks import SIZE_DIVISOR

FLAGS = flags.FLAGS

OVERRIDES = (
    "seeds",
    "image_size",
    "num_train",
    "likelihood",
    "score",
    "latent_dim",
    "batch_size",
    "learning_rate",
    "epochs",
    "f_update",
)


def define_data_flags() -> None:
    """Defines the flags that say which images there are, and of which size."""
    datasets = [*GENERATED, *REAL]
    flags.DEFINE_enum("dataset", datasets[0], datasets, "Generated stand-ins and real photographs.")
    flags.DEFINE_enum(
        "profile", "quick", list(DEFAULTS), "quick: minutes on two CPU cores; paper: the paper's."
    )
    _define_override(
        flags.DEFINE_string, "image_size", "Pixels, N or HxW, each side divisible by 16."
    )
    _define_override(
        flags.DEFINE_integer, "num_train", "Number of distinct training images.", lower_bound=1
    )
    flags.register_validator(
        "image_size",
        _is_size,
        f"Expected N or HxW in pixels, each side divisible by {SIZE_DIVISOR}.",
    )


def define_experiment_flags() -> None:
    """Defines the flags that all experiments share, those of the data among them."""
    define_data_flags()
    flags.DEFINE_string(
        "data_dir",
        None,
        "Directory of your own images: train/good/*, test/good/*, test/<defect>/*. For a generated "
        "dataset: real images in its place.",
    )
    flags.DEFINE_enum(
        "resize", "stretch", list(RESIZE_MODES), "How real images are brought to the size."
    )
    flags.DEFINE_enum(
        "protocol",
        "heldout",
        ["heldout", "paper"],
        "heldout: labelled images are split into those that steer and those that test; "
        "paper: all of them steer and are reported on.",
    )
    _define_override(
        flags.DEFINE_string, "seeds", "Comma-separated seeds of initialisation, order and noise."
    )
    flags.register_validator(
        "seeds", _is_seeds, "Expected whole numbers with commas between, from 0 to 4294967295."
    )
    _define_override(
        flags.DEFINE_enum, "likelihood", "p(x' given z), with two or three terms.", list(TERMS)
    )
    _define_override(flags.DEFINE_enum, "score", "The anomaly score.", list(SCORES))
    _define_override(
        flags.DEFINE_integer, "latent_dim", "Number of latent variables.", lower_bound=1
    )
    _define_override(flags.DEFINE_integer, "batch_size", "Images in a batch.", lower_bound=1)
    _define_override(flags.DEFINE_float, "learning_rate", "Adam's step size.")
    flags.register_validator(
        "learning_rate", lambda rate: rate is None or rate > 0, "Expected a number above 0."
    )
    flags.DEFINE_enum(
        "dtype_policy",
        "float32",
        ["float32", "mixed_bfloat16"],
        "Precision of the hidden layers. bfloat16 is faster where the processor has it.",
    )
    flags.DEFINE_integer(
        "num_threads",
        None,
        "CPU threads. Results are the same to the bit only for the same number. Default: the "
        "machine's cores, or what the run_dir was begun with.",
        lower_bound=1,
    )
    flags.DEFINE_string(
        "run_dir", None, "Where the files go. Default: runs/<experiment>/<dataset>."
    )
    flags.DEFINE_bool("overwrite", False, "Start anew in a run_dir of another configuration.")


def define_adaptation_flags() -> None:
    """Defines the flags of the AUC-adapted experiment."""
    _define_override(flags.DEFINE_integer, "epochs", "Number of epochs.", lower_bound=1)
    _define_override(
        flags.DEFINE_integer,
        "f_update",
        "Epochs between two looks of the switcher (F_update).",
        lower_bound=1,
    )


def config_from_flags(experiment: str) -> tuple[Config, Path]:
    """The configuration and the run directory that the flags ask for."""
    overrides = {name: FLAGS[name].value for name in OVERRIDES}
    if overrides["seeds"] is not None:
        overrides["seeds"] = tuple(sorted({int(seed) for seed in overrides["seeds"].split(",")}))
    overrides["image_size"] = image_size_from_flags()
    config = resolve(
        overrides,
        experiment=experiment,
        dataset=FLAGS.dataset,
        data_dir=FLAGS.data_dir and os.path.abspath(FLAGS.data_dir),
        profile=FLAGS.profile,
        protocol=FLAGS.protocol,
        resize=FLAGS.resize,
        dtype_policy=FLAGS.dtype_policy,
        num_threads=FLAGS.num_threads or len(os.sched_getaffinity(0)),
    )
    return config, Path(FLAGS.run_dir or f"runs/{experiment}/{FLAGS.dataset}")


def image_size_from_flags() -> tuple[int, int] | None:
    """(height, width) of `--image_size`, or None where it is not given."""
    return None if FLAGS.image_size is None else _parse_size(FLAGS.image_size)


def _define_override(define, name, description, *args, **kwargs):
    values = {
        profile: sorted({_shown(name, settings.get(name)) for settings in datasets.values()})
        for profile, datasets in DEFAULTS.items()
    }
    defaults = "; ".join(f"{profile} {' or '.join(shown)}" for profile, shown in values.items())
    define(name, None, *args, f"{description} Default: {defaults}.", **kwargs)


def _shown(name, value):
    if value is None:
        return "all"
    if isinstance(value, tuple):
        return ("x" if name == "image_size" else ",").join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_seeds(text):
    return text is None or all(
        seed.strip().isdecimal() and int(seed) < 2**32 for seed in text.split(",")
    )


def _parse_size(text):
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def _is_size(text):
    return text is None or (
        re.fullmatch(r"\d+(x\d+)?", text, re.ASCII) is not None
        and all(side > 0 and side % SIZE_DIVISOR == 0 for side in _parse_size(text))
    )
