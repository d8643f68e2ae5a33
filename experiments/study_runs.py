"""The runs of the study.

Planned for ten hours on two cores. A training of 60 epochs on 1,000 images, or of 200 on 280, is
1.3 to 2.8 minutes long: 60,000 or 56,000 images at 570 a second (`docs/performance.md`), and a
third to a half more for the scores after each epoch. In trainings of that length, a loss-adapted
search being 2.25 for two terms and 4.25 for three, by dataset:

    brick, gravel, bellows      10 + 7 + 10 + 5 + 3 + 6 = 41, one hour each
    square, comb                10 + 13 + 10 + 5 + 3 + 6 = 47, one hour each
    elpv_mono, elpv_poly        10 + 6 + 7 + 10 + 5 + 3 + 20 = 61, two to three hours each

The paper's two experiments come first in a row (its protocol apart only where it trains other
models), then ours, the autoencoder and the fixed weights.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EPOCHS = {
    "bellows": 60,
    "square": 60,
    "comb": 60,
    "elpv_mono": 200,
    "elpv_poly": 200,
    "brick": 60,
    "gravel": 60,
}
"""By dataset, the epochs of every training: 960 to 1,920 steps."""

FIVE, THREE = "1,10,20,50,100", "1,10,20"
JUDGED = ("elpv_mono", "elpv_poly")
"""Real photographs, on which our rule is judged; it was made on the paper's three datasets."""


@dataclass(frozen=True)
class Run:
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
            str(Path(__file__).with_name(self.script)),
            f"--dataset={self.dataset}",
            f"--profile={profile}",
            f"--seeds={self.seeds}",
            f"--run_dir={study_dir / self.path}",
            *self.flags,
        ]


def runs(profile: str) -> Iterator[Run]:
    """All runs of the study, the paper's first."""
    for dataset in EPOCHS:
        yield from runs_of(dataset, profile)


def runs_of(dataset: str, profile: str) -> Iterator[Run]:
    """The runs of one dataset."""

    def adapted(name, seeds, *own, methods="auc_adapted"):
        length = (f"--epochs={EPOCHS[dataset]}",) if profile == "quick" else ()
        flags_of = (f"--methods={methods}", *length, *own)
        count = len(seeds.split(",")) * len(methods.split(","))
        return Run(dataset, name, "run_auc_adapted.py", flags_of, seeds, count)

    both = "conventional,auc_adapted"
    synthetic, ours = "--adapt_signal=synthetic", ("--rule=climb", "--patterns=ladder")
    yield adapted("labels", FIVE, methods=both)
    if dataset in JUDGED:
        # Elsewhere the images that steer are the same under both protocols.
        yield adapted("labels-paper_protocol", THREE, "--protocol=paper", methods=both)
    yield _search(dataset, profile)
    yield adapted("synthetic", FIVE, synthetic, methods=both)
    yield adapted("synthetic-climb", FIVE, synthetic, *ours)
    seeds, kl_weights = THREE, (0.1, 1e-10)
    if dataset in JUDGED:
        seeds, kl_weights = FIVE, (0.3, 0.1, 0.03, 1e-10)
    yield adapted("autoencoder", THREE, synthetic, methods="autoencoder")
    for weight in kl_weights:
        fixed = f"--kl_weight={weight:g}"
        yield adapted(f"beta-{weight:g}", seeds, synthetic, fixed, methods="beta_vae")
    yield Run(dataset, "baselines", "run_baselines.py", (), "1", 0.1)


def _search(dataset, profile):
    e3 = EPOCHS[dataset]
    ends = (f"--e1={e3 // 2}", f"--e2={3 * e3 // 4}", f"--e3={e3}") if profile == "quick" else ()
    conventional_runs = 4.25 if dataset in ("square", "comb") else 2.25
    return Run(dataset, "loss", "run_loss_adapted.py", ends, THREE, 3 * conventional_runs)
