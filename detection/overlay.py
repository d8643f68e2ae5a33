"""Overlays: an image beside itself with its heat map and boxes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from awl_vae.data.images import resize_back
from awl_vae.detection.calibration import LIGHTEST
from awl_vae.detection.detector import Detector
from awl_vae.detection.finding import Finding, OverlaySource
from awl_vae.detection.regions import Region

JPEG_QUALITY = 90
BOX_COLOR = (255, 255, 255)
ROI_COLOR = (200, 160, 0)


Drawn = tuple[Finding, bytes]
"""A finding without what its overlay is drawn from, and the overlay as JPEG, empty without one."""


def drawn(detector: Detector, findings: Iterable[Finding], *, draws: bool) -> Iterator[Drawn]:
    """Findings with their overlays, where those are wanted."""
    for finding in findings:
        data = b""
        if draws and finding.overlay_source is not None:
            overlay = draw(detector, finding.overlay_source, finding.regions)
            options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            data = cv2.imencode(".jpg", overlay, options)[1].tobytes()
        yield replace(finding, overlay_source=None), data


def draw(detector: Detector, source: OverlaySource, regions: Iterable[Region]) -> np.ndarray:
    """The image of a finding, and beside it the same with heat map and boxes.

    The colours mean the same in all overlays of a detector: black is 0, white is twice the
    pixel threshold, which calibration images hardly reach. Of a region of interest the border is
    drawn, and outside is no heat.

    Args:
        detector: the detector.
        source: what it is drawn from.
        regions: what the boxes are around.

    Returns:
        Array (h, 2 w, 3) of uint8, BGR, for a thumbnail (h, w, 3).
    """
    image = source.thumbnail
    scale_y, scale_x = image.shape[0] / source.shape[0], image.shape[1] / source.shape[1]
    heat = resize_back(source.anomaly_map, image.shape[:2], detector.resize)
    roi = None
    if source.roi is not None:
        roi = resize_back(source.roi.astype(np.float32), heat.shape, detector.resize) >= 0.5
        heat *= roi
    # What is not a number is anomalous.
    heat = np.clip(np.nan_to_num(heat / (LIGHTEST * detector.pixel_threshold), nan=1.0), 0.0, 1.0)
    colors = cv2.applyColorMap(np.rint(255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = np.sqrt(heat)[..., None]
    blended = np.rint((1.0 - opacity) * image + opacity * colors).astype(np.uint8)
    if roi is not None:
        border, _ = cv2.findContours(roi.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(blended, border, -1, ROI_COLOR, 1)
    for region in regions:
        right, bottom = region.x + region.width - 1, region.y + region.height - 1
        corner = round(region.x * scale_x), round(region.y * scale_y)
        opposite = round(right * scale_x), round(bottom * scale_y)
        cv2.rectangle(blended, corner, opposite, BOX_COLOR, 1)
    return np.hstack([image, blended])
