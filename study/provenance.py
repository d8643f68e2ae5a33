"""Where the results come from: machine, commit, hours, images, and what is left out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from awl_vae.study.compared_methods import HELDOUT
from awl_vae.study.grid import runs
from awl_vae.study.run_files import Study
from awl_vae.system.markdown import percent, table


def provenance(study: Study) -> Iterator[str]:
    """Machine, versions, commit, commands and hours of the runs, and what is not in the tables."""
    environments: dict[str, list[str]] = {}
    for run in study:
        known = run.environment
        # The runs of an older commit did not note their cores.
        cores = f"{known['cores']} cores, " if "cores" in known else ""
        text = (
            f"{known['processor']}, {cores}{known['platform']}, Python "
            f"{known['python']}, TensorFlow {known['packages']['tensorflow']}, Keras "
            f"{known['packages']['keras']}, {_origin(known)}"
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
        f"`awl-vae study`, {profile} profile; the page: `awl-vae results`. {len(hours)} runs took "
        f"{sum(hours):.1f} hours in sum, each on "
        "one thread, as many at a time as there are cores."
    )
    yield ""
    yield from _left_out(study)


def _left_out(study: Study) -> Iterator[str]:
    """What is not in the tables, by name."""
    missing: dict[str, list[str]] = {}
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


def conditions_table(study: Study, datasets: Sequence[str]) -> Iterator[str]:
    """What all trainings of a dataset share, and the AUROC of the mean gray alone."""
    rows = []
    for dataset in datasets:
        runs_of = (each for each in study if each.dataset == dataset and "epochs" in each.config)
        run = next((each for each in runs_of if each.config["protocol"] == HELDOUT), None)
        if run is None:
            continue
        config, known = run.config, run.baseline
        height, width = config["image_size"]
        images = str(config["num_train"] or "all normal")
        if config["repeats"] > 1:
            images = f"{images} × {config['repeats']}"
        cells = [dataset, f"{height} × {width}", images]
        cells += [str(config[name]) for name in ("batch_size", "epochs")]
        cells += [" + ".join(map(str, known["counts"][split])) for split in ("adapt", "test")]
        auc = known["mean_intensity"]["test"]
        rows.append([*cells, percent(max(auc, 1 - auc))])
    return table(
        (
            *("dataset", "pixels", "images an epoch", "batch size", "epochs"),
            *("adapt images, normal + anomalous", "test images", "AUC of the mean gray, test"),
        ),
        rows,
    )


def _origin(known: Mapping[str, Any]) -> str:
    """The commit of a checkout; an installation has a version alone."""
    commit = known["git_commit"]
    return f"commit `{commit}`" if commit else f"awl-vae {known['awl_vae']}"
