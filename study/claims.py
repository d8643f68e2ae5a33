"""The claims, each with a verdict that its figures give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from awl_vae.evaluation.intervals import Interval
from awl_vae.study.compared_methods import (
    BASIS,
    BY_LABELS,
    BY_LOSS,
    BY_SYNTHETIC,
    CLIMB,
    CLIMB_BY_CHOSEN,
    CONVENTIONAL,
    FIXED,
    HELDOUT,
    LAST,
    PAPER,
    ComparedMethod,
    difference,
    interval,
)
from awl_vae.study.grid import CHOSEN_SCORE, JUDGED
from awl_vae.study.run_files import Study
from awl_vae.study.searches import loss_and_auc
from awl_vae.study.verdicts import sentence, verdict
from awl_vae.system.markdown import table

AS_WELL = 0.01
"""How much lower an AUC may be that counts as "as good"."""

GOOD = 0.85
"""The AUC aimed at, set before it was measured."""

POINTS = "difference of AUC on the test images in points"


@dataclass(frozen=True)
class Claim:
    """A claim and what the datasets say of it.

    Attributes:
        text: the claim.
        measure: what its figures are.
        findings: by dataset, the figure with its interval.
        bound: what the figure has to be above.
        scale: what the figures are multiplied with when they are shown.
        is_difference: whether the figures are shown with a sign.
    """

    text: str
    measure: str
    findings: Mapping[str, Interval | None]
    bound: float = 0.0
    scale: float = 100.0
    is_difference: bool = True

    @property
    def found(self) -> dict[str, Interval]:
        """The figures of the datasets that were run."""
        return {name: found for name, found in self.findings.items() if found is not None}

    def verdicts(self) -> dict[str, str]:
        """By dataset that was run, whether the claim holds, fails or is undecided there."""
        return {dataset: verdict(found, self.bound) for dataset, found in self.found.items()}


def claims(study: Study, datasets: Sequence[str]) -> Iterator[Claim]:
    """The claims, with the figures of some datasets."""
    yield from _beats_the_conventional_vae(study, datasets)
    yield from _does_as_well_as_labels(study, datasets)
    yield _loss_tells_auc(study, datasets)
    yield from _beats_fixed_weights(study, datasets)
    yield from _gains_by_score(study, datasets)


def _beats_the_conventional_vae(study: Study, datasets: Sequence[str]) -> Iterator[Claim]:
    yield Claim(
        "The AUC-adapted VAE beats the conventional VAE at its best epoch (paper's protocol).",
        "difference of AUC in points on the images that steered, optimistic for both",
        _differences(study, datasets, BY_LABELS, CONVENTIONAL, PAPER),
    )
    yield Claim(
        "The AUC-adapted VAE beats the conventional VAE on images that did not steer it.",
        POINTS,
        _differences(study, datasets, BY_LABELS, CONVENTIONAL),
    )
    yield Claim(
        "The loss-adapted VAE beats the conventional VAE without labels.",
        f'{POINTS}; how far the weights moved is under "The searches"',
        _differences(study, datasets, BY_LOSS, LAST),
    )


def _does_as_well_as_labels(study: Study, datasets: Sequence[str]) -> Iterator[Claim]:
    yield Claim(
        "Adaptation by synthetic defects does as well as by labels (the paper's rule), to within a "
        "point of AUC.",
        POINTS,
        _differences(study, datasets, BY_SYNTHETIC, BY_LABELS),
        bound=-AS_WELL,
    )
    yield Claim(
        "Climbing by synthetic defects does as well as the paper's rule by labels, to within a "
        "point of AUC.",
        POINTS,
        _differences(study, datasets, CLIMB, BY_LABELS),
        bound=-AS_WELL,
    )


def _loss_tells_auc(study: Study, datasets: Sequence[str]) -> Claim:
    return Claim(
        "A lower loss means a higher AUC (the paper says that it does not).",
        "rank correlation of falling loss and rising AUC on the adapt images over the ends of a "
        "search's branches, ranked among those of their stage, which are 3 for two terms and 7 for "
        "three; the interval is over the seeds alone",
        {each: loss_and_auc(study, each) for each in datasets},
        scale=1.0,
    )


def _beats_fixed_weights(study: Study, datasets: Sequence[str]) -> Iterator[Claim]:
    measure = (
        f"{POINTS}; synthetic defects chose the fixed weight and its epoch, which took the "
        "trainings of all the weights"
    )
    yield Claim(
        "Adaptive weights (the paper's rule by labels) beat the best fixed weight after as many "
        "steps.",
        measure,
        _differences(study, datasets, BY_LABELS, FIXED),
    )
    yield Claim(
        "Adaptive weights (climb) beat the best fixed weight after as many steps.",
        measure,
        _differences(study, datasets, CLIMB, FIXED),
    )


def _gains_by_score(study: Study, datasets: Sequence[str]) -> Iterator[Claim]:
    yield Claim(
        f"Another score ({CHOSEN_SCORE}) gains more than adaptive weights (climb).",
        f"gain of the one less gain of the other, {POINTS}",
        _differences(study, datasets, BASIS.by(CHOSEN_SCORE), CLIMB),
    )
    yield Claim(
        f"Without any label, climb and the score {CHOSEN_SCORE} reach {100 * GOOD:.0f} % on real "
        "photographs.",
        "AUC on the test images in %",
        {each: interval(study, each, CLIMB_BY_CHOSEN) for each in datasets if each in JUDGED},
        bound=GOOD,
        is_difference=False,
    )


def _differences(
    study: Study,
    datasets: Sequence[str],
    method: ComparedMethod,
    other: ComparedMethod,
    protocol: str = HELDOUT,
) -> dict[str, Interval | None]:
    """By dataset, how much higher the AUROC of a method is than that of another."""
    return {each: difference(study, each, method, other, protocol) for each in datasets}


def claims_lines(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """The claims as Markdown."""
    for number, claim in enumerate(claims(study, datasets), 1):
        yield f"### {number}. {claim.text}"
        yield ""
        verdicts = claim.verdicts()
        if not verdicts:
            yield "Not run yet."
            yield ""
            continue
        yield f"{sentence(verdicts)} Figures: {claim.measure}."
        yield ""
        yield from table(
            ("dataset", "figure, 95 % interval", "wanted", "seeds as wanted", "verdict"),
            (_row(claim, dataset, found) for dataset, found in claim.found.items()),
        )
        yield ""


def _row(claim: Claim, dataset: str, found: Interval) -> list[str]:
    low, mean, high = (claim.scale * number for number in (found.low, found.mean, found.high))
    sign = "+" if claim.is_difference else ""
    figure = f"{mean:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"
    above = f"{sum(value > claim.bound for value in found.per_seed)}/{len(found.per_seed)}"
    wanted = f"> {claim.scale * claim.bound:g}"
    return [dataset, figure, wanted, above, verdict(found, claim.bound)]
