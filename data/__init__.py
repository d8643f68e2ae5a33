"""Images: where they come from, how they are split, and how they reach the model."""

from data.cache import ImageCache
from data.dataset import SPLITS, DataError, Dataset, Item
from data.folder import write_folder
from data.pipeline import TrainingBatches, count_steps, scoring_batches
from data.prepare import PreparedData, check_images, prepare
from data.sources import GENERATED, REAL, load_dataset
from data.synthetic_defects import damaged_copies

__all__ = [
    "GENERATED",
    "REAL",
    "SPLITS",
    "DataError",
    "Dataset",
    "ImageCache",
    "Item",
    "PreparedData",
    "TrainingBatches",
    "check_images",
    "count_steps",
    "damaged_copies",
    "load_dataset",
    "prepare",
    "scoring_batches",
    "write_folder",
]
