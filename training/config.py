"""The settings of the experiments and their defaults, per profile and dataset."""

from dataclasses import asdict, dataclass, fields

ANNEALING = ("monotonic", "cyclical")
"""The rules that follow the epoch alone."""


class ConfigError(ValueError):
    """Settings that contradict each other."""


@dataclass(frozen=True)
class Config:
    """Every effective setting of a run directory; `config.json` holds exactly these.

    Attributes are named and explained by the flags (`experiments/flags.py`).
    """

    experiment: str
    dataset: str
    data_dir: str | None
    profile: str
    protocol: str
    seeds: tuple[int, ...]
    image_size: tuple[int, int]
    num_train: int | None
    num_adapt: tuple[int, int] | None
    repeats: int
    resize: str
    likelihood: str
    variance: str
    score: str
    latent_dim: int
    batch_size: int
    learning_rate: float
    dtype_policy: str
    num_threads: int

    def __post_init__(self):
        if self.variance != "learned" and self.likelihood != "gaussian":
            raise ConfigError(
                "Expected --likelihood=gaussian with --variance=optimal. "
                f"Received: likelihood={self.likelihood}."
            )

    @property
    def uses_labels(self) -> bool:
        """Whether labelled images may choose anything: the epoch, the threshold."""
        return True

    def to_json(self) -> dict:
        """The settings as JSON holds them, tuples as lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class AUCAdaptedConfig(Config):
    """The settings of the AUC-adapted experiment."""

    methods: tuple[str, ...]
    epochs: int
    f_update: int
    adapt_signal: str
    patterns: str
    rule: str
    kl_weight: float

    def __post_init__(self):
        super().__post_init__()
        if self.rule in ANNEALING and self.patterns != "paper":
            raise ConfigError(
                f"Expected no --patterns with --rule={self.rule}, which has weights of its own. "
                f"Received: patterns={self.patterns}."
            )
        is_own = (self.rule, self.patterns) != ("paper", "paper")
        if is_own and "auc_adapted" not in self.methods:
            raise ConfigError(
                "Expected auc_adapted among the --methods with --rule or --patterns. "
                f"Received: methods={','.join(self.methods)}."
            )
        if self.kl_weight != 1.0 and "beta_vae" not in self.methods:
            raise ConfigError(
                "Expected beta_vae among the --methods with --kl_weight. "
                f"Received: methods={','.join(self.methods)}."
            )

    @property
    def uses_labels(self) -> bool:
        """Not where synthetic defects are the signal."""
        return self.adapt_signal == "labels"


@dataclass(frozen=True)
class LossAdaptedConfig(Config):
    """The settings of the loss-adapted search."""

    e1: int
    e2: int
    e3: int
    selection_loss: str
    search: str

    def __post_init__(self):
        super().__post_init__()
        if not self.e1 < self.e2 < self.e3:
            raise ConfigError(
                f"Expected e1 < e2 < e3. Received: e1={self.e1}, e2={self.e2}, e3={self.e3}."
            )


CONFIGS = {"auc_adapted": AUCAdaptedConfig, "loss_adapted": LossAdaptedConfig, "baselines": Config}
"""The class of each experiment's settings."""

_ALL = {
    "repeats": 1,
    "variance": "learned",
    "num_adapt": None,
    "methods": ("conventional", "auc_adapted"),
    "f_update": 3,
    "adapt_signal": "labels",
    "patterns": "paper",
    "rule": "paper",
    "kl_weight": 1.0,
    "selection_loss": "unweighted",
    "search": "full",
}
_TWO_TERMS = _ALL | {"likelihood": "bernoulli", "score": "mse", "batch_size": 32}
_THREE_TERMS = _ALL | {"likelihood": "gaussian", "batch_size": 64}

_BELLOWS = _TWO_TERMS
_SQUARE = _THREE_TERMS | {"score": "max1p"}
# Paper: the training images of comb are copied eight times (Sect. 4.1.1).
_COMB = _THREE_TERMS | {"score": "mse", "repeats": 8}
_TEXTURE = _TWO_TERMS | {"num_train": 1000}
_REAL = _TWO_TERMS | {"num_train": None}

_QUICK = {"image_size": (64, 64), "latent_dim": 100, "learning_rate": 1e-3}
_QUICK_1000 = _QUICK | {"epochs": 30, "e1": 20, "e2": 30, "e3": 40}
_QUICK_FEW = _QUICK | {"epochs": 100, "e1": 50, "e2": 75, "e3": 100}
_PAPER = {"image_size": (256, 256), "latent_dim": 1000, "learning_rate": 1e-4}
_PAPER |= {"epochs": 100, "e1": 100, "e2": 150, "e3": 200}

DEFAULTS = {
    "quick": {
        "bellows": _QUICK_1000 | _BELLOWS | {"num_train": 1000},
        "square": _QUICK_1000 | _SQUARE | {"num_train": 1000, "num_adapt": (100, 100)},
        "comb": _QUICK_1000 | _COMB | {"num_train": 125},
        "brick": _QUICK_1000 | _TEXTURE,
        "gravel": _QUICK_1000 | _TEXTURE,
        "elpv_mono": _QUICK_FEW | _REAL,
        "elpv_poly": _QUICK_FEW | _REAL,
        "folder": _QUICK_FEW | _REAL,
    },
    "paper": {
        "bellows": _PAPER | _BELLOWS | {"num_train": 28000},
        "square": _PAPER | _SQUARE | {"num_train": 10000, "image_size": (512, 512)},
        "comb": _PAPER | _COMB | {"num_train": 1352, "image_size": (320, 320)},
        "brick": _PAPER | _TEXTURE,
        "gravel": _PAPER | _TEXTURE,
        "elpv_mono": _PAPER | _REAL,
        "elpv_poly": _PAPER | _REAL,
        "folder": _PAPER | _REAL,
    },
}
"""By profile and dataset, the settings that a flag overrides; each experiment takes its own."""

SEEDS = {
    "auc_adapted": {"quick": (1,), "paper": (1, 10, 20, 50, 100)},
    "loss_adapted": {"quick": (1,), "paper": (1, 10, 20)},
    "baselines": {"quick": (1,), "paper": (1,)},
}
"""By experiment and profile, the seeds."""


def resolve(overrides: dict, **settings) -> Config:
    """The configuration of a command line.

    Args:
        overrides: by setting, what a flag says, or None for the default of profile and dataset.
        **settings: the settings that have no such default, `experiment`, `profile` and `dataset`
            among them.

    Returns:
        The configuration, of the experiment's class.
    """
    experiment, profile = settings["experiment"], settings["profile"]
    values = DEFAULTS[profile][settings["dataset"]] | {"seeds": SEEDS[experiment][profile]}
    if settings["data_dir"] is not None:
        values["num_train"] = None  # all the images that are there
    values |= {name: value for name, value in overrides.items() if value is not None}
    values |= settings
    config = CONFIGS[experiment]
    return config(**{field.name: values[field.name] for field in fields(config)})
