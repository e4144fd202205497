"""What the server keeps of an upload: its picture as a PNG, never the bytes that came.

An uploaded file may hold a location (EXIF), another file behind the picture, or no picture at all.
What is kept has the pixels (8 bits a channel, upright, on white), the recipe if there was one, and
the notes of the decoder.
"""

import io
import json
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from apps.errors import explain
from rrstyle import examples
from rrstyle.durable import write_whole
from rrstyle.pictures import images
from rrstyle.recipes import TEXT_KEY

BUILT_IN = examples.PHOTOGRAPHS + examples.STYLES

_REFUSAL, _NOTES = "rrstyle-refusal", "rrstyle-notes"

# A decoded picture of 64 megapixels takes 0.8 GB, and decoding it twice that: one at a time.
_decoding = threading.Lock()

_digests: dict[str, str] = {}  # of built-in pictures, by name


def keep(source: Path, folder: Path) -> Path:
    """Keeps the picture of an uploaded file.

    Of a refused file a picture of the error line is kept: its client sees it in the preview, and
    gets the line as the error of whatever the file is used for.

    Returns:
        The PNG, in `folder`.
    """
    text = {}
    with _decoding:
        try:
            picture = images.read_image(source)
            pixels = images.to_uint8(picture.pixels)
            if recipe := _text(source, TEXT_KEY):
                text[TEXT_KEY] = recipe
            if picture.notes:
                text[_NOTES] = json.dumps(picture.notes)
        except (ValueError, OSError) as error:
            text[_REFUSAL] = explain(error)
            pixels = _drawn(text[_REFUSAL])
        data = _encode(pixels, text)
    path = folder / "picture.png"
    write_whole(path, data)
    return path


def refusal(path: Path) -> str | None:
    """The error line of a refused upload; None for another."""
    return _text(path, _REFUSAL)


def notes(path: Path) -> tuple[str, ...]:
    """The decoder's notes on an upload."""
    return tuple(json.loads(_text(path, _NOTES) or "[]"))


def read_picture(path: Path, name: str) -> images.Picture:
    """A kept picture under its client's name for it; a built-in one under its built-in name.

    The recipe of a picture made from built-in ones can then be followed without any file.

    Raises:
        ValueError, OSError: As `rrstyle.pictures.images.read_image`.
    """
    with _decoding:
        if line := refusal(path):
            raise images.ImageError(line)
        picture = images.read_image(path, name=name)
    stem = picture.name.removesuffix(".png")
    if stem in BUILT_IN and is_built_in(stem, images.digest(picture.pixels)):
        picture = replace(picture, name=stem)
    return replace(picture, notes=picture.notes + notes(path))


def is_built_in(name: str, digest: str) -> bool:
    """Whether the built-in picture `name` exists and has this digest."""
    if name not in BUILT_IN:
        return False
    if name not in _digests:
        remember_built_in(name, examples.example(name))
    return _digests[name] == digest


def remember_built_in(name: str, pixels: np.ndarray) -> None:
    """Makes a built-in picture known, so that it is not drawn again to be recognised."""
    _digests[name] = images.digest(pixels)


def _text(path: Path, key: str) -> str | None:
    try:
        return images.read_png_text(path, key)
    except images.ImageError:  # another kind of picture
        return None


def _encode(pixels: np.ndarray, text: dict[str, str]) -> bytes:
    """As `rrstyle.pictures.images.encode_png`, but fast: it is read once or twice, then deleted."""
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=info, compress_level=1)
    return stream.getvalue()


def _drawn(line: str) -> np.ndarray:
    """A picture of a line of text."""
    rows = textwrap.wrap(line, 38)
    card = Image.new("RGB", (480, 40 + 24 * len(rows)), "white")
    ImageDraw.Draw(card).multiline_text((20, 16), "\n".join(rows), fill="black", font_size=18)
    return np.asarray(card)
