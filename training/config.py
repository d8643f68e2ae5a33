"""The settings of the experiments: what each may be, and which go together."""

import math
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from awl_vae.callbacks.rules import RULES
from awl_vae.callbacks.search.moving_weight import DIRECTIONS
from awl_vae.callbacks.signals import SIGNALS
from awl_vae.data.images import CHANNELS, RESIZE_MODES
from awl_vae.evaluation.scores import FEATURE_SCORES, SCORES, SCORES_OF
from awl_vae.features.backbones import BACKBONES
from awl_vae.losses.patterns import PATTERN_SETS, TERMS, VARIANCES
from awl_vae.system.errors import UserError, check_path
from awl_vae.training.defaults import DEFAULTS, PROFILES
from awl_vae.training.methods import FIXED_WEIGHTS, RULE_METHODS, SET_POINTS
from awl_vae.training.settings import (
    Choice,
    Count,
    Names,
    Number,
    Seeds,
    Setting,
    Size,
    before_settings,
    setting,
    settings_of,
)

PROTOCOLS = ("heldout", "paper")
DTYPE_POLICIES = ("float32", "mixed_bfloat16", "auto")
SELECTION_LOSSES = ("unweighted", "weighted", "synthetic_auc")
DISTRIBUTE = ("none", "mirrored", "multi_worker")
SEARCHES = ("full", "halving")


class ConfigError(UserError, ValueError):
    """Settings that are none, or contradict each other."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every effective setting of a run directory; `config.json` holds exactly these.

    A field that is a `setting` is a flag of the same name, and a keyword of `train`.
    """

    experiment: str
    dataset: str = setting(
        Choice("Generated stand-ins, photographs from packages, or a folder of your own.", DEFAULTS)
    )
    data_dir: str | None = setting(
        Setting(
            "Directory of your own images: train/good/*, and where there are labels test/good/* "
            "and test/<defect>/*. For a generated dataset: real images in its place."
        )
    )
    roi_mask: str | None = setting(
        Setting(
            "Region of interest of the images in --data_dir: a mask for all, or a directory of "
            "masks by the images' names. What is not background is inside; nothing else counts."
        ),
        before=None,
    )
    profile: str = setting(Choice("quick: minutes on two CPU cores; paper: the paper's.", PROFILES))
    protocol: str = setting(
        Choice(
            "heldout: labelled images are split into those that steer and those that test; paper: "
            "all of them steer and are reported on.",
            PROTOCOLS,
        )
    )
    seeds: tuple[int, ...] = setting(Seeds("Seeds of initialisation, order and noise."))
    image_size: tuple[int, int] = setting(Size("Height and width of the network's images."))
    num_train: int | None = setting(
        Count("Number of distinct training images; of --data_dir all, unless it is given.")
    )
    num_adapt: tuple[int, int] | None
    repeats: int
    resize: str = setting(Choice("How real images are brought to the size.", RESIZE_MODES))
    input: str = setting(
        Choice(
            "What the model sees: the image's pixels, or the features that a frozen network makes "
            "of it.",
            SCORES_OF,
        ),
        before="pixels",
    )
    channels: str = setting(Choice("Of the images; features are of rgb.", CHANNELS), before="gray")
    backbone: str = setting(
        Choice("The network of the features.", BACKBONES, describe=lambda row: row.about),
        before="efficientnet_lite0",
    )
    likelihood: str = setting(Choice("p(x' given z), with two or three terms.", TERMS))
    variance: str = setting(
        Choice(
            "Of the gaussian likelihood. learned: of each pixel, by the decoder; optimal: one, the "
            "mean squared error of the batch (σ-VAE).",
            VARIANCES,
        )
    )
    score: str = setting(
        Choice(
            f"The anomaly score; of features {' or '.join(FEATURE_SCORES)}.",
            ChainMap[str, Any](FEATURE_SCORES, SCORES),
        )
    )
    latent_dim: int = setting(Count("Number of latent variables."))
    batch_size: int = setting(Count("Images in a batch."))
    learning_rate: float = setting(Number("Adam's step size.", above=0.0))
    dtype_policy: str = setting(
        Choice(
            "Precision of the hidden layers. bfloat16 is faster where the processor has it; auto "
            "takes it there.",
            DTYPE_POLICIES,
        )
    )
    distribute: str = setting(
        Choice(
            "Over what each batch is split. mirrored: the GPUs of this machine; multi_worker: the "
            "machines of TF_CONFIG, each of which runs the same command.",
            DISTRIBUTE,
        ),
        before="none",
    )
    num_threads: int = setting(
        Count("CPU threads. Results are the same to the bit only for the same number.", most=1024)
    )

    def __post_init__(self) -> None:
        for name, kind in settings_of(type(self)).items():
            value = getattr(self, name)
            if value is not None and not kind.is_valid(value):
                raise ConfigError(kind.wrong(name, value))
        for name in ("data_dir", "roi_mask"):
            check_path(name, getattr(self, name), ConfigError)
        if self.roi_mask is not None and self.data_dir is None:
            raise ConfigError(
                f"Expected --data_dir with --roi_mask. Received: --roi_mask={self.roi_mask}"
            )
        if self.score not in (scores := SCORES_OF[self.input]):
            raise ConfigError(
                f"Expected one of {', '.join(scores)} as --score with --input={self.input}. "
                f"Received: --score={self.score}."
            )
        if self.input == "features":
            self._check_features()
        if self.variance != "learned" and self.likelihood != "gaussian":
            raise ConfigError(
                "Expected --likelihood=gaussian with --variance=optimal. "
                f"Received: --likelihood={self.likelihood}."
            )

    def _check_features(self) -> None:
        for name, wanted in (("likelihood", "gaussian"), ("channels", "rgb"), ("roi_mask", None)):
            if (value := getattr(self, name)) != wanted:
                expected = f"--{name}={wanted}" if wanted else f"no --{name}"
                raise ConfigError(
                    f"Expected {expected} with --input=features. Received: --{name}={value}."
                )

    @property
    def uses_labels(self) -> bool:
        """Whether labelled images may choose anything: the epoch, the threshold."""
        return True

    @property
    def unread(self) -> dict[str, str]:
        """By setting that nothing reads beside the others, which of them makes it so, as a flag."""
        beside = {}
        if "log_variance" not in TERMS[self.likelihood]:
            beside["variance"] = f"--likelihood={self.likelihood}"
        if self.input != "features":
            beside["backbone"] = f"--input={self.input}"
        return beside

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Self:
        """The configuration that `to_json` gave, maybe of an earlier version."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in (before_settings(cls) | dict(settings)).items()
        }
        return cls(**values)

    def to_json(self) -> dict[str, object]:
        """The settings as JSON holds them, tuples as lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, kw_only=True)
