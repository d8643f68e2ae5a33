"""What a model says of the images of a run, by what it has learnt of normal ones.

What judges an image may not know it: a calibration image, and a synthetic copy of it, is judged by
what was learnt of the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from awl_vae.callbacks.signals import SIGNALS
from awl_vae.data import PreparedData, scoring_batches
from awl_vae.data.images import shown
from awl_vae.evaluation import FEATURE_SCORES, SCORES, FeatureScorer, Scorer
from awl_vae.evaluation.whitening import CORESET
from awl_vae.features import FeatureInputs
from awl_vae.training.config import Config
from awl_vae.training.fitting.recipes import NUM_FOLDS, folds

BATCH_SIZE = 64

SEED = 1
"""Of the parts and the coreset of features, the same for every run."""

SCORED_SPLITS = ("calibration", "adapt", "test")
ALL_SPLITS = (*SCORED_SPLITS, "synthetic")

OF_CALIBRATION = SIGNALS["synthetic"].splits
"""The splits of the images that are learnt from, and of copies of them."""

Scores = dict[str, dict[str, np.ndarray]]
"""By split and score, the scores (N,) of its images."""


@dataclass(frozen=True)
class Judged:
    """The scores of all images that were not trained on.

    Attributes:
        scores: of each split.
        peaks: by score, the largest values (N,) of the anomaly maps of the calibration images.
    """

    scores: Scores
    peaks: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class View:
    """What a model makes of images, as figures show it.

    Attributes:
        x: the images (N, H, W), or (N, H, W, 3) RGB.
        x_hat: their reconstructions, of the same shape; None of a model of features.
        residual: (N, H, W), what it leaves: the squared error of pixels, the length of the vectors
            of features.
    """

    x: np.ndarray
    x_hat: np.ndarray | None
    residual: np.ndarray


class Judge(Protocol):
    """A model at work.

    Attributes:
        scorer: by the score of the run, after `judge` with what it has learnt of normal images.
        scores: the names of the scores that it judges by.
    """

    scorer: Scorer | FeatureScorer
    scores: tuple[str, ...]

    def watch(self, splits: Iterable[str]) -> dict[str, np.ndarray]:
        """The scores (N,) of some splits, by the score of the run and the model of the moment."""
        ...

    def judge(self) -> Judged:
        """The scores of all splits by all scores."""
        ...

    def maps(self, split: str, indices: np.ndarray) -> Iterator[np.ndarray]:
        """The anomaly maps (H, W) of images of a split, one after the other."""
        ...

    def view(self, split: str, indices: np.ndarray) -> View:
        """What is shown of some images of a split."""
        ...


def judge_of(model: keras.Model, config: Config, data: PreparedData) -> Judge:
    """What judges by a model; see `Judge`.

    Args:
        model: a model of what the run's models see, or a scorer that was fitted.
        config: the settings.
        data: the images.
    """
    inputs = data.inputs
    if not isinstance(inputs, FeatureInputs):
        return PixelJudge(model, config.score, data)
    if isinstance(model, FeatureScorer):
        return FeatureJudge(model, inputs.raw, data, is_fitted=True)
    return FeatureJudge(new_scorer(inputs.extractor, model, config.score, data), inputs, data)


class PixelJudge:
    """Judges by a model of pixels; see `Judge`."""

    def __init__(self, model: keras.Model, score: str, data: PreparedData):
        channels = "rgb" if data.cache.num_channels > 2 else "gray"
        self.scorer = Scorer(
            model, score, data.cache.shape[:2], has_roi=data.has_roi, channels=channels
        )
        if data.has_roi:  # where it has not learnt anything, it says nothing
            self.scorer.roi.assign(data.mean_roi > 0)
        self.scores = tuple(SCORES)
        self._data = data
        positions = data.positions | {"originals": data.originals}
        self._batches = {
            name: scoring_batches(data.inputs, positions[name], BATCH_SIZE)
            for name in (*ALL_SPLITS, "originals")
        }
        self._originals = dict(zip(OF_CALIBRATION, ("calibration", "originals"), strict=True))

    def watch(self, splits: Iterable[str]) -> dict[str, np.ndarray]:
        """See `Judge`."""
        residuals = self.scorer.learn_scale(self._batches["calibration"])
        return {
            split: self.scorer.leave_one_out(
                self._batches[split], self._batches[self._originals[split]], residuals
            )[0]
            if split in self._originals
            else self.scorer.scores(self._batches[split])
            for split in splits
        }

    def judge(self) -> Judged:
        """See `Judge`.

        The scores of calibration images are those that a run with each score computes.
        """
        calibration = self._batches["calibration"]
        left_out = {}
        for name in SCORES:
            own = self.scorer if name == self.scorer.score else self.scorer.with_score(name)
            residuals = own.learn_scale(calibration)
            if residuals is not None:
                self.scorer.scale.assign(own.scale)
            left_out[name] = own.leave_one_out(calibration, calibration, residuals)
        sums = self.scorer.residuals(calibration)
        scores = {
            split: self.scorer.scores_by_name(
                self._batches[split],
                sums,
                self._batches[self._originals[split]] if split in self._originals else None,
            )
            for split in ALL_SPLITS
            if split != "calibration"
        }
        scores["calibration"] = {name: found for name, (found, _) in left_out.items()}
        return Judged(scores, {name: peaks for name, (_, peaks) in left_out.items()})

    def maps(self, split: str, indices: np.ndarray) -> Iterator[np.ndarray]:
        """See `Judge`."""
        positions = self._data.positions[split][indices]
        return self.scorer.maps(scoring_batches(self._data.inputs, positions, BATCH_SIZE))

    def view(self, split: str, indices: np.ndarray) -> View:
        """See `Judge`."""
        images = self._data.images(split, indices)
        x_hat, squares = self.scorer.reconstruct(images), self.scorer.squared_error(images)
        return View(shown(images), shown(x_hat.numpy()), squares.numpy())


def new_scorer(
    extractor: keras.Model, model: keras.Model, score: str, data: PreparedData
) -> FeatureScorer:
    """A scorer of features that has learnt nothing."""
    num_vectors = len(data.positions["calibration"]) * np.prod(extractor.output_shape[1:3])
    return FeatureScorer(extractor, model, score, coreset_size=min(CORESET, int(num_vectors)))


class FeatureJudge:
    """Judges by a model of features; see `Judge`.

    What is normal is learnt of calibration images. To judge these, and copies of them, it is learnt
    of two thirds of them at a time, and the last third is judged.

    Args:
        scorer: by the score of the run.
        inputs: what it sees of the images.
        data: the images.
        is_fitted: whether it has learnt what is normal already, of training images.
    """

    def __init__(
        self,
        scorer: FeatureScorer,
        inputs: FeatureInputs,
        data: PreparedData,
        *,
        is_fitted: bool = False,
    ):
        self.scorer, self._inputs, self._data = scorer, inputs, data
        self._is_fitted = is_fitted
        self.scores = (scorer.score,) if is_fitted else tuple(FEATURE_SCORES)
        calibration = data.positions["calibration"]
        self._originals = dict(zip(OF_CALIBRATION, (calibration, data.originals), strict=True))
        self._parts = folds(calibration, inputs.groups(calibration), NUM_FOLDS, SEED)

    def watch(self, splits: Iterable[str]) -> dict[str, np.ndarray]:
        """See `Judge`."""
        return {split: scores for split, (scores, _) in self._judge(self.scorer, splits).items()}

    def judge(self) -> Judged:
        """See `Judge`."""
        scores: Scores = {split: {} for split in ALL_SPLITS}
        peaks = {}
        for name in self.scores:
            scorer = self.scorer
            if name != scorer.score:
                scorer = new_scorer(scorer.extractor, scorer.model, name, self._data)
            for split, (of_images, of_maps) in self._judge(scorer, ALL_SPLITS).items():
                scores[split][name] = of_images
                if split == "calibration":
                    peaks[name] = of_maps
        return Judged(scores, peaks)

    def maps(self, split: str, indices: np.ndarray) -> Iterator[np.ndarray]:
        """See `Judge`."""
        for x in self._batches(self._data.positions[split][indices]):
            yield from self.scorer.score_and_map_of_features(x)[1].numpy()

    def view(self, split: str, indices: np.ndarray) -> View:
        """See `Judge`."""
        batches = self._batches(self._data.positions[split][indices])
        lengths = tf.concat([tf.norm(self.scorer.residuals(x), axis=-1) for x in batches], axis=0)
        return View(
            shown(self._data.images(split, indices)),
            None,
            self.scorer.in_pixels(lengths).numpy(),
        )

    def _judge(self, scorer: FeatureScorer, splits: Iterable[str]) -> dict[str, np.ndarray]:
        """By split, (2, N): the scores of its images, and the largest values of their maps.

        The scorer has learnt of all calibration images then.
        """
        found = {}
        positions = {split: self._data.positions[split] for split in splits}
        if not self._is_fitted:
            known = {split: of for split, of in self._originals.items() if split in positions}
            found = {split: np.empty((2, len(of)), np.float32) for split, of in known.items()}
            for part in self._parts if known else ():
                self._learn(scorer, part)
                for split, of in known.items():
                    is_of_part = np.isin(of, part)
                    found[split][:, is_of_part] = self._run(scorer, positions[split][is_of_part])
            self._learn(scorer)
        return {
            split: found[split] if split in found else self._run(scorer, of)
            for split, of in positions.items()
        }

    def _learn(self, scorer: FeatureScorer, part: Sequence[int] | np.ndarray = ()) -> None:
        """Learns of the calibration images without a part, unless that is all of them."""
        calibration = self._data.positions["calibration"]
        rest = np.setdiff1d(calibration, part)
        known = rest if len(rest) else calibration
        batches = self._batches(known)
        scorer.learn(lambda: batches, lambda: map(scorer.residuals, batches), len(known), SEED)

    def _run(self, scorer: FeatureScorer, positions: np.ndarray) -> np.ndarray:
        """The scores of images, and the largest values of their maps, (2, N)."""
        parts = [np.empty((2, 0), np.float32)]
        for x in self._batches(positions):
            scores, maps = scorer.score_and_map_of_features(x)
            parts.append(np.stack([scores, tf.reduce_max(maps, axis=(1, 2))]))
        return np.concatenate(parts, axis=1)

    def _batches(self, positions: np.ndarray) -> tf.data.Dataset:
        return scoring_batches(self._inputs, positions, self.scorer.batch_size)
