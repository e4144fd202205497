"""What the server keeps of an upload: its picture as a PNG, never the bytes that came.

A file that came may hold a place (EXIF), another file behind the picture, or nothing that is a
picture. What is kept holds pixels (8 bits a channel, upright, on white), a recipe if there was
one, and what a person should know.
"""

import io
import json
import threading
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from apps.errors import explain
from rrstyle.durable import write_whole
from rrstyle.pictures import images
from rrstyle.recipes import TEXT_KEY

_REFUSAL, _NOTES = "rrstyle-refusal", "rrstyle-notes"

# A decoded picture of 64 megapixels takes 0.8 GB, and decoding it twice that: one at a time.
decoding = threading.Lock()


def keep(source: Path, folder: Path) -> Path:
    """Keeps the picture of a file that came.

    A file that is refused is kept as a picture of the refusal, so that its client reads it in the
    preview, and as the error of whatever it is used for.

    Args:
        source: The file; its name is only shown.
        folder: Folder of its own.

    Returns:
        The PNG.
    """
    text = {}
    with decoding:
        try:
            picture = images.read_image(source)
            pixels = images.to_uint8(picture.pixels)
            if recipe := _recipe(source):
                text[TEXT_KEY] = recipe
            if picture.notes:
                text[_NOTES] = json.dumps(picture.notes)
        except (ValueError, OSError) as error:
            text[_REFUSAL] = explain(error)
            pixels = _written(text[_REFUSAL])
        data = _encode(pixels, text)
    path = folder / "picture.png"
    write_whole(path, data)
    return path


def refusal(path: Path) -> str | None:
    """Why an upload was refused, in a line; None where it was not."""
    return _text(path, _REFUSAL)


def notes(path: Path) -> tuple[str, ...]:
    """What was done to an upload that a person should know."""
    return tuple(json.loads(_text(path, _NOTES) or "[]"))


def _recipe(source: Path) -> str | None:
    try:
        return images.read_png_text(source, TEXT_KEY)
    except images.ImageError:  # another kind of picture
        return None


def _text(path: Path, key: str) -> str | None:
    try:
        return images.read_png_text(path, key)
    except images.ImageError:
        return None


def _encode(pixels: np.ndarray, text: dict[str, str]) -> bytes:
    """As `rrstyle.pictures.images.encode_png`, but fast: it is read once or twice, then deleted."""
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=info, compress_level=1)
    return stream.getvalue()


def _written(line: str) -> np.ndarray:
    """A picture of a line of text."""
    words, rows = line.split(), [""]
    for word in words:
        if len(rows[-1]) + len(word) > 38:
            rows.append("")
        rows[-1] += f"{word[:40]} "
    card = Image.new("RGB", (480, 40 + 24 * len(rows)), "white")
    ImageDraw.Draw(card).multiline_text((20, 16), "\n".join(rows), fill="black", font_size=18)
    return np.asarray(card)
