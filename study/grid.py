"""The runs of the study.

Planned for ten hours on two cores; `docs/RESULTS.md` has the hours that they took. Two runs of one
thread train 1,080 images of 64² a second less the scores after each epoch (a fifth to a third),
which makes 560 for two terms and 480 for three: 50 epochs on 1,000 images are 1.5 to 1.8 minutes of
the machine, 200 on 280 are 1.75. In trainings of that length, a loss-adapted search being 2.25 for
two terms and 4.25 for three, by dataset:

    elpv_mono, elpv_poly        10 + 10 + 7 + 5 + 5 + 5 + 5 + 3 + 20 = 70, two hours each
    bellows, brick, gravel      10 + 7 + 5 + 3 + 5 + 3 + 6 = 39, one hour each
    square, comb                10 + 13 + 5 + 3 + 5 + 3 + 6 = 45, 80 minutes each

Five seeds are for what adapts to an AUROC, three for the search and, but on the photographs that
our rule is judged on, for what they are compared with.

The paper's two experiments come first in a row (its protocol apart only where it trains other
models), then ours, the autoencoder, the fixed weights and the rivals. The map of fixed weights (6
trainings a dataset and a seed, 12 with three terms) and the options of the rules are besides.
"""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EPOCHS = {
    "bellows": 50,
    "square": 50,
    "comb": 50,
    "elpv_mono": 200,
    "elpv_poly": 200,
    "brick": 50,
    "gravel": 50,
}
"""By dataset, the epochs of every training: 800 to 1,800 steps."""

COMMANDS_DIR = Path(__file__).parent.parent / "experiments"
"""So a run has the code that its study has."""

FIVE, THREE, ONE = "1,10,20,50,100", "1,10,20", "1"
TRIED = ("square", "comb", "brick")
"""The datasets on which the options of the rules by AUC are tried: where climb lost."""

CLIMB_RUNS = {
    "synthetic-climb_averaged": ("climb_averaged", "ladder"),
    "synthetic-climb-ladder_0.3": ("climb", "ladder_0.3"),
    "synthetic-climb-ladder_0.1": ("climb", "ladder_0.1"),
}
"""By run, the rule and the patterns of the other climbs."""

CHOSEN_CLIMB = "synthetic-climb-ladder_0.1"
"""The one that is run everywhere, chosen by the study before it: a weight of 1 makes trainings on
brick empty, and 0.1 does not."""

MAP_SEEDS = dict.fromkeys(EPOCHS, THREE) | {"square": ONE, "gravel": ONE}
"""Of the map, by dataset: three where the first seed has something to gain."""

THREE_TERMS = ("square", "comb")
"""The datasets whose likelihood has three terms."""

JUDGED = ("elpv_mono", "elpv_poly")
"""Real photographs, on which our rule is judged; it was made on the paper's three datasets."""

MAP_KL = (10.0, 0.1, 0.01, 1e-4, 1e-6, 1e-10)
"""Fixed weights of the KL term beside 1, of which the map says how much there is to gain."""

MAP_LOG_VARIANCE = (10.0, 0.1)
"""With three terms, of the log-variance beside 1, each with `MAP_KL_COARSE`."""

MAP_KL_COARSE = (1.0, 0.01, 1e-10)

CHOSEN_SCORE = "standardized"
"""The score by which VAEs had the highest AUROC of synthetic defects on the paper's datasets."""


@dataclass(frozen=True)
class PlannedRun:
    """One command.

    Attributes:
        dataset: its dataset.
        name: what it is called beside others of the dataset.
        script: file name in experiments/.
        flags: its flags but for dataset, profile, seeds and run_dir.
        seeds: its seeds, with commas between.
        cost: how many conventional trainings its trainings take, all seeds together.
    """

    dataset: str
    name: str
    script: str
    flags: tuple[str, ...]
    seeds: str
    cost: float

    @property
    def path(self) -> str:
        """Its directory below the study's."""
        return f"{self.dataset}/{self.name}"

    def command(self, study_dir: Path, profile: str) -> list[str]:
        """Its command line."""
        return [
            sys.executable,
            str(COMMANDS_DIR / self.script),
            f"--dataset={self.dataset}",
            f"--profile={profile}",
            f"--seeds={self.seeds}",
            "--num_threads=1",
            f"--run_dir={study_dir / self.path}",
            *self.flags,
        ]


def runs(profile: str) -> Iterator[PlannedRun]:
    """All runs of the study, the paper's first."""
    for dataset in EPOCHS:
        yield from runs_of(dataset, profile)


