"""Files that are called images and are damaged, odd or none: by kind, what writes one."""

import io
import os
import socket
import struct
import zlib

import numpy as np
from PIL import Image

SIDE = 24
LETTERS = [*"'\",;:<>&|$`\\*?[]{}%#!~ \t\n\r", "é", "ß", "中", "😀", "\u202e", "\u200f", "\u0301"]
LETTERS += ["\udcff", "\x7f", "\x01", "\u2028", "\ufeff", "<script>", "$(touch x)", "..", "%s", "-"]


def pixels(rng, mode="L", size=(SIDE, SIDE)):
    """A Pillow image of noise and stripes."""
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,), "CMYK": (4,), "I;16": ()}[mode]
    if mode == "I;16":
        return Image.fromarray(rng.randint(0, 65536, size).astype(np.uint16))
    values = (100 + 50 * np.sin(np.arange(size[1])) + rng.normal(0, 5, size)).astype(np.uint8)
    if not channels:
        return Image.fromarray(values)
    return Image.frombytes(mode, size[::-1], np.stack([values] * channels[0], -1).tobytes())


def encoded(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


WHOLE = (
    (".png", lambda rng: encoded(pixels(rng, rng.choice(["L", "LA", "RGB", "RGBA"])), "PNG")),
    (".png", lambda rng: encoded(pixels(rng, "I;16"), "PNG")),
    (".png", lambda rng: encoded(pixels(rng, "RGB").quantize(16), "PNG")),
    (".jpg", lambda rng: encoded(pixels(rng, rng.choice(["L", "RGB", "CMYK"])), "JPEG")),
    (".jpg", lambda rng: encoded(pixels(rng, "RGB"), "JPEG", progressive=True)),
    (".bmp", lambda rng: encoded(pixels(rng, rng.choice(["L", "RGB"])), "BMP")),
    (".tif", lambda rng: encoded(pixels(rng, "I;16"), "TIFF")),
    (".tif", lambda rng: encoded(pixels(rng, "RGB"), "TIFF", compression="tiff_lzw")),
    (".tif", lambda rng: encoded(pixels(rng, "L"), "TIFF", compression="tiff_adobe_deflate")),
    (".webp", lambda rng: encoded(pixels(rng, "RGB"), "WEBP", lossless=True)),
    (".webp", lambda rng: encoded(pixels(rng, "RGBA"), "WEBP")),
    (".pgm", lambda rng: encoded(pixels(rng, "L"), "PPM")),
    (".ppm", lambda rng: encoded(pixels(rng, "RGB"), "PPM")),
)


def whole(rng):
    """(suffix, bytes) of a good image."""
    suffix, make = WHOLE[rng.randint(len(WHOLE))]
    return suffix, make(rng)


def truncated(rng):
    suffix, data = whole(rng)
    return suffix, data[: rng.randint(len(data) - 12)]  # The mark of a PNG's end takes 12 bytes.


def flipped(rng):
    suffix, data = whole(rng)
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 30)):
        damaged[rng.randint(len(data))] ^= 1 << rng.randint(8)
    return suffix, bytes(damaged)


def flipped_head(rng):
    suffix, data = whole(rng)
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        damaged[rng.randint(min(len(data), 64))] ^= 1 << rng.randint(8)
    return suffix, bytes(damaged)


def zeroed(rng):
    suffix, data = whole(rng)
    start = rng.randint(len(data))
    length = min(rng.randint(1, 200), len(data) - start)
    return suffix, data[:start] + bytes(length) + data[start + length :]


def wrong_suffix(rng):
    _, data = whole(rng)
    return (".png", ".jpg", ".bmp", ".tif", ".webp", ".pgm", ".jp2")[rng.randint(7)], data


def spliced(rng):
    """The head of one format, the body of another."""
    suffix, head = whole(rng)
    _, body = whole(rng)
    cut = rng.randint(8, 64)
    return suffix, head[:cut] + body[cut:]


def appended(rng):
    suffix, data = whole(rng)
    return suffix, data + rng.bytes(rng.randint(1, 1000))


def odd_sizes(rng):
    size = ((1, 1), (1, 5000), (5000, 1), (2, 3), (1, 17))[rng.randint(5)]
    file_format, suffix = (("PNG", ".png"), ("JPEG", ".jpg"), ("TIFF", ".tif"))[rng.randint(3)]
    return suffix, encoded(pixels(rng, "L", size), file_format)


def empty(rng):
    return whole(rng)[0], b""


def head_only(rng):
    suffix, data = whole(rng)
    return suffix, data[: rng.randint(2, 30)]


def noise(rng):
    return whole(rng)[0], rng.bytes(rng.randint(1, 2000))


