"""Pictures in and out, the one module to import: read, check, resize, name and save.

A picture is a float32 array of shape (height, width, 3): RGB in [0, 1].
"""

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin
from scipy import sparse

from rrstyle.pictures.decoding import MAX_PIXELS, MAX_TEXT, decode, png_text, unit_rgb
from rrstyle.pictures.decoding import ImageError as ImageError  # callers name it from here
from rrstyle.pictures.files import Source, read_bytes

# Endings of the files in a folder that are taken for pictures.
_KINDS = ("png", "jpg", "jpeg", "webp", "heic", "heif", "avif", "gif", "bmp", "tif", "tiff", "npy")
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS)


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: float32 (height, width, 3), RGB in [0, 1].
        name: File name without its folder, for display; at most 100 characters, no control ones.
        notes: Conversions made on reading that the user should know of.
        alpha: float32 (height, width) in [0, 1], 0 where nothing is seen; None where all is opaque.
    """

    pixels: np.ndarray
    name: str
    notes: tuple[str, ...]
    alpha: np.ndarray | None = None


def has_picture_name(name: str) -> bool:
    """Whether a file of this bare name, found in a folder, is taken for a picture."""
    # Hidden files are other programs' (macOS keeps a "._cat.jpg" that is no JPEG beside cat.jpg).
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def read_image(source: Source, *, name: str | None = None) -> Picture:
    """Decodes a picture of `rrstyle.pictures.decoding.KINDS` or a .npy file.

    Args:
        source: Path, the file's bytes, or a binary stream, read from where it stands.
        name: Display name of the picture; never opened as a file.

    Returns:
        The picture, upright, over white and in sRGB; its pixels are a new array and nothing of the
        file's metadata is kept. Of several frames it is the first.

    Raises:
        ImageError: If the content is refused (kind, damage, size, values) or no file can have the
            path.
        OSError: If a path is missing, a folder or not readable; one line that names it.
    """
    data, label = read_bytes(source, name)
    pixels, alpha, notes = decode(data, label)
    return Picture(pixels, label, notes, alpha)


def as_image(array: Any, *, argument: str = "image") -> np.ndarray:
    """A new contiguous float32 array (height, width, 3) in [0, 1], of a checked picture.

    Args:
        array: uint8 in [0, 255] or float in [0, 1]; (height, width), (height, width, 1),
            (height, width, 3), or (height, width, 4), whose alpha is composited on white.
        argument: Name of the array in error messages.

    Raises:
        ValueError: If the shape or type is another, or values are not finite or out of range.
    """
    return unit_rgb(array, argument)[0]


def fit_within(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """The size, height and width, whose longest side is `side`, aspect kept to the nearest pixel.

    Raises:
        ValueError: If a number is below 1.
    """
    height, width = shape
    if min(height, width, side) < 1:
        raise ValueError(f"shape and side must be at least 1; received {shape} and {side}")
    longest = max(height, width)
    return max(1, round(height * side / longest)), max(1, round(width * side / longest))


def check_sides(
    size: tuple[int, int], least: int, argument: str, when: str = "", *, why: str = "this network"
) -> None:
    """Raises ValueError for an image size (height, width) with a side below `least` pixels."""
    height, width = size
    if min(size) < least:
        rule = f"{argument} is too small: at least {least} pixels a side for {why}"
        raise ValueError(f"{rule}; received {width} x {height}{when}")


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resamples with an anti-aliased Lanczos kernel of three lobes, as one sparse matrix an axis.

    These are Pillow's weights (equal to 1e-6 in mode "F"), applied several times faster.

    Args:
        image: float32 (height, width, 3) in [0, 1].
        size: Height and width of the result in pixels.

    Returns:
        float32 (*size, 3) in [0, 1]; `image` itself where the size already matches.

    Raises:
        ValueError: If the array has not 3 axes, or a size is below 1 or above MAX_PIXELS in all.
    """
    if image.ndim != 3:
        raise ValueError(f"image must be (height, width, 3); received shape {image.shape}")
    if min(size) < 1 or math.prod(size) > MAX_PIXELS:
        rule = f"size must be at least 1 x 1 and at most {MAX_PIXELS} pixels"
        raise ValueError(f"{rule}; received {size}")
    height, width, channels = image.shape
    if (height, width) == tuple(size):
        return image
    new_height, new_width = size
    # Rows first: they lie whole in memory, so the larger of the two products runs at full speed.
    rows = _lanczos(height, new_height) @ image.reshape(height, width * channels)
    columns = rows.reshape(new_height, width, channels).swapaxes(0, 1)
    out = _lanczos(width, new_width) @ columns.reshape(width, new_height * channels)
    out = out.reshape(new_width, new_height, channels).swapaxes(0, 1)
    return np.clip(out, 0, 1, dtype=np.float32, order="C")


