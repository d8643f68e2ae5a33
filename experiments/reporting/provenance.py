"""Where the results come from: machine, commit, hours, images, and what is left out."""

from collections.abc import Iterator, Sequence

from experiments.markdown import table
from experiments.reporting.contestants import HELDOUT
from experiments.reporting.files import Study
from experiments.study_runs import runs


def provenance(study: Study) -> Iterator[str]:
    """Machine, versions, commit, commands and hours of the runs, and what is not in the tables."""
    environments = {}
    for run in study:
        known = run.environment
        # The runs of an older commit did not note their cores.
        cores = f"{known['cores']} cores, " if "cores" in known else ""
        text = (
            f"{known['processor']}, {cores}{known['platform']}, Python "
            f"{known['python']}, TensorFlow {known['packages']['tensorflow']}, Keras "
            f"{known['packages']['keras']}, commit `{known['git_commit']}`"
        )
        environments.setdefault(text, []).append(f"{run.dataset}/{run.name}")
    by_number = sorted(environments.items(), key=lambda item: -len(item[1]))
    for place, (text, names) in enumerate(by_number):
        yield f"{text}{'' if len(by_number) == 1 else f': {len(names)} runs'}."
        if place:
            yield f"These are {', '.join(names)}."
        yield ""
    hours = [run.hours for run in study if run.hours is not None]
    profile = next(iter(study)).config["profile"]
    yield (
        f"`python experiments/study.py`, {profile} profile; the page: `python "
        f"experiments/report.py`. {len(hours)} runs took {sum(hours):.1f} hours in sum, each on "
        "one thread, as many at a time as there are cores."
    )
    yield ""
    yield from _left_out(study)


def _left_out(study):
    """What is not in the tables, by name."""
    missing = {}
    for planned in runs("quick"):
        run = study.get(planned.dataset, planned.name)
        seeds = set(map(int, planned.seeds.split(",")))
        lacking = sorted(seeds - run.seeds) if run else []
        if run is None:
            missing.setdefault(planned.dataset, []).append(planned.name)
        elif lacking:
            text = f"{planned.name} with seeds {', '.join(map(str, lacking))}"
            missing.setdefault(planned.dataset, []).append(text)
    if missing:
        texts = (f"{dataset} ({', '.join(names)})" for dataset, names in missing.items())
        yield f"Not run yet, and not in the tables: {'; '.join(texts)}."
        yield ""
    if failed := [text for run in study for text in run.failed]:
        yield (
            "Ended with a number that is not finite, and not in the means, the intervals and the "
            f"differences: {'; '.join(failed)}."
        )
        yield ""


def images_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """How many labelled images each dataset has."""
    counts = {}
    for run in study:
        if run.config["protocol"] == HELDOUT:
            counts[run.dataset] = run.baseline["counts"]
    return table(
        ("dataset", "adapt images, normal + anomalous", "test images"),
        (
            [each, *(" + ".join(map(str, counts[each][s])) for s in ("adapt", "test"))]
            for each in datasets
            if each in counts
        ),
    )
