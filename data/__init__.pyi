from .cache import ImageCache as ImageCache
from .dataset import (
    SPLITS as SPLITS,
    DataError as DataError,
    Dataset as Dataset,
    Item as Item,
)
from .folder import write_folder as write_folder
from .pipeline import (
    TrainingBatches as TrainingBatches,
    count_steps as count_steps,
    scoring_batches as scoring_batches,
)
from .prepare import (
    PreparedData as PreparedData,
    check_images as check_images,
    prepare as prepare,
)
from .reading import read_image as read_image
from .sources import (
    GENERATED as GENERATED,
    load_dataset as load_dataset,
)
from .synthetic_defects import synthetic_copies as synthetic_copies
