"""The methods that are compared, by the names of their directories."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from awl_vae.callbacks.rules import RULES, FreeRule, PaperRule, Rule, RuleSettings
from awl_vae.losses.patterns import DISABLED, PATTERN_SETS, PATTERNS, TERMS, with_weights
from awl_vae.models.linear import mean_image, pca

if TYPE_CHECKING:
    from awl_vae.training.config import AUCAdaptedConfig

Row = TypeVar("Row")

FIXED_WEIGHTS = ("kl_weight", "log_variance_weight")
"""The settings of the β-VAE."""


@dataclass(frozen=True)
class Method:
    """A method that is compared with others.

    Attributes:
        title: what it is called in tables and figures.
        lower_kl: what helps where the KL term makes the model empty.
        score: the only score that it has; None where that is the run's.
    """

    title: str
    score: str | None = field(default=None, kw_only=True)
    lower_kl: str = field(
        default="`awl-vae auc-adapted --methods=beta_vae --kl_weight=0.1`", kw_only=True
    )


@dataclass(frozen=True)
class RuleMethod(Method):
    """A method that `--methods` takes: a training with weights by a rule.

    Attributes:
        about: what it is, for `--help`.
        rule: returns what says its weights.
        sample_latent: whether its training samples z; see `VAE`.
        reads: the settings that it reads of those that only some methods do. Where "rule" is among
            them, the rule reads its own.
    """

    about: str
    rule: Callable[["AUCAdaptedConfig"], Rule]
    sample_latent: bool = True
    reads: tuple[str, ...] = ("rule", *FIXED_WEIGHTS)


@dataclass(frozen=True)
class LinearMethod(Method):
    """A method without training by gradients, which the baselines have.

    Attributes:
        components: (training images (N, D), number of latents, seed) to components (K, D).
    """

    components: Callable[[np.ndarray, int, int], np.ndarray]


@dataclass(frozen=True)
class FeatureMethod(Method):
    """The same, of features; its name is that of a recipe, a key of `RECIPES`."""


class Rows(Mapping[str, Row]):
    """The rows of a table that are of one class, those that are added to it later, too."""

    def __init__(self, table: Mapping[str, object], kind: type[Row]):
        self._table = table
        self._kind = kind

    def __getitem__(self, name: str) -> Row:
        row = self._table[name]
        if not isinstance(row, self._kind):
            raise KeyError(name)
        return row

    def __iter__(self) -> Iterator[str]:
        return (name for name, row in self._table.items() if isinstance(row, self._kind))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _conventional(config: "AUCAdaptedConfig") -> Rule:
    # Paper: the conventional VAE is the adapted one with F_update = N_epoch (Sect. 4.1.2).
    return PaperRule(PATTERNS[config.likelihood], f_update=config.epochs)


def _auc_adapted(config: "AUCAdaptedConfig") -> Rule:
    patterns = PATTERN_SETS[config.patterns][config.likelihood]
    return RULES[config.rule].build(
        RuleSettings(patterns, epochs=config.epochs, f_update=config.f_update, floor=DISABLED)
    )


def _fixed(config: "AUCAdaptedConfig", **weights: float) -> Rule:
    terms = TERMS[config.likelihood]
    weights = {term: max(weight, DISABLED) for term, weight in weights.items() if term in terms}
    return PaperRule([with_weights(config.likelihood, **weights)], f_update=config.epochs)


def _free(config: "AUCAdaptedConfig") -> Rule:
    # How the model sets its weights is in training/balancings.py.
    return FreeRule()


METHODS: dict[str, Method] = {
    "conventional": RuleMethod("Conventional VAE", "all weights 1", _conventional, reads=()),
    "auc_adapted": RuleMethod(
        "AUC-adapted VAE",
        "weights by the rule",
        _auc_adapted,
        reads=("rule",),
        lower_kl="`--rule=climb --patterns=ladder_0.1`",
    ),
    "beta_vae": RuleMethod(
        "β-VAE",
        "kl_weight and log_variance_weight all along",
        lambda config: _fixed(config, kl=config.kl_weight, log_variance=config.log_variance_weight),
        reads=FIXED_WEIGHTS,
        lower_kl="a lower --kl_weight",
    ),
    "autoencoder": RuleMethod(
        "Autoencoder",
        "the reconstruction alone, and no noise in training",
        lambda config: _fixed(config, kl=DISABLED),
        sample_latent=False,
        reads=(),
        lower_kl="more --epochs",
    ),
    "geco": RuleMethod(
        "GECO",
        "as little KL as a bound on the reconstruction lets",
        _free,
        reads=("tolerance",),
        lower_kl="a lower --tolerance",
    ),
    "control_vae": RuleMethod(
        "ControlVAE",
        "a KL divergence that is held",
        _free,
        reads=("kl_target",),
        lower_kl="a higher --kl_target",
    ),
    "uncertainty": RuleMethod(
        "Uncertainty weights",
        "weights that are learnt with the model",
        _free,
        reads=(),
    ),
    "loss_adapted": Method("Loss-adapted VAE"),
    "mean_image": LinearMethod("Mean image", mean_image),
    "pca": LinearMethod("PCA", pca),
    "low_rank": FeatureMethod("Low rank", score="nearest_normal"),
    "padim": FeatureMethod("PaDiM", score="mahalanobis"),
    "patchcore": FeatureMethod("PatchCore", score="nearest_normal"),
}
"""The methods of all experiments by the names of their directories."""

RULE_METHODS = Rows(METHODS, RuleMethod)
"""Those of the AUC-adapted experiment."""

SET_POINTS = {
    setting: name
    for name, row in RULE_METHODS.items()
    for setting in row.reads
    if setting not in ("rule", *FIXED_WEIGHTS)
}
"""By setting that is found in the images unless it is given, its method."""

LINEAR_METHODS = Rows(METHODS, LinearMethod)
"""The baselines of pixels."""

FEATURE_METHODS = Rows(METHODS, FeatureMethod)
"""The baselines of features."""


def score_of(method: str, score: str) -> str:
    """The score of a method in a run with a score."""
    return METHODS[method].score or score


def title_of(method: str) -> str:
    """What a method is called in tables and figures."""
    return METHODS[method].title


def warning_of_emptiness(method: str, seed: int, epoch: int) -> str:
    """The line for a model that is kept and reconstructs every image alike."""
    return (
        f"Warning: {method} seed {seed} reconstructs every image alike in epoch {epoch}, which is "
        f"kept: its latents tell nothing. What may help: {METHODS[method].lower_kl}."
    )