def runs_of(dataset: str, profile: str) -> Iterator[PlannedRun]:
    """The runs of one dataset."""

    def adapted(name: str, seeds: str, *own: str, methods: str = "auc_adapted") -> PlannedRun:
        length = (f"--epochs={EPOCHS[dataset]}",) if profile == "quick" else ()
        flags_of = (f"--methods={methods}", *length, *own)
        count = len(seeds.split(",")) * len(methods.split(","))
        return PlannedRun(dataset, name, "run_auc_adapted.py", flags_of, seeds, count)

    both = "conventional,auc_adapted"
    synthetic, ours = "--adapt_signal=synthetic", ("--rule=climb", "--patterns=ladder")
    chosen_score = f"--score={CHOSEN_SCORE}"
    yield adapted("labels", FIVE, methods=both)
    if dataset in JUDGED:
        # Elsewhere the images that steer are the same under both protocols.
        yield adapted("labels-paper_protocol", FIVE, "--protocol=paper", methods=both)
    yield from _searches(dataset, profile)
    compared, kl_weights = THREE, [0.1, 1e-10]
    if dataset in JUDGED:
        compared, kl_weights = FIVE, [0.3, 0.1, 0.03, 1e-10]
    yield adapted("synthetic-conventional", compared, synthetic, methods="conventional")
    yield adapted("synthetic", FIVE, synthetic)
    yield adapted("synthetic-climb", FIVE, synthetic, *ours)
    if dataset in JUDGED:
        yield adapted(f"synthetic-climb-{CHOSEN_SCORE}", FIVE, synthetic, *ours, chosen_score)
    yield adapted("autoencoder", THREE, synthetic, methods="autoencoder")
    for weight in kl_weights:
        fixed = f"--kl_weight={weight:g}"
        yield adapted(f"beta-{weight:g}", compared, synthetic, fixed, methods="beta_vae")
    yield PlannedRun(dataset, "baselines", "run_baselines.py", (), ONE, 0.1)
    yield adapted("rivals", THREE, synthetic, methods="geco,control_vae,uncertainty")
    yield adapted("bfloat16", THREE, "--dtype_policy=mixed_bfloat16", methods="conventional")
    one_variance = ("--likelihood=gaussian", "--variance=optimal")
    yield adapted("sigma", THREE, synthetic, *one_variance, methods="conventional")
    if dataset in TRIED:
        yield adapted("synthetic-margin", THREE, synthetic, "--rule=margin")
    for name, (rule, patterns) in CLIMB_RUNS.items():
        if dataset in TRIED or name == CHOSEN_CLIMB:
            own = (f"--rule={rule}", f"--patterns={patterns}")
            seeds = compared if name == CHOSEN_CLIMB else THREE
            yield adapted(name, seeds, synthetic, *own)
    for kl, log_variance in map_weights(dataset):
        weights = [f"--kl_weight={kl:g}"]
        if log_variance != 1:
            weights.append(f"--log_variance_weight={log_variance:g}")
        yield adapted(map_name(kl, log_variance), MAP_SEEDS[dataset], *weights, methods="beta_vae")


def map_weights(dataset: str) -> Iterator[tuple[float, float]]:
    """The weights of KL term and log-variance that are tried, but for weights of 1."""
    yield from ((kl, 1.0) for kl in MAP_KL)
    if dataset in THREE_TERMS:
        yield from itertools.product(MAP_KL_COARSE, MAP_LOG_VARIANCE)


def map_name(kl: float, log_variance: float) -> str:
    """What the run of such weights is called."""
    return f"map-{kl:g}" if log_variance == 1 else f"map-{kl:g}-{log_variance:g}"


SEARCHES = {
    "loss": (),
    "loss-window": ("--slope_window=5",),
    "loss-patience": ("--slope_window=5", "--patience=2"),
    "loss-both": ("--slope_window=5", "--patience=2", "--directions=both"),
    "loss-synthetic": (
        *("--slope_window=5", "--patience=2", "--directions=both"),
        "--selection_loss=synthetic_auc",
    ),
}
"""By run the flags of a search: the paper's, and what its authors wish for, one after the other."""

SEARCH_TITLES = {
    "loss-window": "slopes over a window",
    "loss-patience": "window, patience",
    "loss-both": "window, patience, rising too",
    "loss-synthetic": "the same, chosen by synthetic defects",
}
"""By run of another search than the paper's, what it is called."""

SEARCHED = ("bellows", "brick", "elpv_mono")
"""The datasets on which the others are tried."""


def _searches(dataset: str, profile: str) -> Iterator[PlannedRun]:
    e3 = EPOCHS[dataset]
    ends = (f"--e1={e3 // 2}", f"--e2={3 * e3 // 4}", f"--e3={e3}") if profile == "quick" else ()
    branches = 7 if dataset in THREE_TERMS else 3
    for name, flags in SEARCHES.items():
        if name != "loss" and dataset not in SEARCHED:
            continue
        seeds = THREE if name == "loss" else ONE
        # Half of a training, a quarter of one for each branch of two stages, and the conventional.
        twice = 2 if "--directions=both" in flags else 1
        cost = 0.75 + 0.5 * (twice * (branches - 1) + 1)
        count = len(seeds.split(","))
        yield PlannedRun(dataset, name, "run_loss_adapted.py", (*ends, *flags), seeds, count * cost)
