"""The one way to read an image: what a file says of itself is obeyed, or refused in one line.

Pillow tells what a file is, and decodes it, but for two kinds. JPEG is decoded by simplejpeg, which
alone tells that it had to guess at damaged parts. Plain PNG and 16-bit colours are decoded by
OpenCV, which takes less time, and keeps 16 bits where Pillow keeps 8.
"""

import contextlib
import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple, TypeGuard

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, UnidentifiedImageError

from awl_vae.data.dataset import DataError
from awl_vae.data.remote import File, RemoteFile

Bytes = bytes | bytearray | memoryview

Source = str | os.PathLike[str] | Bytes | Traversable | RemoteFile
"""What holds an encoded image: a path, the bytes themselves, a file of a package or of a store."""

FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "WEBP", "PPM")
"""Pillow's names of what is read."""

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp"),
    *(".pgm", ".ppm", ".pnm"),
)

OTHER_SUFFIXES = (
    *(".gif", ".jp2", ".j2k", ".jxl", ".avif", ".heic", ".heif", ".tga", ".exr", ".hdr", ".pcx"),
    *(".pbm", ".pfm", ".dng", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".psd", ".svg", ".ico"),
)
"""Of files that are images by their names, and are not read: somebody is to hear of them."""

TOGETHER = 16
"""Images that a thread reads at once: to hand over each takes a fifth of what a small one does."""

ORIENTATION = 0x0112
"""The tag of Exif and TIFF that says how a camera was held."""

BITS, PHOTOMETRIC, PLANES, NUMBERS, WHITE_IS_0, SIGNED = 258, 262, 284, 339, 0, 2
"""Tags of TIFF, a value of the second, and one of the fourth."""

TURNED = (5, 6, 7, 8)
"""Its values by which height and width change places."""

PNG_MARKS = (b"exif", b"xmp")
"""What the head of a PNG's chunk has, in either case, that may say something of its orientation."""

JPEG_START = b"\xff\xd8\xff"
"""What a JPEG begins with."""

JPEG_MARKS = (b"Exif", b"ns.adobe.com", b"MPF")
"""What one has that may say that a camera was turned, or that more images follow."""

JPEG_AS = {"Gray": "GRAY", "YCbCr": "BGR", "RGB": "BGR"}
"""How it is decoded, by the colours that it is stored in."""

UNTOLD_IN_TIFF = ("jpeg", "tiff_jpeg", "old-jpeg", "group3", "group4", "tiff_ccitt")
"""Compressions, by Pillow's names, whose damage is told to nobody."""

MAX_PIXELS = 178_956_970
"""Of an image; what claims to have more is an error, as it is of Pillow's."""

# A line camera makes images half as large, of which Pillow would warn.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Of what is said beside an image, such as its Exif, damage is nobody's concern.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def read_image(source: Source) -> np.ndarray:
    """Reads an image.

    The orientation that a camera wrote is applied, in whichever format. Palettes and CMYK become
    colours, bits become 0 and 255. What is declared transparent, by whichever means, becomes a
    fourth channel. 16 bits stay 16 bits.

    Args:
        source: a file by its path, or its bytes: PNG, JPEG, BMP, TIFF, WebP or PNM.

    Returns:
        Array (h, w) gray, (h, w, 3) BGR or (h, w, 4) BGRA of uint8 or uint16, as OpenCV has them.

    Raises:
        DataError: If that is no such image, is damaged or cut short, holds more than one image, or
            other numbers than 8 or 16 bits a pixel.
    """
    return decode(source).pixels


class NotReadError(DataError):
    """The bytes of a file could not be read: that may be another time, where it stays the same."""


class Decoded(NamedTuple):
    """An image as it was read.

    Attributes:
        pixels: see `read_image`.
        format: which of `FORMATS` its file has.
        num_bytes: the size of its file.
        is_lossy: whether it has levels that nobody drew.
    """

    pixels: np.ndarray
    format: str
    num_bytes: int
    is_lossy: bool


