"""Files as they are: depths, colours, transparency, orientation, pages, and damage."""

import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from conftest import stripes
from PIL import Image

from awl_vae.data import DataError, read_image
from awl_vae.data.images import read_gray, resize
from awl_vae.data.reading import ORIENTATION, SUFFIXES, image_size


def encoded(image, file_format, **options):
    """The bytes of a Pillow image."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def coded(image, suffix=".png", options=()):
    """The bytes of an array, by OpenCV."""
    return cv2.imencode(suffix, np.ascontiguousarray(image), list(options))[1].tobytes()


def noise(*shape, dtype=np.uint8):
    return np.random.RandomState(0).randint(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


PNM = {
    "P1": b"P1\n2 2\n0 1\n1 0\n",
    "P2": b"P2 # P2\n2 2\n255\n1 2 3 80\n",
    "P4": b"P4\n9 2\n" + b"P4 \n",
    "P5": b"P5\n4 2\n255\n" + b"P5 1P5 1",
    "P6": b"P6\n2 2\n255\n" + b"P6 1P6 1P6 1",
    "P6, 10 bits": b"P6\n2 1\n1000\n" + b"\1P\0P\0P6 1P6 ",
}


@pytest.mark.parametrize("name", PNM)
def test_a_pnm_of_several_images_is_refused(name):
    one = PNM[name]
    read_image(one)
    read_image(one + b"\n")
    for more in (one, PNM["P5"]):
        with pytest.raises(DataError, match="Expected a file with one image. Received: several"):
            read_image(one + more)


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "bmp", "tif", "PNG", "jpeg", "tiff", "pgm", "webp"]
)
def test_formats(tmp_path, suffix):
    image = stripes(1)
    path = tmp_path / f"image.{suffix}"
    cv2.imwrite(str(path), image)
    read = read_gray(path)
    assert read.dtype == np.uint8
    tolerance = 12 if suffix.startswith("jp") else 0
    assert np.abs(read.astype(int) - image).max() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_stays_16_bit(tmp_path, suffix):
    image = stripes(1, dtype=np.uint16) + 1  # an odd low byte: 8 bits could not hold it
    cv2.imwrite(str(tmp_path / f"image.{suffix}"), image)
    read = read_gray(tmp_path / f"image.{suffix}")
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, image)
    assert resize(read, (48, 40), "stretch").dtype == np.uint16


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_and_alpha_become_gray(dtype):
    full = np.iinfo(dtype).max
    blue, green, red = np.eye(3, dtype=dtype) * full
    colours = np.stack([blue, green, red, [full] * 3]).astype(dtype)[None]
    # Luma: 0.114 blue, 0.587 green, 0.299 red.
    gray = read_gray(coded(colours)) / full
    np.testing.assert_allclose(gray, [[0.114, 0.587, 0.299, 1.0]], atol=1 / 255)
    alpha = np.array([0, full, full // 2, full], dtype)[None, :, None]
    gray = read_gray(coded(np.concatenate([colours, alpha], axis=-1))) / full
    np.testing.assert_allclose(gray, [[0.0, 0.587, 0.1495, 1.0]], atol=1.5 / 255)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3)])
def test_a_jpeg_is_what_its_pixels_are(tmp_path, shape):
    # Saturated colours: their luma is not what the file calls its gray.
    blocks = cv2.resize(noise(6, 8, *shape[2:]) // 128 * 255, (64, 48), interpolation=0)
    path = tmp_path / "image.jpg"
    path.write_bytes(coded(blocks, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 60]))
    np.testing.assert_array_equal(read_image(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def stored(image, orientation):
    """What a camera stores, so that the orientation brings it back to `image`."""
    return {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.swapaxes(0, 1),
        6: np.rot90(image),
        7: image[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(image, -1),
    }[orientation]


def in_bgr(image, mode):
    """What is read of a Pillow image, given as an array."""
    if mode == "L":
        return image
    order = [2, 1, 0, 3][: 4 if "A" in mode else 3]
    converted = Image.fromarray(image, mode).convert("RGBA" if "A" in mode else "RGB")
    return np.asarray(converted)[..., order]


@pytest.mark.filterwarnings("ignore:'mode' parameter")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_orientation(file_format, mode, orientation):
    image = noise(6, 8, *{"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[mode])
    camera = Image.fromarray(np.ascontiguousarray(stored(image, orientation)), mode)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    if file_format == "PNG":
        data = encoded(camera, "PNG", exif=exif)
    else:
        data = encoded(camera, "TIFF", tiffinfo={ORIENTATION: orientation})
    np.testing.assert_array_equal(read_image(data), in_bgr(image, mode))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_orientation_of_16_bits(channels, orientation):
    image = noise(6, 8, *channels, dtype=np.uint16)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + content))
    data = coded(stored(image, orientation))
    after_header = 8 + 25
    data = data[:after_header] + chunk + data[after_header:]
    np.testing.assert_array_equal(read_image(data), image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_jpeg(orientation):
    image = cv2.resize(noise(6, 8), (64, 48), interpolation=cv2.INTER_CUBIC)
    camera = Image.fromarray(np.ascontiguousarray(stored(image, orientation)))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    read = read_image(encoded(camera, "JPEG", exif=exif, quality=98))
    assert read.shape == image.shape
    assert np.abs(read.astype(int) - image).mean() < 3


def test_what_is_transparent_is_black_by_whichever_means():
    levels = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (3, 1))
    gray = read_gray(encoded(Image.fromarray(levels), "PNG", transparency=200))
    np.testing.assert_array_equal(gray, np.where(levels == 200, 0, levels))
    deep = levels.astype(np.uint16) * 257
    gray = read_gray(encoded(Image.fromarray(deep), "PNG", transparency=200 * 257))
    np.testing.assert_array_equal(gray, np.where(levels == 200, 0, deep))
    colours = Image.fromarray(np.stack([levels] * 3, -1))
    gray = read_gray(encoded(colours, "PNG", transparency=(200, 200, 200)))
    np.testing.assert_array_equal(gray, np.where(levels == 200, 0, levels))
    data = coded(np.stack([deep] * 3, -1))
    chunk = b"tRNS" + struct.pack(">HHH", *[200 * 257] * 3)
    end = 8 + 12 + 13  # of the header, behind which it belongs
    data = (
        data[:end]
        + struct.pack(">I", 6)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + data[end:]
    )
    np.testing.assert_array_equal(read_gray(data), np.where(levels == 200, 0, deep))
    palette = Image.fromarray(levels).convert("P")
    gray = read_gray(encoded(palette, "PNG", transparency=palette.getpixel((50, 0))))
    np.testing.assert_array_equal(gray, np.where(levels == 200, 0, levels))


def test_bits_palettes_and_cmyk():
    bits = Image.fromarray(noise(9, 7) > 127)
    np.testing.assert_array_equal(read_gray(encoded(bits, "PNG")), 255 * np.asarray(bits))
    np.testing.assert_array_equal(read_gray(encoded(bits, "TIFF")), 255 * np.asarray(bits))
    colours = Image.fromarray(cv2.resize(noise(3, 4, 3), (40, 30)))
    np.testing.assert_array_equal(
        read_image(encoded(colours.quantize(8), "BMP")),
        np.asarray(colours.quantize(8).convert("RGB"))[..., ::-1],
    )
    cmyk = read_image(encoded(colours.convert("CMYK"), "JPEG", quality=98))
    assert cmyk.shape == (30, 40, 3)
    assert np.abs(cmyk[..., ::-1].astype(int) - np.asarray(colours)).mean() < 3


@pytest.mark.parametrize(
    ("file_format", "suffix"), [("TIFF", "tif"), ("PNG", "png"), ("MPO", "jpg")]
)
def test_a_file_of_several_images_says_how_many(tmp_path, file_format, suffix):
    path = tmp_path / f"pages.{suffix}"
    pages = [Image.fromarray(stripes(seed)) for seed in range(3)]
    path.write_bytes(encoded(pages[0], file_format, save_all=True, append_images=pages[1:]))
    with pytest.raises(
        DataError, match=rf"Expected a file with one image\. Received: 3, .*{path.name}"
    ):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.97])
def test_files_cut_short_are_errors(tmp_path, suffix, share):
    path = tmp_path / f"image.{suffix}"
    data = coded(stripes(1, size=(60, 80)), f".{suffix}")
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=r"Expected an? .*Received: .*image\." + suffix):
        read_image(path)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_is_refused_where_its_decoder_had_to_guess(mode):
    shape = (240, 320, *{"L": (), "RGB": (3,), "CMYK": (4,)}[mode])
    data = encoded(Image.fromarray(cv2.resize(noise(30, 40, *shape[2:]), (320, 240)), mode), "JPEG")
    middle = len(data) // 2
    with pytest.raises(DataError, match="Corrupt JPEG data|Premature end of JPEG"):
        read_image(data[:middle] + data[middle + 64 :])
    np.testing.assert_array_equal(read_image(data + b"after the end"), read_image(data))


def test_a_jpeg_that_claims_to_be_huge_takes_no_memory():
    data = coded(np.zeros((16, 16), np.uint8), ".jpg")
    place = data.index(b"\xff\xc0") + 5
    huge = data[:place] + struct.pack(">HH", 65000, 64000) + data[place + 4 :]
    with pytest.raises(DataError, match="178,956,970 pixels at most. Received: 65000 x 64000"):
        read_image(huge)


def test_damage_to_a_png_or_tiff_is_found():
    gray = Image.fromarray(cv2.resize(noise(30, 40), (320, 240)))
    data = encoded(gray, "PNG")
    for position in np.random.RandomState(0).randint(40, len(data) - 12, 50):
        damaged = bytearray(data)
        damaged[position] ^= 4
        with pytest.raises(DataError):
            read_image(bytes(damaged))
    data = encoded(gray, "TIFF", compression="tiff_lzw")
    middle = len(data) // 2
    with pytest.raises(DataError, match="Expected a whole image"):
        read_image(data[:middle] + bytes(16) + data[middle + 16 :])
    with pytest.raises(DataError, match=r"Expected a TIFF of another compression.*Received: jpeg"):
        read_image(encoded(gray, "TIFF", compression="jpeg"))
    with pytest.raises(DataError, match=r"Expected a TIFF of another compression.*: group4"):
        read_image(encoded(gray.convert("1"), "TIFF", compression="group4"))


def test_a_palette_png_that_lacks_rows_is_damaged():
    rows = noise(48, 64) % 4
    whole = encoded(Image.fromarray(rows).convert("P"), "PNG")
    start, end = whole.index(b"IDAT"), whole.index(b"IEND") - 4
    pixels = zlib.decompress(whole[start + 4 : end - 4])
    chunk = b"IDAT" + zlib.compress(pixels[: len(pixels) // 2])
    length, checksum = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    read_image(whole)
    with pytest.raises(DataError, match="Expected a whole image"):
        read_image(whole[: start - 4] + length + chunk + checksum + whole[end:])


@pytest.mark.parametrize("marker", [b"\xff\xed", b"\xff\xfe"])
def test_a_jpeg_is_turned_by_exif_behind_a_segment_that_looks_like_the_end_of_the_head(marker):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded(Image.fromarray(noise(48, 64)), "JPEG", exif=exif)
    content = b"thumbnail \xff\xda of another program"
    segment = marker + struct.pack(">H", len(content) + 2) + content
    assert read_image(data[:2] + segment + data[2:]).shape == (64, 48)


def test_no_image_and_other_numbers_are_errors(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(DataError, match=r"Received: 5 bytes that are none, .*text\.png"):
        read_image(tmp_path / "text.png")
    with pytest.raises(DataError, match=r"Expected an image \(PNG.*Received: GIF$"):
        read_image(encoded(Image.fromarray(stripes(1)), "GIF"))
    for dtype in (np.float32, np.int32):
        with pytest.raises(DataError, match="Expected 8 or 16 bits a pixel. Received: 32"):
            read_image(encoded(Image.fromarray(stripes(1).astype(dtype)), "TIFF"))
    with pytest.raises(DataError, match=r"Received: No such file or directory, .*nowhere\.png"):
        read_image(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match=r"Expected a file\. Received: .*pipe\.png"):
        read_image(tmp_path / "pipe.png")


@pytest.mark.parametrize("file_format", ["TIFF", "PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_what_is_read(tmp_path, file_format, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "image"
    path.write_bytes(encoded(Image.fromarray(stripes(1)), file_format, exif=exif))
    assert image_size(path) == read_image(path).shape[:2]


def test_deep_files_that_would_be_misread_are_refused():
    for text in (b"P6 4 2 65535\n", b"P5 4 2 65535\n"):
        with pytest.raises(DataError, match="Expected 8 bits in a PNM. Received: 16"):
            read_image(text + bytes(48))
    white_is_0 = {262: 0}
    gray = Image.fromarray(stripes(1, dtype=np.uint16))
    with pytest.raises(DataError, match="whose 0 is black"):
        read_image(encoded(gray, "TIFF", tiffinfo=white_is_0))


def test_every_suffix_is_of_a_format_that_is_read():
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} <= {*Image.OPEN, "JPEG"}


def test_the_size_of_what_is_no_image_is_refused_in_words(tmp_path):
    path = tmp_path / "part.jpg"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"Expected an image \(PNG.*part\.jpg$"):
        image_size(path)
