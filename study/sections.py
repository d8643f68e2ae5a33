"""The sections of the results page as Markdown: tables and figures, and what they show."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from awl_vae.study.aim import aim_table
from awl_vae.study.claims import GOOD, claims_lines
from awl_vae.study.compared_methods import HELDOUT, PAPER, fixed_weights, methods_of
from awl_vae.study.grid import JUDGED
from awl_vae.study.headroom import aim_lines, headroom_table, plot_headroom, shares_table
from awl_vae.study.paper_figures import OF_AUC, OF_LOSS, plot_study
from awl_vae.study.paper_tables import paper_tables
from awl_vae.study.run_files import Study
from awl_vae.study.searches import searches_table
from awl_vae.study.tables import (
    differences_table,
    fixed_weights_table,
    methods_table,
    scores_table,
    signals_table,
)
from awl_vae.study.trajectories import EMPTY, trajectories_table

PROTOCOLS = {
    HELDOUT: "Held out: on test images, which steered nothing.",
    PAPER: "Paper's protocol: on all the images that steer by it, which is optimistic where labels "
    "chose.",
}


def claims(study: Study) -> Iterator[str]:
    """The claims with their verdicts and figures."""
    yield from _blocks("## The claims")
    yield from claims_lines(study, study.datasets)


def tables_of_the_paper(study: Study) -> Iterator[str]:
    """The paper's numbers beside ours."""
    yield from _blocks(
        "## The paper's tables",
        "The paper's photographs are confidential: its numbers are of other images than ours. "
        "*Ours* is on the adapt images, in Tables 6 to 8 steered by them as in the paper, in "
        "Tables 9 to 11 with a threshold from them alone. *Held out* is on the test images with "
        "the threshold of the adapt images.",
    )
    yield from paper_tables(study)


def figures_of_the_paper(study: Study, directory: Path, link: str) -> Iterator[str]:
    """The paper's figures, as our runs draw them.

    Args:
        study: the files.
        directory: where they are drawn.
        link: that directory as the page links to it, once it is in its place.
    """
    yield from _blocks(
        "## The paper's figures",
        f"As in the paper, Figs. 14 to 19 are of {OF_AUC}, 20 to 24 of {OF_LOSS}; one seed each.",
    )
    for file, text in plot_study(study, directory):
        yield from _blocks(text, f"![{file}]({link}/{file})")


def every_method(study: Study) -> Iterator[str]:
    """AUROCs and differences to the conventional VAE, under both protocols."""
    yield from _blocks(
        "## Every method on every dataset",
        "AUC in %, mean ± sample standard deviation over five seeds, or as many as in brackets. "
        "What chose the epoch is in the second column, and labels did so only where it says so. "
        "Then the differences to the conventional VAE whose epoch was chosen in the same way (for "
        "what has no epochs, by synthetic defects), by the same score and over the seeds that both "
        "have, in points: mean, interval, and how many seeds have the sign of the mean.",
    )
    for protocol, text in PROTOCOLS.items():
        yield from _blocks(
            f"**{text}**",
            methods_table(study, study.datasets, protocol, methods_of(study, study.datasets)),
            differences_table(study, study.datasets, protocol),
        )


def aim(study: Study) -> Iterator[str]:
    """Whether our rule reached its aim, where that is lost, and the fixed weights beside it."""
    return _blocks(
        "## Our rule and its aim",
        "What climb, which sees no label, was to reach was set before: on every dataset at least "
        "the best fixed weight and the paper's rule by labels, in the mean over the seeds. "
        "Differences of AUC on the test images in points, with interval and sign as above; the "
        "conventional VAE, the paper's rule, what has no KL term and PCA stand beside.",
        aim_table(study, study.datasets),
        "Where it is lost: how many epochs the trainings had at each weight of the KL term, how "
        "often it rose again, and in how many another term's weight was below 1; which epoch was "
        "chosen, of how many, and in how many trainings the KL divergence there was under "
        f"{EMPTY:g} nats, so that every image has the same reconstruction; the AUC there, beside "
        "the highest that a choice by labels could have found and that of the last epoch. On the "
        "adapt images in %; means over the seeds. What is lost from there to the test images is "
        "none of the signal's doing: the halves of the photographs differ, for PCA, too. Where the "
        "chosen epochs are among the last, more of them might have changed the result.",
        trajectories_table(study, study.datasets),
        f"The fixed weights: {', '.join(fixed_weights(JUDGED[0]))} on the judged photographs, with "
        f"five seeds; {', '.join(fixed_weights(OF_AUC))} elsewhere, with three. The best one is "
        "chosen for each seed, by synthetic defects.",
        fixed_weights_table(study, study.datasets),
    )


