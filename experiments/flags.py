"""The flags that the experiments have, and the configuration that they make.

Each flag that overrides the profile has no default of its own: its help tells the profiles'.
"""

import math
import os
import re
from pathlib import Path

from absl import flags

from awl_vae.data.images import RESIZE_MODES
from awl_vae.evaluation import SCORES
from awl_vae.training.auc_adapted import METHODS, RULES, SIGNALS
from awl_vae.training.config import DEFAULTS, SEEDS, resolve
from awl_vae.training.run_directory import RunDirectory
from awl_vae.losses import PATTERN_SETS, TERMS
from awl_vae.models import VARIANCES
from awl_vae.models.networks import SIZE_DIVISOR

FLAGS = flags.FLAGS

OVERRIDES = (
    "seeds",
    "image_size",
    "num_train",
    "likelihood",
    "variance",
    "score",
    "latent_dim",
    "batch_size",
    "learning_rate",
    "methods",
    "epochs",
    "f_update",
    "adapt_signal",
    "patterns",
    "rule",
    "kl_weight",
    "e1",
    "e2",
    "e3",
    "selection_loss",
    "search",
)


def define_data_flags() -> None:
    """Defines the flags that say which images there are, and of which size."""
    datasets = list(DEFAULTS["quick"])
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


def define_experiment_flags(experiment: str) -> None:
    """Defines an experiment's flags: those that all share, and its own."""
    define_data_flags()
    flags.DEFINE_string(
        "data_dir",
        None,
        "Directory of your own images: train/good/*, and where there are labels test/good/* and "
        "test/<defect>/*. For a generated dataset: real images in its place.",
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
    seeds = {name: ",".join(map(str, seeds)) for name, seeds in SEEDS[experiment].items()}
    flags.DEFINE_string(
        "seeds",
        None,
        "Comma-separated seeds of initialisation, order and noise. "
        f"Default: quick {seeds['quick']}; paper {seeds['paper']}.",
    )
    flags.register_validator(
        "seeds", _is_seeds, "Expected whole numbers with commas between, from 0 to 4294967295."
    )
    _define_override(
        flags.DEFINE_enum, "likelihood", "p(x' given z), with two or three terms.", list(TERMS)
    )
    _define_override(
        flags.DEFINE_enum,
        "variance",
        "Of the gaussian likelihood. learned: of each pixel, by the decoder; optimal: one, the "
        "mean squared error of the batch (σ-VAE).",
        list(VARIANCES),
    )
    _define_override(flags.DEFINE_enum, "score", "The anomaly score.", list(SCORES))
    _define_override(
        flags.DEFINE_integer, "latent_dim", "Number of latent variables.", lower_bound=1
    )
    _define_override(flags.DEFINE_integer, "batch_size", "Images in a batch.", lower_bound=1)
    _define_override(flags.DEFINE_float, "learning_rate", "Adam's step size.")
    flags.register_validator(
        "learning_rate",
        lambda rate: rate is None or 0 < rate < math.inf,
        "Expected a finite number above 0.",
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
    _OWN_FLAGS[experiment]()


def _define_auc_adapted():
    _define_override(flags.DEFINE_integer, "epochs", "Number of epochs.", lower_bound=1)
    _define_override(
        flags.DEFINE_integer,
        "f_update",
        "Epochs between two looks of --rule=paper (F_update).",
        lower_bound=1,
    )

    _define_override(
        flags.DEFINE_enum,
        "adapt_signal",
        "What steers the weights and chooses epoch and threshold. labels: the labelled images; "
        "synthetic: normal calibration images, by the AUC against copies of them with synthetic "
        "defects, so that no label is needed.",
        list(SIGNALS),
    )
    _define_override(
        flags.DEFINE_enum,
        "patterns",
        "The weights that the rule chooses from. paper: Tables 1 and 2; ladder: falling weights of "
        "the KL divergence.",
        list(PATTERN_SETS),
    )
    _define_override(
        flags.DEFINE_enum,
        "rule",
        "How the AUC changes the weights. paper: the next pattern where it has not improved; "
        "climb: along the patterns, and back where it clearly falls; monotonic, "
        "cyclical: a KL weight that rises by the epoch, once or in cycles, whatever the AUC.",
        list(RULES),
    )
    _define_override(flags.DEFINE_float, "kl_weight", "β, the KL weight of the method beta_vae.")
    flags.register_validator(
        "kl_weight",
        lambda weight: weight is None or 0 <= weight < math.inf,
        "Expected a finite number of at least 0.",
    )
    _define_override(
        flags.DEFINE_list,
        "methods",
        "What to train. conventional: all weights 1; auc_adapted: weights by the rule; beta_vae: "
        "kl_weight all along; autoencoder: the reconstruction alone, and no noise in training.",
    )
    flags.register_validator(
        "methods",
        lambda methods: methods is None or (methods and set(methods) <= set(METHODS)),
        f"Expected methods among {', '.join(METHODS)}, with commas between.",
    )


def _define_loss_adapted():
    for stage, description in (
        ("1", "Last epoch of the conventional training that the search starts from (E1)."),
        ("2", "Last epoch of the first comparison of branches (E2)."),
        ("3", "Last epoch of the second comparison of branches (E3)."),
    ):
        _define_override(flags.DEFINE_integer, f"e{stage}", description, lower_bound=1)
    _define_override(
        flags.DEFINE_enum,
        "selection_loss",
        "The loss that chooses a branch. unweighted: all terms at weight 1, so that branches can "
        "be compared; weighted: each with the weights of its own.",
        ["unweighted", "weighted"],
    )
    _define_override(
        flags.DEFINE_enum,
        "search",
        "full: every branch to the end of its stage; halving: the half with the higher losses is "
        "dropped after a tenth, two and three tenths of a stage.",
        ["full", "halving"],
    )


_OWN_FLAGS = {
    "auc_adapted": _define_auc_adapted,
    "loss_adapted": _define_loss_adapted,
    "baselines": lambda: None,
}


def run_directory_from_flags(experiment: str) -> RunDirectory:
    """The run directory, with its configuration, that the flags ask for.

    Raises:
        ConfigError: If the flags contradict each other.
        RunDirectoryError: If the run directory can't be used.
    """
    overrides = {name: FLAGS[name].value for name in OVERRIDES if name in FLAGS}
    if overrides["seeds"] is not None:
        overrides["seeds"] = tuple(sorted({int(seed) for seed in overrides["seeds"].split(",")}))
    if overrides.get("methods") is not None:
        overrides["methods"] = tuple(name for name in METHODS if name in overrides["methods"])
    overrides["image_size"] = size_from_flag("image_size")
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
    return RunDirectory(
        Path(FLAGS.run_dir or f"runs/{experiment}/{FLAGS.dataset}"),
        config,
        overwrite=FLAGS.overwrite,
        keep_threads=FLAGS.num_threads is None,
    )


def size_from_flag(name: str) -> tuple[int, int] | None:
    """(height, width) of a flag, or None where it is not given."""
    return None if FLAGS[name].value is None else _parse_size(FLAGS[name].value)


def _define_override(define, name, description, *args, **kwargs):
    values = {
        profile: sorted({_shown(name, settings[name]) for settings in datasets.values()})
        for profile, datasets in DEFAULTS.items()
    }
    shown = {profile: " or ".join(of_profile) for profile, of_profile in values.items()}
    if len(set(shown.values())) == 1:
        defaults = shown["quick"]
    else:
        defaults = "; ".join(f"{profile} {text}" for profile, text in shown.items())
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
    return is_any_size(text) and (
        text is None or all(side % SIZE_DIVISOR == 0 for side in _parse_size(text))
    )


def is_any_size(text: str | None) -> bool:
    """Whether a flag is N or HxW, or not given."""
    return text is None or (
        re.fullmatch(r"\d+(x\d+)?", text, re.ASCII) is not None and all(_parse_size(text))
    )
