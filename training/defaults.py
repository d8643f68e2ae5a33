"""The defaults of the settings, by dataset and profile."""

from collections.abc import Mapping

Settings = Mapping[str, object]

PROFILES = ("quick", "paper")

OWN_DEFAULTS: Settings = {
    "dataset": "bellows",
    "data_dir": None,
    "roi_mask": None,
    "profile": "quick",
    "protocol": "heldout",
    "resize": "stretch",
    "input": "pixels",
    "backbone": "efficientnet_lite0",
    "dtype_policy": "float32",
    "distribute": "none",
}
"""Those that are the same for all datasets and profiles, and in every experiment."""

_ALL: Settings = {
    "repeats": 1,
    "channels": "gray",
    "variance": "learned",
    "num_adapt": None,
    "methods": ("conventional", "auc_adapted"),
    "f_update": 3,
    "adapt_signal": "labels",
    "patterns": "paper",
    "rule": "paper",
    "kl_weight": 1.0,
    "log_variance_weight": 1.0,
    "tolerance": None,
    "kl_target": None,
    "selection_loss": "unweighted",
    "directions": "down",
    "slope_window": 1,
    "patience": 1,
    "rise": 10.0,
    "search": "full",
}
_TWO_TERMS = {**_ALL, "likelihood": "bernoulli", "score": "mse", "batch_size": 32}
_THREE_TERMS = {**_ALL, "likelihood": "gaussian", "batch_size": 64}

_QUICK = {"image_size": (64, 64), "latent_dim": 100, "learning_rate": 1e-3}
_QUICK_1000 = _QUICK | {"epochs": 30, "e1": 20, "e2": 30, "e3": 40}
_QUICK_FEW = _QUICK | {"epochs": 100, "e1": 50, "e2": 75, "e3": 100}
_PAPER = {"image_size": (256, 256), "latent_dim": 1000, "learning_rate": 1e-4}
_PAPER |= {"epochs": 100, "e1": 100, "e2": 150, "e3": 200}


def _row(shared: Settings, *, quick: Settings, paper: Settings) -> dict[str, dict[str, object]]:
    return {"quick": {**shared, **quick}, "paper": {**shared, **paper}}


_SQUARE = _THREE_TERMS | {"score": "max1p"}
# Paper: the training images of comb are copied eight times (Sect. 4.1.1).
_COMB = _THREE_TERMS | {"score": "mse", "repeats": 8}
_TEXTURE = _row(_TWO_TERMS | {"num_train": 1000}, quick=_QUICK_1000, paper=_PAPER)
_PHOTOGRAPHS = _row(_TWO_TERMS | {"num_train": None}, quick=_QUICK_FEW, paper=_PAPER)

DEFAULTS: dict[str, Mapping[str, Settings]] = {
    "bellows": _row(
        _TWO_TERMS,
        quick=_QUICK_1000 | {"num_train": 1000},
        paper=_PAPER | {"num_train": 28000},
    ),
    "square": _row(
        _SQUARE,
        quick=_QUICK_1000 | {"num_train": 1000, "num_adapt": (100, 100)},
        paper=_PAPER | {"num_train": 10000, "image_size": (512, 512)},
    ),
    "comb": _row(
        _COMB,
        quick=_QUICK_1000 | {"num_train": 125},
        paper=_PAPER | {"num_train": 1352, "image_size": (320, 320)},
    ),
    "brick": _TEXTURE,
    "gravel": _TEXTURE,
    "elpv_mono": _PHOTOGRAPHS,
    "elpv_poly": _PHOTOGRAPHS,
    "folder": _PHOTOGRAPHS,
}
"""By dataset and profile, the other settings; each experiment takes its own."""

_FEATURES: Settings = {"channels": "rgb", "likelihood": "gaussian", "score": "mahalanobis"}

FEATURE_DEFAULTS: Mapping[str, Settings] = {
    "quick": {**_FEATURES, "image_size": (128, 128)},
    "paper": {**_FEATURES, "image_size": (224, 224)},
}
"""By profile, what is otherwise with `--input=features`, of every dataset."""
