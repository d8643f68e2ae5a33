"""What a run leaves in its directory, and what may therefore be removed there."""

from awl_vae.detection.export_formats import EXPORTED, FORMATS, SAVED_MODEL
from awl_vae.system.tasks import TOKEN

OF_A_RUN = (
    "config.json",
    "environment.json",
    "dataset.json",
    "baseline.json",
    "summary.json",
    "summary.md",
    "synthetic_defects.png",
    "cache.npy",
    "features-*.npy",
    ".lock",
    ".new/dataset.json",
    ".new/cache.npy",
    f"*/{TOKEN}",
    "*/.seed-*.lock",
)
FIGURES = (
    *("transitions", "roc", "histogram_*", "reconstructions_*"),
    *("losses_stage_[123]", "weights_chosen", "weights_strongest", "terms_and_weights"),
)
OF_A_SEED = (
    "result.json",
    "history.csv",
    "branches.csv",
    "scores.csv",
    "all_scores.csv",
    "examples.npz",
    "model.keras",
    "checkpoint/*.npz",
    "checkpoint/legs/.*",
    "checkpoint/legs/*/*",
    *(f"figures/{name}.png" for name in FIGURES),
    "detector/scorer.keras",
    "detector/calibration.csv",
    "detector/detector.json",
    "events.out.tfevents.*",
    "stage-*/*/events.out.tfevents.*",
    # What `awl-vae export` writes where no --output is given.
    *(f"{EXPORTED}{row.suffix}{more}" for row in FORMATS.values() for more in ("", ".json")),
    *(f"{EXPORTED}{name}" for name in SAVED_MODEL),
)
OURS = (*(f"/{name}" for name in OF_A_RUN), *(f"/*/seed-*/{name}" for name in OF_A_SEED))
"""Patterns for `foreign_file`."""
