"""What a trained model is worth: its scores, rates and figures."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.data import PreparedData, scoring_batches
from awl_vae.data.reading import image_size
from awl_vae.detection import Detector, calibrate, pixel_threshold
from awl_vae.detection.calibration import LIGHTEST
from awl_vae.detection.likeness import Likeness, measure
from awl_vae.detection.rescore import with_all_scores
from awl_vae.evaluation import SCORES, Scorer, auroc, pixel_metrics, rates, youden_threshold
from awl_vae.losses import kl
from awl_vae.models import VAE
from awl_vae.system import write_csv
from awl_vae.training.config import Config
from awl_vae.training.run_figures import plot_model

SCORING_BATCH_SIZE = 64
SCORE_COLUMNS = ("image", "split", "label", "score")
ORIGINALS = {"calibration": "calibration", "synthetic": "originals"}
"""By split whose images the scale of the residual is learnt from, or is of copies of them: the
batches of those. What judges a model may not know them."""

Scores = dict[str, dict[str, np.ndarray]]
"""By split and score, the scores (N,) of its images."""

SCORED_SPLITS = ("calibration", "adapt", "test")
ALL_SPLITS = (*SCORED_SPLITS, "synthetic")


def batches_to_score(data: PreparedData) -> dict[str, tf.data.Dataset]:
    """By split, its images in batches, and the originals of the synthetic copies."""
    positions = data.positions | {"originals": data.originals}
    return {
        name: scoring_batches(data.cache, positions[name], SCORING_BATCH_SIZE)
        for name in (*ALL_SPLITS, "originals")
    }


def evaluate(
    directory: Path, config: Config, data: PreparedData, *, seed: int, epoch: int, title: str
) -> dict[str, Any]:
    """Scores every image that was not trained on; writes the scores, a detector and figures.

    Args:
        directory: where `model.keras` and `history.csv` are and the rest goes.
        config: the settings.
        data: the images.
        seed: the run's seed.
        epoch: the epoch that the model is of.
        title: what the figures call the run.

    Returns:
        The run's entry in `summary.json`.
    """
    model = keras.saving.load_model(directory / "model.keras")
    scorer = Scorer(model, config.score, config.image_size, has_roi=data.has_roi)
    if data.has_roi:
        scorer.roi.assign(data.mean_roi > 0)  # where it has not learnt anything, it says nothing
    batches = batches_to_score(data)
    calibration = batches["calibration"]
    normal = _leave_one_out(scorer, calibration)
    by_name = _scores_by_name(scorer, batches)
    scores = {split: by_name[split][config.score] for split in ("adapt", "test", "synthetic")}
    scores["calibration"], _ = normal[config.score]
    rows = _score_rows(data, scores)
    write_csv(directory / "scores.csv", SCORE_COLUMNS, rows)
    columns = ("image", "split", "label", *SCORES)
    write_csv(directory / "all_scores.csv", columns, _all_score_rows(data, by_name))
    labelled = {split: (data.labels[split], scores[split]) for split in ("adapt", "test")}
    uses_labels = config.uses_labels and len(scores["adapt"]) > 0
    likeness = Likeness.of(_looks(data))
    detector = _detector(config, scorer, rows, normal, by_name["adapt"], uses_labels, likeness)
    threshold = youden_threshold(*labelled["adapt"]) if uses_labels else detector.threshold.value
    result: dict[str, Any] = {"seed": seed, "epoch": epoch, "kl": _kl(scorer, calibration)}
    result |= _figures_of_merit(labelled, threshold)
    result["by_score"] = _by_score(by_name, data.labels)
    result["synthetic_auc"] = result["by_score"][config.score]["synthetic_auc"]
    result["synthetic_auc_by_kind"] = _by_kind(data, by_name, config.score)
    for split, prefix in (("adapt", ""), ("test", "test_")):
        for name, value in _pixel_merit(scorer, data, split).items():
            result[prefix + name] = value
    detector.save(directory / "detector")
    plot_model(
        directory,
        config,
        data=data,
        scorer=scorer,
        scores=scores,
        result=result,
        lightest=LIGHTEST * detector.pixel_threshold,
        title=title,
    )
    return result


def _leave_one_out(
    scorer: Scorer, calibration: tf.data.Dataset
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By score, what `Scorer.leave_one_out` gives, each as a run with that score computes it.

    The scorer has learnt the scale then, whether its own score uses it or not.
    """
    found = {}
    for name in SCORES:
        own = scorer if name == scorer.score else scorer.with_score(name)
        residuals = own.learn_scale(calibration)
        if residuals is not None:
            scorer.scale.assign(own.scale)
        found[name] = own.leave_one_out(calibration, calibration, residuals)
    return found


def _detector(
    config: Config,
    scorer: Scorer,
    rows: Sequence[dict[str, Any]],
    normal: Mapping[str, tuple[np.ndarray, np.ndarray]],
    adapt: Mapping[str, np.ndarray],
    uses_labels: bool,
    likeness: Likeness | None,
) -> Detector:
    """The model as a detector, with Youden's threshold, or a quantile without labels."""
    peaks = {name: of_maps for name, (_, of_maps) in normal.items()}
    rows = with_all_scores(
        (row for row in rows if row["split"] != "test"),
        {name: np.concatenate([scores, adapt[name]]) for name, (scores, _) in normal.items()},
        peaks,
    )
    return Detector(
        scorer,
        resize=config.resize,
        threshold=calibrate(rows, "youden" if uses_labels else "quantile"),
        pixel_threshold=pixel_threshold(peaks[config.score]),
        calibration=rows,
        likeness=likeness,
    )


