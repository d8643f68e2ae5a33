"""The trained VAE at work: a detector with its threshold, and what it finds in pictures."""

from awl_vae.detection.calibration import CalibrationError, calibrate, describe, pixel_threshold
from awl_vae.detection.detector import Detector, DetectorError, read_threshold
from awl_vae.detection.regions import Region, find_regions
from awl_vae.detection.thresholds import LABEL_FREE, LABELLED, FalseAlarms, Threshold

__all__ = [
    "LABELLED",
    "LABEL_FREE",
    "CalibrationError",
    "Detector",
    "DetectorError",
    "FalseAlarms",
    "Region",
    "Threshold",
    "calibrate",
    "describe",
    "find_regions",
    "pixel_threshold",
    "read_threshold",
]