def headroom(study: Study, directory: Path, link: str) -> Iterator[str]:
    """How much there is to gain by fixed weights, and what share of it each method takes.

    Args:
        study: the files.
        directory: where the figure is drawn.
        link: that directory as the page links to it.
    """
    yield from _blocks(
        "## How much is there to gain?",
        "The AUC over fixed weights and epochs: a training for each weight of the KL term, all "
        "other weights 1, and with three terms some for each weight of the log-variance, too. "
        "Headroom is the AUC on the test images of the weight and the epoch that have the highest "
        "AUC on the adapt images, less the same for weights of 1, in points, with interval and "
        "sign as above. Where the interval includes 0 no rule can show anything; one seed tells "
        "nothing of how much trainings differ, so that nothing is above the noise with it.",
        headroom_table(study, study.datasets),
    )
    if file := plot_headroom(study, directory):
        yield from _blocks(f"![{file}]({link}/{file})")
    yield from _blocks(
        "Which share of it each method takes where there is any, in %: its gain over weights of 1 "
        "with the epoch that labels choose, which a method without labels does not have. The mean "
        "stands where a method was run on all of these. Where it gains least, if it was run on "
        "every dataset, is in the last column: there weights of 1 have the epoch that labels "
        "choose, or the one that is chosen as the method's is, whichever leaves less.",
        shares_table(study, study.datasets),
        aim_lines(study, study.datasets),
    )


def searches(study: Study) -> Iterator[str]:
    """What the searches of the loss-adapted VAE did."""
    return _blocks(
        "## The searches",
        "In the paper's search a weight falls while its term does and stops where that first "
        "rises; the others take slopes over a window, wait for several rises, let weights rise, "
        "too, and choose by synthetic defects. How far weights fell on the paths that were chosen, "
        "and on any branch, and how high they were at the end; how far apart the losses of a "
        "stage's branches were at its end, all weights at 1, from which all but the last search "
        "choose; how long a search took, with the conventional VAE carried along; and the AUC of "
        "the model at its end. Ranges over the seeds.",
        searches_table(study, study.datasets),
    )


def score(study: Study) -> Iterator[str]:
    """The scores, and whether synthetic defects choose the best of them."""
    return _blocks(
        "## The score",
        "AUC of synthetic defects / on the test images in %, mean over the seeds, by score, of "
        "models whose epoch was chosen by the run's own score. The first needs no label, so it can "
        f"choose the score. On {JUDGED[0]} the best of the scores was to reach {100 * GOOD:.0f} %.",
        scores_table(study, study.datasets),
    )


def signals(study: Study, files: str) -> Iterator[str]:
    """The AUROC of synthetic defects as a guide, and images of them.

    Args:
        study: the files.
        files: their directory as the page links to it.
    """
    yield from _blocks(
        "## Does the AUC of synthetic defects follow that of real ones?",
        "Spearman's correlation of the two AUCs after each epoch, by the run's own score: mean and "
        "range over the seeds. Where both rise with training it is high whatever the signal is "
        "worth; where it is low the signal is no guide.",
        signals_table(study, study.datasets),
        "The synthetic defects, on copies of calibration images:",
    )
    for dataset in study.datasets:
        if study.get(dataset, "baselines") is not None:
            image = f"{files}/{dataset}/baselines/synthetic_defects.png"
            yield from _blocks(f"![{dataset}]({image})")


def _blocks(*blocks: str | Iterable[str]) -> Iterator[str]:
    """Headings, paragraphs, and tables line by line; an empty line after each."""
    for block in blocks:
        yield from (block,) if isinstance(block, str) else block
        yield ""
