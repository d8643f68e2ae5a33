r"""What the full and the halving search chose, from the files of finished runs.

    python experiments/run_loss_adapted.py --dataset=comb --seeds=1,10,20
    python experiments/run_loss_adapted.py --dataset=comb --seeds=1,10,20 --search=halving \
        --run_dir=runs/loss_adapted_halving/comb
    python benchmarks/compare_searches.py --full_dir=runs/loss_adapted \
        --halving_dir=runs/loss_adapted_halving --datasets=comb

The cost is that of the search itself, in conventional runs. The rank is that of the branch that the
full search chose in stage 2, among all branches, by its loss at the epoch of the last rung; a
halving search has dropped most of them by then.
"""

import json
from pathlib import Path

from absl import app, flags
from measure import report

from callbacks.search_plan import rung_epochs
from storage import read_csv

FLAGS = flags.FLAGS
flags.DEFINE_string("full_dir", "docs/results/loss_adapted", "Runs, one a dataset.")
flags.DEFINE_string("halving_dir", "docs/results/loss_adapted_halving", "The same.")
flags.DEFINE_list("datasets", ["bellows", "square", "comb", "elpv_mono"], "Datasets.")
flags.DEFINE_string("output", "benchmarks/results/searches.json", "The JSON file.")
COLUMNS = ("dataset", "seed", "stage 2, full", "stage 2, halving", "rank at 0.3", "same")
COLUMNS += ("loss, full", "loss, halving", "worse by, %", "runs, full", "runs, halving")


def main(_):
    """Compares and reports."""
    rows = []
    for dataset in FLAGS.datasets:
        full = _searches(Path(FLAGS.full_dir) / dataset)
        halving = _searches(Path(FLAGS.halving_dir) / dataset)
        for seed, (entry, epochs) in full.items():
            other, other_epochs = halving[seed]
            loss, other_loss = entry["loss_unweighted"], other["loss_unweighted"]
            last = max(int(row["epoch"]) for row in epochs)
            rows.append(
                {"dataset": dataset, "seed": seed}
                | {"stage 2, full": entry["chosen"][0], "stage 2, halving": other["chosen"][0]}
                | {"rank at 0.3": _rank(epochs, entry["chosen"][0])}
                | {"same": "yes" if entry["chosen"] == other["chosen"] else "no"}
                | {"loss, full": loss, "loss, halving": other_loss}
                | {"worse by, %": 100 * (other_loss - loss) / abs(loss)}
                | {"runs, full": len(epochs) / last, "runs, halving": len(other_epochs) / last}
            )
    report("Full and halving search", COLUMNS, rows, Path(FLAGS.output))
    print(f"The same branches in {sum(row['same'] == 'yes' for row in rows)} of {len(rows)}.")


def _searches(directory):
    """By seed, the summary's entry and the rows of branches.csv."""
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    entries = summary["methods"]["loss_adapted"]["per_seed"]
    return {
        entry["seed"]: (
            entry,
            read_csv(directory / f"loss_adapted/seed-{entry['seed']}/branches.csv"),
        )
        for entry in entries
    }


def _rank(rows, chosen):
    """Rank from 1 by the loss at the last rung of stage 2, and of how many branches."""
    rows = [row for row in rows if row["stage"] == "2"]
    epochs = [int(row["epoch"]) for row in rows]
    epoch = rung_epochs(min(epochs) - 1, max(epochs))[-1]
    losses = {
        row["branch"]: float(row["loss_unweighted"]) for row in rows if int(row["epoch"]) == epoch
    }
    return f"{sorted(losses, key=losses.get).index(chosen) + 1} of {len(losses)}"


if __name__ == "__main__":
    app.run(main)
