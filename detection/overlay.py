"""Pictures of findings: the image beside itself with its heat map and boxes."""

import cv2
import numpy as np

from data.images import to_float, unfit
from detection.detector import Detector
from detection.inspection import Finding

MAX_SIDE = 512
"""Longest side, in pixels, of each of the two pictures."""

BOX_COLOR = (255, 255, 255)


def draw(detector: Detector, finding: Finding) -> np.ndarray:
    """The picture of a finding, and beside it the same with heat map and boxes.

    The colours mean the same in all pictures of a detector: black is 0, white is twice the pixel
    threshold, which calibration images hardly reach.

    Args:
        detector: the detector.
        finding: of a readable picture.

    Returns:
        Array (h, 2 w, 3) of uint8, BGR, each side at most `MAX_SIDE` for one picture.
    """
    shape = finding.image.shape
    scale = min(1.0, MAX_SIDE / max(shape))
    size = max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
    picture = cv2.resize(to_float(finding.image), size, interpolation=cv2.INTER_AREA)
    picture = cv2.cvtColor(np.rint(255 * picture).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    heat = unfit(finding.anomaly_map, shape, detector.resize)
    heat = cv2.resize(heat, size, interpolation=cv2.INTER_AREA)
    heat = np.clip(heat / (2.0 * detector.pixel_threshold), 0.0, 1.0)
    colors = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = np.sqrt(heat)[..., None]
    blended = np.rint((1.0 - opacity) * picture + opacity * colors).astype(np.uint8)
    for region in finding.regions:
        corners = (
            (round(x * scale), round(y * scale))
            for x, y in (
                (region.x, region.y),
                (region.x + region.width - 1, region.y + region.height - 1),
            )
        )
        cv2.rectangle(blended, *corners, BOX_COLOR, 1)
    return np.hstack([picture, blended])