def at_most(image: np.ndarray, side: int) -> np.ndarray:
    """A picture (height, width, 3) whose longer side is `side` pixels, or its own if smaller."""
    size = image.shape[:2]
    return resize(image, fit_within(size, min(side, max(size))))


def periodic(image: np.ndarray) -> np.ndarray:
    """A picture whose borders wrap around: near them it is faded into itself, moved by half.

    An axis along which the first and last pixels differ about as little as neighbours is left.
    """
    for axis in range(2):
        side = image.shape[axis]
        seam = np.abs(np.take(image, 0, axis) - np.take(image, -1, axis)).mean()
        if seam <= 2 * np.abs(np.diff(image, axis=axis)).mean():
            continue
        distance = (np.arange(side) + 0.5) / side  # from one border, as a share of the side
        share = np.minimum(1, 8 * np.minimum(distance, 1 - distance))
        share = np.sin(np.pi / 2 * share).astype(np.float32) ** 2
        share = share[:, None, None] if axis == 0 else share[:, None]
        image = share * image + (1 - share) * np.roll(image, side // 2, axis=axis)
    return image


@lru_cache(maxsize=64)
def _lanczos(old: int, new: int) -> sparse.csr_array:
    """The (new, old) matrix that resamples one axis; every row sums to 1."""
    scale = max(old / new, 1.0)  # a kernel that widens with the reduction is the anti-aliasing
    centres = (np.arange(new)[:, None] + 0.5) * (old / new)
    reach = math.ceil(3 * scale)
    source = np.floor(centres).astype(np.int64) + np.arange(-reach, reach + 1)
    offset = (source + 0.5 - centres) / scale
    inside = (np.abs(offset) < 3) & (source >= 0) & (source < old)
    weights = np.where(inside, np.sinc(offset) * np.sinc(offset / 3), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.nonzero(inside)[0]
    entries = weights[inside].astype(np.float32)
    return sparse.csr_array((entries, (rows, source[inside])), shape=(new, old))


def digest(image: np.ndarray) -> str:
    """SHA-256, in hexadecimal, of an image's shape and its pixels as float32."""
    pixels = np.asarray(image, "<f4") + np.float32(0)  # -0.0 becomes 0.0: equal pictures agree
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()


def to_uint8(image: np.ndarray) -> np.ndarray:
    """`round(255 image)`, halves to even: uint8 (height, width, 3) of anything `as_image` takes."""
    return np.rint(as_image(image) * np.float32(255)).astype(np.uint8)


def encode_png(
    image: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    text: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """An 8-bit RGB or RGBA PNG that carries `text` and no other metadata.

    Args:
        image: Array that `as_image` takes.
        alpha: Transparency, (height, width) of any size, in [0, 1].
        text: Keywords, 1 to 79 printable ASCII characters, to texts of at most 2^20 characters.

    Raises:
        ValueError: If `as_image` refuses the image, or PNG cannot hold a keyword or text.
    """
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        if not (0 < len(key) < 80 and key.isascii() and key.isprintable() and key == key.strip()):
            rule = "text keywords must be 1 to 79 printable ASCII characters"
            raise ValueError(f"{rule}; received {key!a}")
        writable = value.encode(errors="ignore").decode().replace("\0", "")
        if writable != value or len(value) > MAX_TEXT:
            raise ValueError(
                f"text must be valid Unicode without NUL, at most {MAX_TEXT} characters;"
                f" received {len(value)} under {key!a}"
            )
        info.add_itxt(key, value)
    stream = io.BytesIO()
    drawn = Image.fromarray(to_uint8(image))
    if alpha is not None:
        levels = Image.fromarray(np.rint(alpha * np.float32(255)).astype(np.uint8))
        drawn.putalpha(levels.resize(drawn.size, Image.Resampling.BILINEAR))
    drawn.save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def read_png_text(source: Source, key: str, *, name: str | None = None) -> str | None:
    """The text under a keyword in a PNG (tEXt, zTXt or iTXt before the pixels); None without one.

    Args:
        source, name: File and display name, see `read_image`.
        key: Keyword; of several texts it is the last.

    Raises:
        ImageError: If the file is not a PNG, is damaged, or the text exceeds 2^20 characters.
        OSError: If the path cannot be read.
    """
    data, label = read_bytes(source, name)
    return png_text(data, key, label)
