"""Pictures of findings: the image beside itself with its heat map and boxes."""

import cv2
import numpy as np

from awl_vae.data.images import resize_back
from awl_vae.detection.detector import Detector
from awl_vae.detection.finding import Finding

BOX_COLOR = (255, 255, 255)


def draw(detector: Detector, finding: Finding) -> np.ndarray:
    """The picture of a finding, and beside it the same with heat map and boxes.

    The colours mean the same in all pictures of a detector: black is 0, white is twice the pixel
    threshold, which calibration images hardly reach.

    Args:
        detector: the detector.
        finding: of a readable picture.

    Returns:
        Array (h, 2 w, 3) of uint8, BGR, for a thumbnail (h, w).
    """
    picture = cv2.cvtColor(finding.thumbnail, cv2.COLOR_GRAY2BGR)
    scale = picture.shape[0] / finding.shape[0], picture.shape[1] / finding.shape[1]
    heat = resize_back(finding.anomaly_map, finding.thumbnail.shape, detector.resize)
    heat = np.clip(heat / (2.0 * detector.pixel_threshold), 0.0, 1.0)
    colors = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = np.sqrt(heat)[..., None]
    blended = np.rint((1.0 - opacity) * picture + opacity * colors).astype(np.uint8)
    for region in finding.regions:
        corners = (
            (round(x * scale[1]), round(y * scale[0]))
            for x, y in (
                (region.x, region.y),
                (region.x + region.width - 1, region.y + region.height - 1),
            )
        )
        cv2.rectangle(blended, *corners, BOX_COLOR, 1)
    return np.hstack([picture, blended])