class AUCAdaptedConfig(Config):
    """The settings of the AUC-adapted experiment."""

    methods: tuple[str, ...] = setting(
        Names("What to train.", RULE_METHODS, describe=lambda method: method.about)
    )
    epochs: int = setting(Count("Number of epochs."))
    f_update: int = setting(Count("Epochs between two looks of --rule=paper (F_update)."))
    adapt_signal: str = setting(
        Choice(
            "What steers the weights and chooses epoch and threshold.",
            SIGNALS,
            describe=lambda signal: signal.about,
        )
    )
    patterns: str = setting(
        Choice(
            "The weights that the rule chooses from. paper: Tables 1 and 2; ladder: falling "
            "weights of the KL divergence, from 1, 0.3 or 0.1 on.",
            PATTERN_SETS,
        )
    )
    rule: str = setting(
        Choice("How the AUC changes the weights.", RULES, describe=lambda rule: rule.about)
    )
    kl_weight: float = setting(Number("β, the KL weight of the method beta_vae."))
    log_variance_weight: float = setting(
        Number("The weight of its log-variance, where the likelihood is gaussian."), before=1.0
    )
    tolerance: float | None = setting(
        Number(
            "Of the method geco: what the reconstruction of an image may be, in nats. Unless it is "
            "given, what as many principal components as latents leave of calibration images.",
            above=-math.inf,
        ),
        before=None,
    )
    kl_target: float | None = setting(
        Number(
            "Of the method control_vae: the KL divergence that it holds, in nats. Unless it is "
            "given, that of the linear VAE."
        ),
        before=None,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        reads = self._reads
        if "patterns" not in RULES[self.rule].reads and self.patterns != "paper":
            raise ConfigError(
                f"Expected no --patterns with --rule={self.rule}, which has weights of its own. "
                f"Received: --patterns={self.patterns}."
            )
        is_own = (self.rule, self.patterns) != ("paper", "paper")
        if is_own and "rule" not in reads:
            raise ConfigError(
                "Expected auc_adapted among the --methods with --rule or --patterns. "
                f"Received: --methods={','.join(self.methods)}."
            )
        of_methods: dict[str, tuple[str, float | None]] = dict.fromkeys(
            FIXED_WEIGHTS, ("beta_vae", 1.0)
        )
        of_methods |= {name: (method, None) for name, method in SET_POINTS.items()}
        for name, (method, usual) in of_methods.items():
            if getattr(self, name) != usual and name not in reads:
                raise ConfigError(
                    f"Expected {method} among the --methods with --{name}. "
                    f"Received: --methods={','.join(self.methods)}."
                )
        if self.log_variance_weight != 1.0 and "log_variance" not in TERMS[self.likelihood]:
            raise ConfigError(
                "Expected --likelihood=gaussian with --log_variance_weight. "
                f"Received: --likelihood={self.likelihood}."
            )

    @property
    def uses_labels(self) -> bool:
        """As the signal does."""
        return SIGNALS[self.adapt_signal].uses_labels

    @property
    def unread(self) -> dict[str, str]:
        """Those of `Config`, and what neither the methods nor the rule read."""
        reads = self._reads
        methods = f"--methods={','.join(self.methods)}"
        of_rule = f"--rule={self.rule}" if "rule" in reads else methods
        beside = dict.fromkeys(("rule", *FIXED_WEIGHTS, *SET_POINTS), methods)
        beside |= {"patterns": of_rule, "f_update": of_rule}
        found = {name: by for name, by in beside.items() if name not in reads}
        if "log_variance" not in TERMS[self.likelihood]:
            found["log_variance_weight"] = f"--likelihood={self.likelihood}"
        elif self.variance == "optimal":  # whose log-variance trains nothing
            found["log_variance_weight"] = f"--variance={self.variance}"
        return super().unread | found

    @property
    def _reads(self) -> set[str]:
        reads = {name for method in self.methods for name in RULE_METHODS[method].reads}
        return reads | {*RULES[self.rule].reads} if "rule" in reads else reads


@dataclass(frozen=True, kw_only=True)
class LossAdaptedConfig(Config):
    """The settings of the loss-adapted search."""

    e1: int = setting(
        Count("Last epoch of the conventional training that the search starts from (E1).")
    )
    e2: int = setting(Count("Last epoch of the first comparison of branches (E2)."))
    e3: int = setting(Count("Last epoch of the second comparison of branches (E3)."))
    selection_loss: str = setting(
        Choice(
            "What chooses a branch: the lowest loss. unweighted: all terms at weight 1, so that "
            "branches can be compared; weighted: each with the weights of its own; or "
            "synthetic_auc: the highest AUC of synthetic defects.",
            SELECTION_LOSSES,
        )
    )
    directions: str = setting(
        Choice("Where the weights of the branches go: the paper's fall.", DIRECTIONS),
        before="down",
    )
    slope_window: int = setting(
        Count(
            "A weight stops by the slope of a loss over so many epochs and the one before. The "
            "paper's is 1."
        ),
        before=1,
    )
    patience: int = setting(
        Count("Epochs in a row with a positive slope, after which a weight stops. The paper's: 1."),
        before=1,
    )
    rise: float = setting(
        Number("What a rising weight is multiplied by in a stage.", above=1.0), before=10.0
    )
    search: str = setting(
        Choice(
            "full: every branch to the end of its stage; halving: the half with the higher losses "
            "is dropped, as late as 1.6 trainings allow.",
            SEARCHES,
        )
    )

    @property
    def unread(self) -> dict[str, str]:
        """Those of `Config`, and what weights that rise would read."""
        rise = {"rise": f"--directions={self.directions}"} if self.directions == "down" else {}
        return super().unread | rise

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.e1 < self.e2 < self.e3:
            raise ConfigError(
                "Expected --e1 < --e2 < --e3. "
                f"Received: --e1={self.e1}, --e2={self.e2}, --e3={self.e3}."
            )
