"""What a trained model is worth: its scores, rates and figures."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.data import PreparedData
from awl_vae.data.images import shown
from awl_vae.data.reading import image_size
from awl_vae.detection import Detector, calibrate, pixel_threshold
from awl_vae.detection.calibration import LIGHTEST
from awl_vae.detection.likeness import Likeness, measure
from awl_vae.detection.rescore import with_all_scores
from awl_vae.evaluation import Scorer, auroc, pixel_metrics, rates, youden_threshold
from awl_vae.system import write_csv
from awl_vae.training.config import Config
from awl_vae.training.judges import ALL_SPLITS, SCORED_SPLITS, Judge, Judged, Scores, judge_of
from awl_vae.training.run_figures import plot_model

SCORING_BATCH_SIZE = 64
SCORE_COLUMNS = ("image", "split", "label", "score")


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
    judge = judge_of(model, config, data)
    judged = judge.judge()
    own = judge.scorer.score
    scores = {split: by_name[own] for split, by_name in judged.scores.items()}
    rows = _score_rows(data, scores)
    write_csv(directory / "scores.csv", SCORE_COLUMNS, rows)
    columns = ("image", "split", "label", *judge.scores)
    write_csv(directory / "all_scores.csv", columns, _all_score_rows(data, judged.scores))
    labelled = {split: (data.labels[split], scores[split]) for split in ("adapt", "test")}
    uses_labels = config.uses_labels and len(scores["adapt"]) > 0
    detector = _detector(config, judge, judged, rows, uses_labels, Likeness.of(_looks(data)))
    threshold = youden_threshold(*labelled["adapt"]) if uses_labels else detector.threshold.value
    result: dict[str, Any] = {"seed": seed, "epoch": epoch}
    result |= _figures_of_merit(labelled, threshold)
    result["by_score"] = _by_score(judged.scores, data.labels)
    result["synthetic_auc"] = result["by_score"][own]["synthetic_auc"]
    result["synthetic_auc_by_kind"] = _by_kind(data, scores)
    for split, prefix in (("adapt", ""), ("test", "test_")):
        for name, value in _pixel_merit(judge, data, split).items():
            result[prefix + name] = value
    detector.save(directory / "detector")
    plot_model(
        directory,
        config,
        data=data,
        judge=judge,
        scores=scores,
        result=result,
        lightest=LIGHTEST * detector.pixel_threshold,
        title=title,
    )
    return result


def _detector(
    config: Config,
    judge: Judge,
    judged: Judged,
    rows: list[dict[str, Any]],
    uses_labels: bool,
    likeness: Likeness | None,
) -> Detector:
    """The model as a detector, with Youden's threshold, or a quantile without labels."""
    rows = [row for row in rows if row["split"] != "test"]
    if isinstance(judge.scorer, Scorer):  # one of features has no other score
        of_calibration = {
            name: np.concatenate([judged.scores[split][name] for split in ("calibration", "adapt")])
            for name in judge.scores
        }
        rows = with_all_scores(rows, of_calibration, judged.peaks)
    return Detector(
        judge.scorer,
        resize=config.resize,
        threshold=calibrate(rows, "youden" if uses_labels else "quantile"),
        pixel_threshold=pixel_threshold(judged.peaks[judge.scorer.score]),
        calibration=rows,
        likeness=likeness,
    )


def _looks(data: PreparedData) -> Iterator[dict[str, float]]:
    """What the calibration images look like; the size of one that is no file is not known."""
    for index, item in enumerate(data.items["calibration"]):
        x = data.images("calibration", np.array([index]))[0]
        x = x if data.has_roi else shown(x)
        yield measure(x, image_size(item.file) if item.file else None)


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


def _by_score(
    scores: Scores, labels: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float | None]]:
    """By score, the AUROCs that the images allow; the synthetic one chooses without a label."""
    labelled, synthetic = (SIGNALS[name].splits for name in ("labels", "synthetic"))
    splits = {"auc": labelled, "test_auc": ("test",), "synthetic_auc": synthetic}
    aucs: dict[str, dict[str, float | None]] = {name: {} for name in scores["calibration"]}
    for merit, of in splits.items():
        truth = np.concatenate([labels[split] for split in of])
        for name in aucs:
            values = np.concatenate([scores[split][name] for split in of])
            aucs[name][merit] = auroc(truth, values) if truth.any() else None
    return aucs


def _by_kind(data: PreparedData, scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By kind of synthetic defect, the AUROC of normal images against the copies with it."""
    normal, anomalous = (scores[split] for split in SIGNALS["synthetic"].splits)
    kinds = np.array([item.defect for item in data.items["synthetic"]])
    of_kinds = {kind: anomalous[kinds == kind] for kind in dict.fromkeys(kinds.tolist())}
    return {
        kind: auroc(np.repeat([0, 1], [len(normal), len(found)]), np.concatenate([normal, found]))
        for kind, found in of_kinds.items()
    }


def _pixel_merit(judge: Judge, data: PreparedData, split: str) -> dict[str, float | None]:
    """Pixel AUROC and AUPRO over the normal images and those whose defect is marked."""
    empty = np.zeros(judge.scorer.image_size, bool)
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
    indices = np.array([*used])
    auc, aupro = pixel_metrics(lambda: judge.maps(split, indices), lambda: masks, lambda: rois)
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
            values = {name: np.float32(of[index]) for name, of in by_name[split].items()}
            yield {"image": item.name, "split": split, "label": item.label} | values
