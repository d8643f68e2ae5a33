"""The settings of an experiment and their defaults, per profile and dataset."""

from dataclasses import asdict, dataclass

ALL_SEEDS = (1, 10, 20, 50, 100)


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
    score: str
    latent_dim: int
    batch_size: int
    learning_rate: float
    dtype_policy: str
    num_threads: int
    epochs: int
    f_update: int

    def to_json(self) -> dict:
        """The settings as JSON holds them, tuples as lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


_ALL = {"repeats": 1, "num_adapt": None}
_TWO_TERMS = _ALL | {"likelihood": "bernoulli", "score": "mse", "batch_size": 32}
_THREE_TERMS = _ALL | {"likelihood": "gaussian", "batch_size": 64}

_BELLOWS = _TWO_TERMS
_SQUARE = _THREE_TERMS | {"score": "max1p"}
# Paper: the training images of comb are copied eight times (Sect. 4.1.1).
_COMB = _THREE_TERMS | {"score": "mse", "repeats": 8}
_REAL = _TWO_TERMS | {"num_train": None}

_QUICK = {
    "image_size": (64, 64),
    "latent_dim": 100,
    "learning_rate": 1e-3,
    "f_update": 3,
    "seeds": ALL_SEEDS[:1],
}
_PAPER = {
    "image_size": (256, 256),
    "latent_dim": 1000,
    "learning_rate": 1e-4,
    "epochs": 100,
    "f_update": 3,
    "seeds": ALL_SEEDS,
}

DEFAULTS = {
    "quick": {
        "bellows": _QUICK | _BELLOWS | {"num_train": 1000, "epochs": 30},
        "square": _QUICK | _SQUARE | {"num_train": 1000, "epochs": 30, "num_adapt": (100, 100)},
        "comb": _QUICK | _COMB | {"num_train": 125, "epochs": 30},
        "elpv_mono": _QUICK | _REAL | {"epochs": 100},
        "elpv_poly": _QUICK | _REAL | {"epochs": 100},
        "folder": _QUICK | _REAL | {"epochs": 100},
    },
    "paper": {
        "bellows": _PAPER | _BELLOWS | {"num_train": 28000},
        "square": _PAPER | _SQUARE | {"num_train": 10000, "image_size": (512, 512)},
        "comb": _PAPER | _COMB | {"num_train": 1352, "image_size": (320, 320)},
        "elpv_mono": _PAPER | _REAL,
        "elpv_poly": _PAPER | _REAL,
        "folder": _PAPER | _REAL,
    },
}
"""By profile and dataset, the settings that a flag overrides."""


def resolve(overrides: dict, **settings) -> Config:
    """The configuration of a command line.

    Args:
        overrides: by setting, what a flag says, or None for the default of profile and dataset.
        **settings: the settings that have no such default, `profile` and `dataset` among them.

    Returns:
        The configuration.
    """
    defaults = dict(DEFAULTS[settings["profile"]][settings["dataset"]])
    if settings["data_dir"] is not None:
        defaults["num_train"] = None  # all the images that are there
    given = {name: value for name, value in overrides.items() if value is not None}
    return Config(**settings, **(defaults | given))
