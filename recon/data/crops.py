"""A picture's file turned into one square of training pixels.

Ordinary pictures (8-bit grey or RGB in JPEG or PNG, without transparency, in sRGB) are decoded by
many threads at once, all others one at a time by `rrstyle.pictures.decoding`. Both ways give the
same pixels, but a JPEG much larger than what is wanted of it is decoded at a half, a quarter or an
eighth of its size, as far as it stays twice as large as needed.
"""

import io
import struct
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from rrstyle.pictures.decoding import MAX_PIXELS, decode
from rrstyle.pictures.files import read_bytes

# The triangle, widened with the reduction, in half the time of Lanczos: that is twice decoding's.
_FILTER = Image.Resampling.BILINEAR
_SPARE = 2  # times as large as needed is how a JPEG comes out of its decoder, at least

_PNG = b"\x89PNG\r\n\x1a\n"
_T = Image.Transpose
_TURNS = {2: _T.FLIP_LEFT_RIGHT, 3: _T.ROTATE_180, 4: _T.FLIP_TOP_BOTTOM, 5: _T.TRANSPOSE}
_TURNS |= {6: _T.ROTATE_270, 7: _T.TRANSVERSE, 8: _T.ROTATE_90}


@dataclass(frozen=True)
class Cut:
    """Where a square is cut from a picture.

    A shorter side above `resize` is brought to that, one below `crop` to `crop`.
    """

    crop: int  # side of the square in pixels, at least 1
    resize: int  # the shorter side of a picture before it is cut, at least `crop`

    def scaled(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a picture is brought to, each at least `crop`."""
        shorter = min(width, height)
        target = min(max(shorter, self.crop), self.resize)
        # In whole numbers, halves up: a float could round another way on another machine.
        across, down = ((2 * s * target + shorter) // (2 * shorter) for s in (width, height))
        return across, down


def read_square(
    path: str, cut: Cut, across: float | None = None, down: float | None = None, flip: bool = False
) -> np.ndarray:
    """Reads a file and cuts a square out of it; floats and 16-bit values are rounded to 8 bits.

    The file is one that `rrstyle.pictures.images.read_image` takes. `across` and `down`, in [0, 1),
    place the square from left and from top, None in the middle; `flip` mirrors it.

    Returns:
        uint8 (crop, crop, 3), or (crop, crop, 1) of a picture without colours.

    Raises:
        ImageError: If the content is refused.
        OSError: If the file cannot be read.
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a Path costs more than reading a thumbnail
            found = _ordinary(stream.read(), cut.resize)
    except Exception:  # the careful way says what is wrong with it
        found = None
    if found is None:
        pixels, _, _ = decode(*read_bytes(path))
        image = Image.fromarray(np.rint(pixels * np.float32(255)).astype(np.uint8))
        found = _Opened(image, image.size)
    square = np.asarray(_square(found, cut, across, down)).reshape(cut.crop, cut.crop, -1)
    return square[:, ::-1] if flip else square


class _Opened(NamedTuple):
    """A picture, perhaps shrunk by its decoder, and then up to a pixel beyond its edge."""

    image: Image.Image
    size: tuple[int, int]  # width and height in the file, upright
    shrunk: int = 1  # how many of the file's pixels go into one of the image's, along a side
    beyond: tuple[bool, bool] = (False, False)  # to the left instead of right, above, not below


def _square(opened: _Opened, cut: Cut, across: float | None, down: float | None) -> Image.Image:
    image = opened.image
    width, height = cut.scaled(*opened.size)
    left, top = _offset(width - cut.crop, across), _offset(height - cut.crop, down)
    if (width, height) == image.size:
        return image.crop((left, top, left + cut.crop, top + cut.crop))
    # Only what is cut is resampled; the filter still sees the pixels around it.
    spans = []
    for axis, (size, first) in enumerate(((width, left), (height, top))):
        exact = opened.size[axis] / opened.shrunk
        scale = exact / size
        start = image.size[axis] - exact if opened.beyond[axis] else 0.0
        end = min(start + (first + cut.crop) * scale, image.size[axis])
        spans.append((start + first * scale, end))
    (x0, x1), (y0, y1) = spans
    return image.resize((cut.crop, cut.crop), _FILTER, box=(x0, y0, x1, y1))


def _offset(room: int, place: float | None) -> int:
    """One of 0, ..., `room`, all equally likely where `place` is uniform in [0, 1)."""
    return room // 2 if place is None else int(place * (room + 1))


def _ordinary(data: bytes, needed: int) -> _Opened | None:
    """An ordinary picture, upright; None if it is another."""
    # Nothing here can warn: catching warnings is no thread's own business.
    if data.startswith(b"\xff\xd8\xff"):
        return _ordinary_jpeg(data, needed)
    return _ordinary_png(data) if data.startswith(_PNG) else None


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG whose EXIF is not parsed on opening, for its resolution, with a warning if odd."""

    def getexif(self) -> Image.Exif:
        """Nothing: `_orientation` reads the only entry that matters."""
        return Image.Exif()


def _ordinary_jpeg(data: bytes, needed: int) -> _Opened | None:
    image: Image.Image = _Jpeg(io.BytesIO(data))
    width, height = image.size
    if image.mode not in ("L", "RGB") or width * height > MAX_PIXELS or not _is_srgb(image):
        return None
    turn = _orientation(image.info.get("exif", b""))
    if turn is None and b"tiff:Orientation" in image.info.get("xmp", b""):
        return None
    drafted = image.draft(None, (_SPARE * needed, _SPARE * needed))
    shrunk = round(width / drafted[1][2]) if drafted else 1
    image.load()
    if turn not in _TURNS:
        return _Opened(image, (width, height), shrunk)
    size = (height, width) if turn in (5, 6, 7, 8) else (width, height)
    beyond = turn in (2, 3, 6, 7), turn in (3, 4, 7, 8)
    return _Opened(image.transpose(_TURNS[turn]), size, shrunk, beyond)


def _ordinary_png(data: bytes) -> _Opened | None:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    animated = b"acTL" in data[: data.find(b"IDAT")]
    if bits != 8 or colour not in (0, 2) or animated or width * height > MAX_PIXELS:
        return None
    with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
        image.verify()  # loading overlooks a bad checksum and a missing end
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    image.load()
    turned = any("exif" in str(key) or "xmp" in str(key) for key in image.info)
    if "transparency" in image.info or turned or not _is_srgb(image):
        return None
    return _Opened(image, image.size)


def _is_srgb(image: Image.Image) -> bool:
    """Whether the pixels can be taken as they are; grey ones always can."""
    profile = image.info.get("icc_profile")
    return image.mode == "L" or not profile or _names_srgb(profile)


@lru_cache(maxsize=64)  # the same few profiles are in nearly all files
def _names_srgb(icc_profile: bytes) -> bool:
    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)).profile
    except Exception:  # a profile that cannot be read is none
        return True
    return "sRGB" in (profile.profile_description or "") or profile.xcolor_space != "RGB "


def _orientation(exif: bytes) -> int | None:
    """The orientation in a JPEG's EXIF, None where there is none that can be read."""
    tiff = exif[6:]  # behind "Exif\0\0"
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
    if not order:
        return None
    with suppress(struct.error):
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
            if tag == 274 and kind == 3:
                return value
    return None
