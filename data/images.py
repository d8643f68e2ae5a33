"""Image files to gray arrays of one size."""

from pathlib import Path

import cv2
import numpy as np

from data.dataset import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
RESIZE_MODES = ("stretch", "pad", "crop")

JPEG_MAGIC = b"\xff\xd8"

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_gray(path: Path) -> np.ndarray:
    """Reads an image file.

    Colour becomes gray by its luma, what is transparent is laid over black, and the orientation
    that a camera wrote into a JPEG is applied. 16 bit stays 16 bit.

    Args:
        path: a PNG, JPEG, BMP or TIFF file.

    Returns:
        Array (H, W) of uint8 or uint16.

    Raises:
        DataError: If the file is no such image, is cut short, or holds another type of number.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"Expected an image. Received: {error.strerror}, {path}") from error
    # Only JPEG tells its orientation, and it has no alpha; the other formats may have.
    flags = cv2.IMREAD_GRAYSCALE if data.startswith(JPEG_MAGIC) else cv2.IMREAD_UNCHANGED
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        size = f"{len(data)} bytes that cannot be decoded" if data else "an empty file"
        raise DataError(f"Expected a whole image. Received: {size}, {path}")
    if image.dtype not in (np.uint8, np.uint16):
        raise DataError(f"Expected 8 or 16 bits a pixel. Received: {image.dtype}, {path}")
    return _to_gray(image)


def fit(image: np.ndarray, image_size: tuple[int, int], mode: str) -> np.ndarray:
    """Brings an image to a size.

    Args:
        image: array (h, w) of uint8 or uint16.
        image_size: (height, width) wanted.
        mode: "stretch" changes the aspect ratio; "pad" keeps it and fills up with black;
            "crop" keeps it and cuts the middle out.

    Returns:
        Array (height, width) of the same dtype.
    """
    height, width = image_size
    scales = height / image.shape[0], width / image.shape[1]
    if mode != "stretch":
        scale = min(scales) if mode == "pad" else max(scales)
        scales = scale, scale
    new_height = max(1, round(image.shape[0] * scales[0]))
    new_width = max(1, round(image.shape[1] * scales[1]))
    if (new_height, new_width) != image.shape:
        # Averaging where pixels get fewer, so that thin defects fade but do not fall out.
        shrinks = max(scales) < 1.0
        image = cv2.resize(
            image,
            (new_width, new_height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
    top, left = (height - new_height) // 2, (width - new_width) // 2
    image = image[max(-top, 0) : max(-top, 0) + height, max(-left, 0) : max(-left, 0) + width]
    top, left = max(top, 0), max(left, 0)
    return np.pad(
        image, ((top, height - image.shape[0] - top), (left, width - image.shape[1] - left))
    )


def _to_gray(image):
    """(H, W), (H, W, 3) BGR or (H, W, 4) BGRA to (H, W) of the same dtype."""
    if image.ndim == 2:
        return image
    gray = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    if image.shape[2] == 3:
        return gray
    alpha = image[..., 3] / np.iinfo(image.dtype).max
    return np.rint(gray * alpha).astype(image.dtype)