def decode(source: Source) -> Decoded:
    """Reads an image, see `read_image`, with what its file was.

    Raises:
        DataError: See `read_image`.
    """
    data = _bytes(source)
    try:
        pixels, file_format = _decode(data)
        is_lossy = file_format == "JPEG" or (file_format == "WEBP" and b"VP8L" not in data)
        return Decoded(np.ascontiguousarray(pixels), file_format, len(data), is_lossy)
    except DataError as error:
        raise DataError(f"{error}{_place(source)}") from error.__cause__
    except UnidentifiedImageError as error:
        raise DataError(
            "Expected an image (PNG, JPEG, BMP, TIFF, WebP or PNM). "
            f"Received: {_other(data)}{_place(source)}"
        ) from error
    except Exception as error:  # Whatever damage does to a library.
        text = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"Expected a whole image. Received: {len(data)} bytes that cannot be decoded "
            f"({text}){_place(source)}"
        ) from error


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of the image in a file, as it is to be seen; only TIFF is decoded.

    Raises:
        DataError: If the file is no image.
    """
    data = _bytes(path)
    # Whatever damage does to a library, `read_image` has the words for it.
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        turned = _orientation(data, image) in TURNED
        if image.format != "TIFF":
            return image.size if turned else image.size[::-1]
    height, width, *_ = read_image(path).shape  # Pillow may have turned its size, or not
    return height, width


def is_image_name(path: File) -> bool:
    """Whether a file is an image by its name, of a format that is read or of another."""
    return path.suffix.lower() in (*SUFFIXES, *OTHER_SUFFIXES)


def is_path(source: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether something is the path of a file."""
    return isinstance(source, str | os.PathLike)


def _bytes(source: Source) -> bytes:
    if isinstance(source, Bytes):
        return bytes(source)
    path = Path(source) if is_path(source) and not isinstance(source, Path) else source
    if not isinstance(path, Path | Traversable | RemoteFile):
        raise DataError(
            f"Expected the path of an image, its bytes or an array. Received: {source!r}"
        )
    try:
        # A pipe would wait for ever.
        if not isinstance(path, Path) or stat.S_ISREG(path.stat().st_mode):
            return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotReadError(f"Expected an image. Received: {reason}, {path}") from error
    raise DataError(f"Expected a file. Received: {path}, which is none")


def _place(source: Source) -> str:
    return "" if isinstance(source, Bytes) else f", {source}"


def _other(data: bytes) -> str:
    """What is no image of ours."""
    try:
        return str(Image.open(io.BytesIO(data)).format)
    except Exception:
        return f"{len(data)} bytes that are none" if data else "an empty file"


def _decode(data: bytes) -> tuple[np.ndarray, str]:
    if _is_plain_jpeg(data):  # Pillow would take a tenth of the time.
        return _jpeg(data), "JPEG"
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    if (pages := getattr(image, "n_frames", 1)) > 1:
        raise DataError(f"Expected a file with one image. Received: {pages}")
    if image.format == "PPM" and _has_another(data, image):
        raise DataError("Expected a file with one image. Received: several")
    if image.format in ("JPEG", "MPO"):
        pixels = _jpeg(data)
    elif image.format == "PNG":
        pixels = _png(data, image)
    else:
        pixels = _tiff(data, image) if image.format == "TIFF" else _by_pillow(image)
    # A JPEG with a preview in it has another name of Pillow's.
    file_format = "JPEG" if image.format == "MPO" else str(image.format)
    return _upright(pixels, _orientation(data, image)), file_format


def _is_plain_jpeg(data: bytes) -> bool:
    return data.startswith(JPEG_START) and not any(mark in data for mark in JPEG_MARKS)


def _jpeg(data: bytes) -> np.ndarray:
    """A JPEG, unless its decoder reports damage."""
    height, width, stored, _ = simplejpeg.decode_jpeg_header(data)
    if height * width > MAX_PIXELS:
        raise DataError(f"Expected {MAX_PIXELS:,} pixels at most. Received: {height} x {width}")
    if colors := JPEG_AS.get(stored):
        pixels = simplejpeg.decode_jpeg(data, colors)
        return pixels[..., 0] if colors == "GRAY" else pixels
    simplejpeg.decode_jpeg(data, "CMYK")  # it is whole
    return _by_pillow(Image.open(io.BytesIO(data), formats=FORMATS))


def _png(data: bytes, image: ImageFile.ImageFile) -> np.ndarray:
    """A PNG, unless its checksums are others."""
    level = image.info.get("transparency")
    is_deep = _is_deep(image)
    if image.mode != "P" and (level is None or is_deep):
        pixels = _by_opencv(data)
        return pixels if level is None or pixels.shape[2:] == (4,) else _without(pixels, level)
    _by_opencv(data)  # it is whole
    return _by_pillow(image)


