from .calibration import (
    CalibrationError as CalibrationError,
    calibrate as calibrate,
    describe as describe,
    pixel_threshold as pixel_threshold,
)
from .detector import Detector as Detector
from .false_alarms import FalseAlarms as FalseAlarms
from .regions import (
    Region as Region,
    find_regions as find_regions,
)
from .saved import DetectorError as DetectorError, read_threshold as read_threshold
from .thresholds import THRESHOLDS as THRESHOLDS, Threshold as Threshold
