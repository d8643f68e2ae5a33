from .feature_scorer import FeatureScorer as FeatureScorer
from .intervals import (
    Interval as Interval,
    auroc_interval as auroc_interval,
)
from .pixels import (
    pixel_intervals as pixel_intervals,
    pixel_metrics as pixel_metrics,
)
from .roc import (
    auroc as auroc,
    rates as rates,
    youden_threshold as youden_threshold,
)
from .scorer import Scorer as Scorer
from .scores import (
    FEATURE_SCORES as FEATURE_SCORES,
    SCORES as SCORES,
    FeatureScore as FeatureScore,
    Score as Score,
)
from .tiles import TiledScorer as TiledScorer
