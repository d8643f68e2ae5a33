"""Images: where they come from, how they are split, and how they reach the model."""

from awl_vae.data.cache import ImageCache
from awl_vae.data.dataset import SPLITS, DataError, Dataset, Item
from awl_vae.data.folder import write_folder
from awl_vae.data.pipeline import TrainingBatches, count_steps, scoring_batches
from awl_vae.data.prepare import PreparedData, check_images, prepare
from awl_vae.data.sources import GENERATED, REAL, load_dataset
from awl_vae.data.synthetic_defects import damaged_copies

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
