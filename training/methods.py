"""The methods that are compared, by the names of their directories, and what steers them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awl_vae.callbacks.rules import RULES, PaperRule, Rule, RuleSettings
from awl_vae.losses.patterns import DISABLED, PATTERN_SETS, PATTERNS, with_kl_weight

if TYPE_CHECKING:
    from awl_vae.training.config import AUCAdaptedConfig


@dataclass(frozen=True)
class Method:
    """A method that `--methods` takes: a training with weights by a rule.

    Attributes:
        title: what it is called in tables and figures.
        about: what it is, for `--help`.
        rule: returns what says its weights.
        sample_latent: whether its training samples z; see `VAE`.
    """

    title: str
    about: str
    rule: Callable[["AUCAdaptedConfig"], Rule]
    sample_latent: bool = True


@dataclass(frozen=True)
class Signal:
    """What may steer the weights.

    Attributes:
        auc: the name of its AUROC in the history.
        about: what it is, for `--help`.
    """

    auc: str
    about: str


def _conventional(config: "AUCAdaptedConfig") -> Rule:
    # Paper: the conventional VAE is the adapted one with F_update = N_epoch (Sect. 4.1.2).
    return PaperRule(PATTERNS[config.likelihood], f_update=config.epochs)


def _auc_adapted(config: "AUCAdaptedConfig") -> Rule:
    patterns = PATTERN_SETS[config.patterns][config.likelihood]
    return RULES[config.rule].build(
        RuleSettings(patterns, epochs=config.epochs, f_update=config.f_update, floor=DISABLED)
    )


def _fixed(config: "AUCAdaptedConfig", kl_weight: float) -> Rule:
    pattern = with_kl_weight(config.likelihood, max(kl_weight, DISABLED))
    return PaperRule([pattern], f_update=config.epochs)


METHODS = {
    "conventional": Method("Conventional VAE", "all weights 1", _conventional),
    "auc_adapted": Method("AUC-adapted VAE", "weights by the rule", _auc_adapted),
    "beta_vae": Method(
        "β-VAE", "kl_weight all along", lambda config: _fixed(config, config.kl_weight)
    ),
    "autoencoder": Method(
        "Autoencoder",
        "the reconstruction alone, and no noise in training",
        lambda config: _fixed(config, DISABLED),
        sample_latent=False,
    ),
}
"""The methods of the AUC-adapted experiment."""

SIGNALS = {
    "labels": Signal("adapt_auc", "the labelled images"),
    "synthetic": Signal(
        "adapt_auc_synthetic",
        "normal calibration images, by the AUC against copies of them with synthetic defects, so "
        "that no label is needed",
    ),
}
"""By `--adapt_signal`, the AUROC that steers the weights and chooses the epoch."""

OTHER_TITLES = {"mean_image": "Mean image", "pca": "PCA", "loss_adapted": "Loss-adapted VAE"}


def title_of(method: str) -> str:
    """What a method of any experiment is called in tables and figures."""
    return METHODS[method].title if method in METHODS else OTHER_TITLES[method]
