from .backbones import (
    BACKBONES as BACKBONES,
    BackboneError as BackboneError,
    extractor as extractor,
)
from .cache import cache_features as cache_features, feature_path as feature_path
from .inputs import FeatureInputs as FeatureInputs