def _tiff(data: bytes, image: ImageFile.ImageFile) -> np.ndarray:
    """A TIFF, unless damage to it would be reported to nobody."""
    if (compression := image.info.get("compression")) in UNTOLD_IN_TIFF:
        raise DataError(
            "Expected a TIFF of another compression, whose decoder tells of damage. "
            f"Received: {compression}"
        )
    tags = getattr(image, "tag_v2", {})
    bits = max(tags.get(BITS, (1,)))
    if bits <= 16 and SIGNED in tags.get(NUMBERS, ()):
        raise DataError("Expected levels from 0 on. Received: a TIFF of signed numbers")
    if 8 < bits < 32:
        if bits != 16:
            raise DataError(f"Expected 8 or 16 bits a pixel. Received: {bits}")
        if tags.get(PLANES, 1) != 1 or tags.get(PHOTOMETRIC) == WHITE_IS_0:
            raise DataError(
                "Expected a TIFF whose colours lie side by side, and whose 0 is black, of 16 bits. "
                "Received: another"
            )
    if not _is_deep(image):
        return _by_pillow(image)
    image.load()  # Pillow tells of damage, and turns it as OpenCV does.
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    return _by_opencv(data)


def _has_another(data: bytes, image: ImageFile.ImageFile) -> bool:
    """Whether a PNM holds an image behind the first, which Pillow does not look for."""
    _, _, start, args = image.tile[0]
    if data[1:2] in b"123":  # numbers as text, in which nothing but comments has letters
        numbers = re.sub(rb"#[^\r\n]*", b"", data[start:])
        return b"P" in numbers
    width, height = image.size
    most = args[-1] if isinstance(args, tuple) else 255
    bits = 1 if image.mode == "1" else 16 if image.mode == "I" or most > 255 else 8
    end = start + height * -(-width * len(image.getbands()) * bits // 8)
    return re.match(rb"\s*P[1-6]\s", data[end:]) is not None


def _is_deep(image: ImageFile.ImageFile) -> bool:
    return any(";16" in str(tile[3]) for tile in image.tile)


def _by_pillow(image: ImageFile.ImageFile) -> np.ndarray:
    """An image of 8 bits a channel or fewer; what is transparent becomes a channel."""
    if image.format == "PPM" and (image.mode == "I" or "65535" in str(image.tile)):
        raise DataError("Expected 8 bits in a PNM. Received: 16")
    if image.mode in ("F", "I"):
        raise DataError(f"Expected 8 or 16 bits a pixel. Received: 32 ({image.mode!r})")
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))[..., [2, 1, 0, 3]]
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))[..., ::-1]


def _by_opencv(data: bytes) -> np.ndarray:
    """The same of 8 or 16 bits a channel, as it is stored."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError("OpenCV gives nothing")
    return pixels


def _without(pixels: np.ndarray, level: int | tuple[int, int, int]) -> np.ndarray:
    """16-bit pixels of which one level, (r, g, b) of colours, is declared transparent."""
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, -1)
    alpha = np.any(pixels != np.broadcast_to(level, 3)[::-1], -1) * np.iinfo(np.uint16).max
    return np.dstack([pixels, alpha.astype(np.uint16)])


def _orientation(data: bytes, image: ImageFile.ImageFile) -> int | None:
    """How a camera was held, if the file says so."""
    if image.format == "PNG" and not any(
        mark in head.lower() for head in _heads(data) for mark in PNG_MARKS
    ):
        return None  # Pillow would decode the file to find out.
    try:
        return image.getexif().get(ORIENTATION)
    except Exception:  # What is damaged beside the pixels is nobody's concern.
        return None


def _heads(data: bytes) -> Iterator[bytes]:
    """The type of each chunk of a PNG, with the keyword that texts begin with."""
    place = 8
    while place < len(data):
        yield data[place + 4 : place + 40]
        place += 12 + int.from_bytes(data[place : place + 4])


def _upright(pixels: np.ndarray, orientation: int | None) -> np.ndarray:
    """What the camera saw, of what it stored: values 1 to 8 of `ORIENTATION`."""
    if orientation in TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
