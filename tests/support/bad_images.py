"""Builders of odd picture files, byte by byte where no library would write them; damage of any."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

LOSSLESS: dict[str, dict[str, Any]] = {
    "HEIC": {"quality": -1, "chroma": 444, "matrix_coefficients": 0},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}
pillow_heif.register_heif_opener()  # to write it; what reads pictures asks for no plugins
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 0, extra: bytes = b""
) -> bytes:
    """A PNG of raw rows (each begins with its filter byte); `extra` chunks stand before IDAT."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return PNG_MAGIC + header + extra + pixels + chunk(b"IEND", b"")


def png_header_only(width: int, height: int) -> bytes:
    """65 bytes or so that announce any size."""
    return png(width, height, b"")


def png16(values: np.ndarray, *, extra: bytes = b"") -> bytes:
    """A 16-bit PNG of (h, w) grey or (h, w, 2/3/4) values."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], rows, depth=16, colour=colour, extra=extra)


def bomb(width: int, height: int) -> bytes:
    """A whole one-bit picture of many pixels in few bytes."""
    return png(width, height, bytes((width + 7) // 8 + 1) * height, depth=1)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """What Pillow writes."""
    stream = io.BytesIO()
    image.save(stream, "HEIF" if kind == "HEIC" else kind, **options)
    return stream.getvalue()


def plain(mode: str = "RGB", colour: Any = RED, size: tuple[int, int] = (4, 3)) -> Image.Image:
    return Image.new(mode, size, colour)


def noise(height: int, width: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def animated(kind: str, **options: Any) -> bytes:
    """Three frames: red, green, blue."""
    frames = [plain(colour=colour) for colour in (RED, GREEN, BLUE)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def oriented(pixels: np.ndarray, orientation: int, kind: str) -> bytes:
    """A picture that asks to be turned."""
    exif = Image.Exif()
    exif[274] = orientation
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else LOSSLESS.get(kind, {})
    return saved(Image.fromarray(pixels), kind, exif=exif.tobytes(), **options)


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """A file cut off somewhere, or with one to seven other bytes."""
    if rng.integers(2):
        return whole[: rng.integers(len(whole))]
    data = np.frombuffer(whole, np.uint8).copy()
    data[rng.integers(len(data), size=rng.integers(1, 8))] ^= rng.integers(1, 256, dtype=np.uint8)
    return data.tobytes()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npy_header_only(shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def tiff(
    values: np.ndarray, *, bits: int, sample_format: int = 1, white_is_zero: bool = False
) -> bytes:
    """An uncompressed little-endian one-strip grey TIFF of the given packed samples."""
    body = values.tobytes()
    height, width = values.shape
    tags = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8 + 2 + 10 * 12 + 4),
        (277, 3, 1),
        (278, 3, height),
        (279, 4, len(body)),
        (339, 3, sample_format),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + body


TEXTS = {
    "empty": b"",
    "text": b"hello, this is no picture",
    "html": b"<!doctype html><script>alert('echo')</script>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "pdf": b"%PDF-1.7\n1 0 obj\n",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(echo) print\n",
    "zip": b"PK\x03\x04" + bytes(40),
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00echo.",
}