def _looks(data: PreparedData) -> Iterator[dict[str, float]]:
    """What the calibration images look like; the size of one that is no file is not known."""
    for index, item in enumerate(data.items["calibration"]):
        x = data.images("calibration", np.array([index]))[0]
        x = x if data.has_roi else x[..., 0]
        yield measure(x, image_size(item.file) if item.file else None)


def _kl(scorer: Scorer, batches: tf.data.Dataset) -> float | None:
    """Mean KL divergence of images in nats, 0 where the latents tell nothing; None without it."""
    model = scorer.model
    if not isinstance(model, VAE):
        return None
    seen = (x[..., :1] * x[..., 1:] if scorer.has_roi else x for x in batches)
    return float(np.mean(np.concatenate([kl(*model.encode(x)) for x in seen]), dtype=float))


def _figures_of_merit(
    labelled: Mapping[str, tuple[np.ndarray, np.ndarray]], threshold: float
) -> dict[str, float | None]:
    merit: dict[str, float | None] = {}
    for split, prefix in (("adapt", ""), ("test", "test_")):
        values: dict[str, float | None] = {"auc": None, "sensitivity": None, "specificity": None}
        if len(labelled[split][0]):
            sensitivity, specificity = rates(*labelled[split], threshold)
            values = {
                "auc": auroc(*labelled[split]),
                "sensitivity": sensitivity,
                "specificity": specificity,
            }
        merit |= {f"{prefix}{name}": value for name, value in values.items()}
    return {"auc": merit["auc"], "test_auc": merit["test_auc"], "threshold": threshold} | merit


def _scores_by_name(scorer: Scorer, batches: Mapping[str, tf.data.Dataset]) -> Scores:
    """By split and score, the scores of its images."""
    residuals = scorer.residuals(batches["calibration"])
    return {
        split: scorer.scores_by_name(
            batches[split], residuals, batches[ORIGINALS[split]] if split in ORIGINALS else None
        )
        for split in ALL_SPLITS
    }


def _by_score(
    scores: Scores, labels: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float | None]]:
    """By score, the AUROCs that the images allow; the synthetic one chooses without a label."""
    labelled, synthetic = (SIGNALS[name].splits for name in ("labels", "synthetic"))
    splits = {"auc": labelled, "test_auc": ("test",), "synthetic_auc": synthetic}
    aucs: dict[str, dict[str, float | None]] = {name: {} for name in SCORES}
    for merit, of in splits.items():
        truth = np.concatenate([labels[split] for split in of])
        for name in SCORES:
            values = np.concatenate([scores[split][name] for split in of])
            aucs[name][merit] = auroc(truth, values) if truth.any() else None
    return aucs


def _by_kind(data: PreparedData, scores: Scores, score: str) -> dict[str, float]:
    """By kind of synthetic defect, the AUROC of normal images against the copies with it."""
    normal, anomalous = (scores[split][score] for split in SIGNALS["synthetic"].splits)
    kinds = np.array([item.defect for item in data.items["synthetic"]])
    of_kinds = {kind: anomalous[kinds == kind] for kind in dict.fromkeys(kinds.tolist())}
    return {
        kind: auroc(np.repeat([0, 1], [len(normal), len(found)]), np.concatenate([normal, found]))
        for kind, found in of_kinds.items()
    }


def _pixel_merit(scorer: Scorer, data: PreparedData, split: str) -> dict[str, float | None]:
    """Pixel AUROC and AUPRO over the normal images and those whose defect is marked."""
    empty = np.zeros(scorer.image_size, bool)
    used: dict[int, np.ndarray] = {}
    for index, item in enumerate(data.items[split]):
        mask = item.load_mask() if item.label and item.load_mask else empty
        if mask.any() or not item.label:
            used[index] = mask
    masks = list(used.values())
    items = [data.items[split][index] for index in used]
    rois = [item.load_roi() for item in items if item.load_roi] or [~empty] * len(items)
    if not any(mask.any() for mask in masks):
        return {"pixel_auc": None, "pixel_aupro": None}
    positions = data.positions[split][list(used)]
    batches = scoring_batches(data.cache, positions, SCORING_BATCH_SIZE)
    auc, aupro = pixel_metrics(lambda: scorer.maps(batches), lambda: masks, lambda: rois)
    return {"pixel_auc": auc, "pixel_aupro": aupro}


def _score_rows(data: PreparedData, scores: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        {"image": item.name, "split": split, "label": item.label, "score": repr(float(score))}
        for split in SCORED_SPLITS
        for item, score in zip(data.items[split], scores[split], strict=True)
    ]


def _all_score_rows(data: PreparedData, by_name: Scores) -> Iterator[dict[str, Any]]:
    for split in ALL_SPLITS:
        for index, item in enumerate(data.items[split]):
            values = {name: np.float32(by_name[split][name][index]) for name in SCORES}
            yield {"image": item.name, "split": split, "label": item.label} | values