def text(rng):
    return whole(rng)[0], (b"<html>", b"{}", b"P5", b"BM", b"II*\0", b"\xff\xd8\xff", b"RIFF")[
        rng.randint(7)
    ] + b"\n" * rng.randint(3)


def png_chunk(kind, data, *, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png_of(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_head(width, height, depth=8, color=0, *, method=0):
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, method))


def png_parts(rng):
    """A PNG with a wrong checksum, with chunks that it should not have, or without its end."""
    lines = zlib.compress(b"".join(b"\0" + rng.bytes(SIDE) for _ in range(SIDE)))
    head, body, end = png_head(SIDE, SIDE), png_chunk(b"IDAT", lines), png_chunk(b"IEND", b"")
    junk = rng.bytes(rng.randint(40))
    return ".png", (
        lambda: png_of(head, png_chunk(b"IDAT", lines, crc=rng.randint(2**31)), end),
        lambda: png_of(png_chunk(b"IHDR", head[8:-4], crc=1), body, end),
        lambda: png_of(head, body),
        lambda: png_of(head, end),
        lambda: png_of(body, head, end),
        lambda: png_of(head, head, body, end),
        lambda: png_of(head, png_chunk(b"ABCD", junk), body, end),
        lambda: png_of(head, png_chunk(b"abCd", junk), body, body, end),
        lambda: png_of(head, png_chunk(b"tRNS", junk), body, end),
        lambda: png_of(head, png_chunk(b"eXIf", junk), body, end),
        lambda: png_of(head, png_chunk(b"iCCP", junk), png_chunk(b"gAMA", junk), body, end),
        lambda: png_of(head, png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7))), body, end),
        lambda: png_of(head, png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), body, end),
        lambda: png_of(head, png_chunk(b"IDAT", lines[: len(lines) // 2]), end),
        lambda: png_of(head, png_chunk(b"IDAT", zlib.compress(bytes(10))), end),
        lambda: png_of(head, struct.pack(">I", 2**31 - 1) + b"IDAT" + lines),
        lambda: png_of(png_head(SIDE, SIDE, 7), body, end),
        lambda: png_of(png_head(SIDE, SIDE, 8, 5), body, end),
        lambda: png_of(png_head(SIDE, SIDE, method=9), body, end),
        lambda: png_of(png_head(0, SIDE), body, end),
    )[rng.randint(20)]()


def bomb(rng):
    """A tiny file that says that it is huge."""
    side = (13_000, 20_000, 65_535, 2**31 - 1)[rng.randint(4)]
    short = min(side, 65_535)
    body = png_chunk(b"IDAT", zlib.compress(bytes(1000))), png_chunk(b"IEND", b"")
    bmp = b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54)
    bmp += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(100)
    jpeg = bytearray(encoded(pixels(rng), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", short, short)
    return (
        (".png", png_of(png_head(side, side), *body)),
        (".png", png_of(png_head(side, side, 16, 6), *body)),
        (".bmp", bmp),
        (".jpg", bytes(jpeg)),
        (".pgm", b"P5 %d %d 255\n" % (side, side) + bytes(100)),
        (".tif", tiff([(256, 4, side), (257, 4, side), *TIFF_GRAY])),
    )[rng.randint(6)]


TIFF_GRAY = [(258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, SIDE)]
TIFF_GRAY += [(279, 4, SIDE * SIDE)]


def tiff(entries, *, following=0, order="<", count=None):
    """A TIFF with one directory of these (tag, type, value), its pixels at 8."""
    body = bytes(range(256)) * 3
    entries = sorted(entries)
    parts = [struct.pack(order + "H", len(entries) if count is None else count)]
    for tag, kind, value in entries:
        inline = struct.pack(order + "HH", value & 0xFFFF, 0) if kind == 3 else b""
        inline = inline or struct.pack(order + "I", value & 0xFFFFFFFF)
        parts.append(struct.pack(order + "HHI", tag, kind, 1) + inline)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(body))
    return head + body + b"".join(parts) + struct.pack(order + "I", following)


def tiff_tags(rng):
    """A TIFF with absurd tags, or a chain of pages that has no end."""
    base = [(256, 4, SIDE), (257, 4, SIDE), *TIFF_GRAY]
    start = 8 + 3 * 256
    absurd = [(tag, kind, rng.randint(2**31)) for tag, kind, _ in base if rng.rand() < 0.3]
    own = {entry[0]: entry for entry in [*base, *absurd]}
    return ".tif", (
        lambda: tiff(base, following=start),  # a loop
        lambda: tiff(base, following=2**31),
        lambda: tiff(base, following=3),
        lambda: tiff(own.values()),
        lambda: tiff(base, count=65_535),
        lambda: tiff([*base, (274, 3, (0, 9, 65_535)[rng.randint(3)])]),
        lambda: tiff([*base, (34665, 4, start)]),  # Exif that is the page itself
        lambda: tiff([*base, (34665, 4, 2**31)]),
        lambda: tiff([*base, (330, 4, start)]),
        lambda: tiff([(tag, rng.randint(20), value) for tag, _, value in base]),
        lambda: tiff([e for e in base if e[0] != (256, 257, 273, 279, 262)[rng.randint(5)]]),
        lambda: tiff(
            [e if e[0] != 258 else (258, 3, (0, 3, 12, 64)[rng.randint(4)]) for e in base]
        ),
        lambda: tiff([e if e[0] != 259 else (259, 3, rng.randint(2, 70)) for e in base]),
        lambda: tiff([*base, (339, 3, 3)]),
        lambda: tiff(base, order=">"),
    )[rng.randint(15)]()


def float_tiff(rng):
    values = rng.rand(SIDE, SIDE).astype(np.float32)
    values[rng.rand(SIDE, SIDE) < 0.1] = (np.nan, np.inf, -1.0)[rng.randint(3)]
    return ".tif", encoded(Image.fromarray(values), "TIFF")


def bmp_heads(rng):
    """A BMP of a negative height, of odd depths, palettes and compressions."""
    depth = (0, 1, 2, 4, 8, 12, 16, 24, 32, 64)[rng.randint(10)]
    height = (SIDE, -SIDE, 0, -(2**31))[rng.randint(4)]
    head = (40, 12, 108, 3, 2**31)[min(rng.randint(9), 4) % 5]
    info = (head, SIDE, height, rng.randint(3), depth, rng.randint(7), 0, 0, 0, rng.randint(300), 0)
    data = struct.pack("<IiiHHIIiiII", *info) + rng.bytes(SIDE * SIDE * 3)
    return ".bmp", b"BM" + struct.pack("<IHHI", len(data), 0, 0, 54 + rng.randint(2) * 900) + data


def pnm_numbers(rng):
    numbers = (b"-1", b"0", b"24", b"1e3", b"9" * 30, b"65536", b"", b"0x10", b"#")
    kind = b"P%d" % rng.randint(1, 8)
    parts = [kind, *(numbers[rng.randint(len(numbers))] for _ in range(3))]
    suffix = (".pgm", ".ppm", ".pnm")[rng.randint(3)]
    return suffix, b"\n".join(parts) + b"\n" + rng.bytes(SIDE * SIDE)


def webp_parts(rng):
    data = encoded(pixels(rng, "RGBA"), "WEBP", lossless=bool(rng.randint(2)), exif=b"Exif\0\0MM")
    return ".webp", (
        lambda: data[: rng.randint(12, len(data))],
        lambda: data[:4] + struct.pack("<I", rng.randint(2**31)) + data[8:],
        lambda: data[:12] + b"VP8X" + rng.bytes(40),
        lambda: data[:16] + struct.pack("<I", 2**32 - 1) + data[20:],
        lambda: encoded(
            pixels(rng, "RGB"), "WEBP", save_all=True, append_images=[pixels(rng, "RGB")]
        ),
    )[rng.randint(5)]()


def jpeg_markers(rng):
    """A JPEG with odd markers, garbage as Exif, and orientations that there are not."""
    data = encoded(pixels(rng, ("L", "RGB", "CMYK")[rng.randint(3)]), "JPEG")

    def with_segment(marker, content):
        size = struct.pack(">H", len(content) + 2)
        return data[:2] + b"\xff" + bytes([marker]) + size + content + data[2:]

    def oriented(value):
        exif = Image.Exif()
        exif[0x0112] = value
        return encoded(pixels(rng), "JPEG", exif=exif)

    exif = b"Exif\0\0II*\0\x08\0\0\0"
    return ".jpg", (
        lambda: oriented((0, 9, 65_535)[rng.randint(3)]),
        lambda: with_segment(0xE1, exif + rng.bytes(rng.randint(200))),
        lambda: with_segment(0xE1, b"Exif\0\0" + rng.bytes(rng.randint(50))),
        lambda: with_segment(0xE1, exif + struct.pack("<HHHII", 1, 0x0112, 2, 2**31, 8)),
        lambda: with_segment(0xE2, b"MPF\0" + rng.bytes(60)),
        lambda: with_segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + rng.bytes(60)),
        lambda: with_segment(0xE2, b"ICC_PROFILE\0\1\7" + rng.bytes(60)),
        lambda: with_segment(0xEE, b"Adobe" + rng.bytes(7)),
        lambda: with_segment(0xED, b"Photoshop 3.0\0" + b"8BIM" + rng.bytes(60)),
        lambda: with_segment(rng.randint(0xC0, 0xFE), rng.bytes(rng.randint(60))),
        lambda: data[:2] + b"\xff" * 100 + data[2:],
        lambda: data[:-2],
        lambda: data.replace(b"\xff\xda", b"\xff\xd9", 1),
        lambda: data + data,
        lambda: with_segment(0xDD, struct.pack(">H", 1)),
    )[rng.randint(15)]()


def palettes(rng):
    """A palette with too few entries, or none."""
    lines = zlib.compress(b"".join(b"\0" + rng.bytes(SIDE) for _ in range(SIDE)))
    entries = rng.bytes(rng.randint(0, 40))
    parts = [png_head(SIDE, SIDE, 8, 3), png_chunk(b"PLTE", entries)]
    if rng.randint(2):
        parts.append(png_chunk(b"tRNS", rng.bytes(rng.randint(300))))
    return ".png", png_of(*parts, png_chunk(b"IDAT", lines), png_chunk(b"IEND", b""))


def deep(rng):
    """16 bits, CMYK, one bit: what is odd and whole."""
    return (
        lambda: (".png", encoded(pixels(rng, "I;16"), "PNG")),
        lambda: (".tif", encoded(pixels(rng, "I;16"), "TIFF")),
        lambda: (".jpg", encoded(pixels(rng, "CMYK"), "JPEG")),
        lambda: (".tif", encoded(pixels(rng, "CMYK"), "TIFF")),
        lambda: (".png", encoded(pixels(rng).convert("1"), "PNG")),
        lambda: (".tif", encoded(pixels(rng).convert("1"), "TIFF", compression="group4")),
        lambda: (".pgm", b"P5 %d %d 65535\n" % (SIDE, SIDE) + rng.bytes(2 * SIDE * SIDE)),
        lambda: (".tif", encoded(pixels(rng).convert("I"), "TIFF")),
    )[rng.randint(8)]()


def in_file(content):
    """A kind that writes what `content` gives."""

    def write(rng, directory, stem):
        suffix, data = content(rng)
        path = directory / f"{stem}{suffix}"
        path.write_bytes(data)
        return path

    return write


def odd_names(rng, directory, stem):
    """A good image by a name that some program reads as something else."""
    letters = "".join(LETTERS[i] for i in rng.randint(len(LETTERS), size=rng.randint(1, 12)))
    name = f"{letters.lstrip('.')}{stem}{'-' * 251 * rng.randint(2)}"
    name = os.fsdecode(os.fsencode(("-" * rng.randint(3)) + name)[:251])
    path = directory / f"{name}{('.png', '.PNG')[rng.randint(2)]}"
    os.fsencode(path)
    path.write_bytes(encoded(pixels(rng), "PNG"))
    return path


def no_files(rng, directory, stem):
    """What is no file: a directory, a link to nowhere or in a loop, a pipe, a socket."""
    path = directory / f"{stem}.png"
    kind = rng.randint(7)
    if kind == 0:
        path.symlink_to(f"nowhere-{stem}.png")
    elif kind == 1:
        path.symlink_to(path.name)
    elif kind == 2:
        path.symlink_to(f"{stem}.jpg")
        (directory / f"{stem}.jpg").symlink_to(path.name)
    elif kind == 3:
        os.mkfifo(path)
    elif kind == 4:
        name = os.open(directory, os.O_PATH)  # A socket's path is of 107 bytes at most.
        with socket.socket(socket.AF_UNIX) as found:
            found.bind(f"/proc/self/fd/{name}/{path.name}")
        os.close(name)
    elif kind == 5:
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(directory)
    return path


KINDS = {
    "truncated": (25, in_file(truncated)),
    "flipped": (20, in_file(flipped)),
    "flipped_head": (25, in_file(flipped_head)),
    "zeroed": (15, in_file(zeroed)),
    "wrong_suffix": (6, in_file(wrong_suffix)),
    "spliced": (14, in_file(spliced)),
    "appended": (8, in_file(appended)),
    "odd_sizes": (6, in_file(odd_sizes)),
    "bomb": (12, in_file(bomb)),
    "empty": (2, in_file(empty)),
    "head_only": (6, in_file(head_only)),
    "noise": (4, in_file(noise)),
    "text": (5, in_file(text)),
    "png_parts": (30, in_file(png_parts)),
    "tiff_tags": (30, in_file(tiff_tags)),
    "float_tiff": (3, in_file(float_tiff)),
    "bmp_heads": (20, in_file(bmp_heads)),
    "pnm_numbers": (12, in_file(pnm_numbers)),
    "webp_parts": (8, in_file(webp_parts)),
    "jpeg_markers": (24, in_file(jpeg_markers)),
    "palettes": (5, in_file(palettes)),
    "deep": (8, in_file(deep)),
    "odd_names": (20, odd_names),
    "no_files": (12, no_files),
}
"""By kind, how many there are, and what writes one: called with a random state, a directory and the
stem of its name, returns its path."""
