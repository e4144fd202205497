"""Bytes to pixels: a fixed list of decoders, with sizes checked before pixels are decoded.

Files are not trusted.
"""

import io
import logging
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImageFile

from rrstyle.pictures.libtiff import errors_raised

MAX_PIXELS = 64_000_000  # height times width
MAX_TEXT = 2**20  # characters of a text inside a PNG

KINDS = "PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF"

_MAGICS: dict[str, tuple[bytes, ...]] = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "npy": (b"\x93NUMPY",),
    "GIF": (b"GIF8",),
}

# The decoders' own classes, not Image.open, which uses every registered plugin and warns of huge
# pictures before our own limit is checked.
_DECODERS: dict[str, Callable[[Any, str], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.jpeg_factory,  # also hands out phones' MPO files
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "HEIC": HeifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
# Brands in the first box of a file of ISO's base media format, which videos have too.
_BRANDS = {
    "AVIF": {b"avif", b"avis"},
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"},
}

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or it prints what it raises as well

_QUIET = threading.Lock()  # warnings.catch_warnings is not thread-safe


class ImageError(ValueError):
    """A picture that cannot be used; its message is one line for people."""


def refusal(label: str, wrong: str, rule: str, received: Any) -> ImageError:
    """The error of a file or array: what is wrong, the rule or what to do, and what came."""
    return ImageError(f"{label}: {wrong}; {rule}; received {received}")


def decode(data: bytes, label: str) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Decodes a file of KINDS or a .npy file, named `label` in errors.

    Returns:
        New float32 pixels (height, width, 3) in [0, 1], upright and over white, their alpha as
        `unit_rgb` has it, and notes on what was done to them.

    Raises:
        ImageError: If the kind is another, or the file is damaged, too large, fully transparent or
            has unfit values.
    """
    kind = _kind_of(data)
    notes: list[str] = []
    if kind == "npy":
        array = _decode_npy(data, label)
    elif kind in _DECODERS:
        array, notes = _decode_file(kind, data, label)
    else:
        raise refusal(label, f"not a {KINDS} image", "save it as PNG", f"{len(data)} bytes")
    pixels, alpha = unit_rgb(array, label)
    if alpha is not None:
        notes.append("transparency composited on white")
        if not alpha.any():
            rule = "a picture must not be fully transparent"
            came = f"{alpha.shape[1]} x {alpha.shape[0]} transparent pixels"
            raise refusal(label, "nothing can be seen of it", rule, came)
    return pixels, alpha, tuple(notes)


def unit_rgb(array: Any, argument: str) -> tuple[np.ndarray, np.ndarray | None]:
    """What `rrstyle.pictures.images.as_image` returns, and the alpha (height, width) in [0, 1].

    The alpha is None where no pixel is transparent.
    """
    values = np.asarray(array)
    if (
        values.ndim not in (2, 3)
        or 0 in values.shape
        or (values.ndim == 3 and values.shape[2] not in (1, 3, 4))
        or not (values.dtype == np.uint8 or values.dtype.kind == "f")
    ):
        rule = (
            "uint8 or float of shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), h and w at least 1"
        )
        came = f"{values.dtype.name} of shape {values.shape}"
        raise refusal(argument, "not a picture", rule, came)
    if values.dtype == np.uint8:
        unit = np.divide(values, np.float32(255), dtype=np.float32)
    else:
        low, high = values.min(), values.max()
        if not (low >= 0 and high <= 1):  # also where a NaN makes both NaN
            rule = "float values must be finite and in [0, 1]"
            raise refusal(argument, "values out of range", rule, f"{low:g} to {high:g}")
        unit = values.astype(np.float32)
    if unit.ndim == 2 or unit.shape[2] == 1:
        return np.repeat(unit.reshape(*unit.shape[:2], 1), 3, axis=2), None
    if unit.shape[2] == 3:
        return np.ascontiguousarray(unit), None
    alpha = unit[..., 3:]
    over_white = np.clip(unit[..., :3] * alpha + (1 - alpha), 0, 1)
    return over_white, alpha[..., 0].copy() if alpha.min() < 1 else None


def png_text(data: bytes, key: str, label: str) -> str | None:
    """The text under `key` in a PNG, as `rrstyle.pictures.images.read_png_text` describes."""
    if _kind_of(data) != "PNG":
        raise refusal(label, "not a PNG", "only a PNG holds texts", f"{len(data)} bytes")
    with _damage_named("PNG", data, label), PngImagePlugin.PngImageFile(io.BytesIO(data)) as im:
        text = im.info.get(key)
        im.verify()
    if not isinstance(text, str):  # Pillow keeps the resolution and the like beside the texts
        return None
    if len(text) > MAX_TEXT:
        raise refusal(label, "its text is too long", f"at most {MAX_TEXT} characters", len(text))
    return text


def _kind_of(data: bytes) -> str:
    """The kind of file that the first bytes announce; "" if it is unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[at : at + 4] for at in range(8, end, 4)}
        return next((kind for kind, known in _BRANDS.items() if brands & known), "")
    return next((kind for kind, magics in _MAGICS.items() if data.startswith(magics)), "")


def _check_size(width: int, height: int, label: str) -> None:
    """Refuses empty and too large pictures before any pixel is decoded."""
    if not 0 < width * height <= MAX_PIXELS:
        wrong = f"the picture is {'too large' if width * height else 'empty'}"
        raise refusal(label, wrong, f"1 to {MAX_PIXELS} pixels in all", f"{width} x {height}")


@contextmanager
def _damage_named(kind: str, data: bytes, label: str) -> Iterator[None]:
    """Runs a decoder without its warnings; whatever it raises means that the file is damaged."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with errors_raised():
                yield
        except ImageError:
            raise
        except Exception as error:  # of many kinds, as fuzzing shows
            wrong, came = "the file is incomplete or damaged", f"a {kind} file of {len(data)} bytes"
            raise refusal(label, wrong, "save it again as PNG", came) from error


def _decode_npy(data: bytes, label: str) -> np.ndarray:
    """A view of a .npy file's bytes: nothing is allocated, and no pickle is ever loaded."""
    with _damage_named("npy", data, label):
        stream = io.BytesIO(data)
        if np.lib.format.read_magic(stream) != (1, 0):  # the others are for long records
            raise ValueError("version")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.hasobject:
            raise refusal(label, "it holds objects", "numbers only", f"type {dtype.name}")
        if len(shape) > 1:
            _check_size(shape[1], shape[0], label)
        values = np.frombuffer(data, dtype, offset=stream.tell())
        return values.reshape(shape, order="F" if fortran_order else "C")


def _decode_file(kind: str, data: bytes, label: str) -> tuple[np.ndarray, list[str]]:
    """The first picture in a file, upright, as an array that `unit_rgb` takes; and notes."""
    notes = []
    with _damage_named(kind, data, label):
        bits = 8
        if kind == "PNG":
            width, height, bits = struct.unpack_from(">IIB", data, 16)
            _check_size(width, height, label)  # Pillow hides the size of the 0 x 10 it refuses
            with PngImagePlugin.PngImageFile(io.BytesIO(data)) as im:
                im.verify()  # loading overlooks a bad checksum and a missing end
        if kind == "GIF":
            width, height = struct.unpack_from("<HH", data, 6)
            _check_size(width, height, label)
        with _DECODERS[kind](io.BytesIO(data), "") as im:
            _check_size(*im.size, label)
            if getattr(im, "is_animated", False):
                # Pages of a TIFF and frames of a GIF are counted only by parsing them all.
                count = "several" if kind in ("TIFF", "GIF") else getattr(im, "n_frames", "several")
                notes.append(f"first of {count} frames used")
            im.load()
            _check_size(*im.size, label)  # HEIC's may turn out to be another
            if im.mode.startswith("I"):
                array = _unit_from_16_bits(im, label)
                notes.append("16-bit values rescaled")
            elif im.mode == "F":
                array = np.asarray(im)
            else:
                colours = _colours(im, bits, label)
                converted = _to_srgb(colours)
                array = np.asarray(converted)
                if converted is not colours:
                    notes.append("colours converted to sRGB")
                if bits == 16:  # Pillow has no mode for them and keeps each value's upper byte
                    notes.append("16-bit colour read at 8 bits a channel")
            return _upright(array, im), notes


def _unit_from_16_bits(im: Image.Image, label: str) -> np.ndarray:
    """Grey of 16 bits in [0, 1]; what is stored in 32 bits must fit 16."""
    tags = getattr(im, "tag_v2", {})
    if tags.get(262) == 0 or 12 in tags.get(258, ()):  # Pillow reads one inverted, one too dark
        wrong, came = "this kind of TIFF is not supported", "12-bit or white-is-zero grey"
        raise refusal(label, wrong, "save it as PNG", came)
    values = np.asarray(im, np.float32)
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        came = f"{low:.0f} to {high:.0f}"
        raise refusal(label, "its values do not fit 16 bits", "0 to 65535", came)
    grey = values / np.float32(65535)
    key = im.info.get("transparency")
    return grey if key is None else np.stack([grey, grey, grey, values != key], axis=-1)


def _colours(im: Image.Image, bits: int, label: str) -> Image.Image:
    """Any 8-bit mode as grey, RGB or RGBA."""
    if im.mode not in ("1", "L", "P", "RGB", "LA", "PA", "RGBA", "CMYK", "YCbCr"):
        raise refusal(label, "this colour space is not supported", "save it as RGB", im.mode)
    key = im.info.get("transparency")  # Pillow scales the pixels to 8 bits, not the key
    if im.mode == "L" and bits in (2, 4) and key is not None:
        im.info["transparency"] = key * 255 // (2**bits - 1)
    elif im.mode == "RGB" and bits == 16 and key is not None:
        im.info["transparency"] = tuple(value >> 8 for value in key)
    if im.has_transparency_data:
        return im.convert("RGBA")
    return im if im.mode in ("L", "RGB") else im.convert("RGB")


def _to_srgb(im: Image.Image) -> Image.Image:
    """RGB of another space, such as a phone's Display P3, as sRGB; the same image where it is."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(im.info["icc_profile"]))
        ours = "sRGB" in (profile.profile.profile_description or "")
        if ours or im.mode == "L" or profile.profile.xcolor_space != "RGB ":
            return im
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(im, profile, srgb) or im
    except Exception:  # no profile, or none that can be read: the pixels still can
        return im


def _upright(array: np.ndarray, im: Image.Image) -> np.ndarray:
    """Undoes an EXIF orientation, 1 to 8: 5 to 8 swap the axes, the rest is mirroring."""
    try:
        orientation = im.getexif().get(274)
    except Exception:  # an EXIF that cannot be read: the pixels still can
        return array
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array
