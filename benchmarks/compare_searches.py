r"""What the full and the halving search chose, from the files of finished runs.

    awl-vae loss-adapted --dataset=comb --seeds=1,10,20
    awl-vae loss-adapted --dataset=comb --seeds=1,10,20 --search=halving \
        --run_dir=runs/loss_adapted_halving/comb
    python benchmarks/compare_searches.py --full_dir=runs/loss_adapted \
        --halving_dir=runs/loss_adapted_halving --datasets=comb

The losses are those of the last epoch, unweighted. The cost is that of the search itself, in
conventional runs. Chosen are the branches of the stages 2 and 3; "same" says whether both searches
chose the same in stage 2, and in both stages. The rank is that of the branch that the full search
chose in stage 2, among all branches, by its loss at the epoch where a halving search has dropped
all but one. The averaged one is by the mean loss of the last five epochs.

How much of the full search's choice is chance: from epoch to epoch the loss of a branch differs by
"epochs, nats" from a straight line through the second half of its stage (standard deviation, mean
of all branches), and at the end of a stage branches differ by "branches, nats" (the same).
"""

import json
from pathlib import Path

import numpy as np
from absl import app, flags
from measure import report

from awl_vae.callbacks.search.plan import CONVENTIONAL
from awl_vae.callbacks.search.rungs import halving_rungs
from awl_vae.system import read_csv

FLAGS = flags.FLAGS
flags.DEFINE_string("full_dir", "benchmarks/results/searches/full", "Runs, one a dataset.")
flags.DEFINE_string("halving_dir", "benchmarks/results/searches/halving", "The same.")
flags.DEFINE_string("other", "halving", "What the second searches are called.")
flags.DEFINE_list("datasets", ["bellows", "square", "comb", "elpv_mono"], "Datasets.")
flags.DEFINE_string("output", "benchmarks/results/searches.json", "The JSON file.")
COLUMNS = ("dataset", "seed", "chosen, full", "chosen, {}", "same", "rank at the cut")
COLUMNS += ("epochs, nats", "branches, nats")
COLUMNS += ("conventional, nats", "full, nats", "{}, nats", "worse by, %", "averaged, %")
COLUMNS += ("runs, full", "runs, {}")
"""With the name of the second searches in the braces."""


def main(_):
    """Compares and reports."""
    rows, name = [], FLAGS.other
    for dataset in FLAGS.datasets:
        full = _searches(Path(FLAGS.full_dir) / dataset)
        halving = _searches(Path(FLAGS.halving_dir) / dataset)
        for seed, (conventional, entry, epochs) in full.items():
            _, other, other_epochs = halving[seed]
            loss, other_loss = entry["loss_unweighted"], other["loss_unweighted"]
            last = max(int(row["epoch"]) for row in epochs)
            rows.append(
                {"dataset": dataset, "seed": seed}
                | {"chosen, full": ", ".join(entry["chosen"])}
                | {f"chosen, {name}": ", ".join(other["chosen"])}
                | {"same": _same(entry["chosen"], other["chosen"])}
                | {"rank at the cut": _rank(epochs, entry["chosen"][0])}
                | dict(zip(("epochs, nats", "branches, nats"), _noise(epochs), strict=True))
                | {"conventional, nats": conventional["loss_unweighted"]}
                | {"full, nats": loss, f"{name}, nats": other_loss}
                | {"worse by, %": _worse(loss, other_loss)}
                | {"averaged, %": _worse(_averaged(epochs), _averaged(other_epochs))}
                | {"runs, full": len(epochs) / last, f"runs, {name}": len(other_epochs) / last}
            )
    columns = [each.format(name) for each in COLUMNS]
    report(f"Full and {name} search", columns, rows, Path(FLAGS.output))


def _searches(directory):
    """By seed, the two entries of the summary and the rows of branches.csv."""
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    entries = [summary["methods"][name]["per_seed"] for name in ("conventional", "loss_adapted")]
    return {
        searched["seed"]: (
            conventional,
            searched,
            read_csv(directory / f"loss_adapted/seed-{searched['seed']}/branches.csv"),
        )
        for conventional, searched in zip(*entries, strict=True)
    }


def _same(chosen, others):
    if chosen == others:
        return "both"
    return "stage 2" if chosen[0] == others[0] else "no"


def _worse(loss, other):
    """Of two losses, which can be negative, in percent."""
    return 100 * (other - loss) / abs(loss)


def _averaged(rows):
    """The mean loss of the last five epochs of the branch that a search ends with."""
    chosen = [row for row in rows if row["stage"] == "3" and row["selected"] == "1"]
    return np.mean([float(row["loss_unweighted"]) for row in chosen[-5:]])


def _losses(rows, stage):
    """By branch, the losses of its epochs in a stage."""
    losses = {}
    for row in rows:
        if row["stage"] == stage and row["branch"] != CONVENTIONAL:
            losses.setdefault(row["branch"], []).append(float(row["loss_unweighted"]))
    return losses


def _noise(rows):
    """How far losses differ from epoch to epoch, and from branch to branch, both stages' mean."""
    within, between = [], []
    for stage in ("2", "3"):
        losses = np.array([*_losses(rows, stage).values()])
        late = losses[:, losses.shape[1] // 2 :]
        epochs = np.arange(late.shape[1])
        slopes, levels = np.polyfit(epochs, late.T, 1)
        within.append(np.std(late - np.outer(slopes, epochs) - levels[:, None], axis=1).mean())
        between.append(losses[:, -1].std())
    return np.mean(within), np.mean(between)


def _rank(rows, chosen):
    """Rank from 1 by the loss at the last rung of stage 2, and of how many branches."""
    of_branch = _losses(rows, "2")
    *_, cut, _ = halving_rungs(0, len(of_branch[chosen]), len(of_branch))
    losses = {branch: each[cut - 1] for branch, each in of_branch.items()}
    return f"{sorted(losses, key=losses.get).index(chosen) + 1} of {len(losses)}"


if __name__ == "__main__":
    app.run(main)
