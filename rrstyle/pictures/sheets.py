"""Contact sheets: pictures side by side, with captions."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rrstyle.pictures.images import to_uint8

_GAP = 8  # pixels
_NARROWEST = 96  # a caption's numbers have to be whole, also above a narrow picture
_PAPER, _INK = (255, 255, 255), (40, 40, 40)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]], captions: Sequence[Sequence[str]] | None = None
) -> np.ndarray:
    """Pictures in rows on white, float32 in [0, 1]; they keep their size.

    Args:
        rows: Images (height, width, 3), float32 in [0, 1], of any sizes and numbers.
        captions: Text above each picture, in the layout of `rows`; lines too long for it are cut.
    """
    width = max(_NARROWEST, *(image.shape[1] for row in rows for image in row))
    font = ImageFont.load_default(size=max(10, min(16, width // 14)))
    line = round(sum(font.getmetrics())) if isinstance(font, ImageFont.FreeTypeFont) else 11
    texts = captions or [[""] * len(row) for row in rows]
    strips = [line * max(len(t.splitlines()) for t in row) for row in texts]
    heights = [max(image.shape[0] for image in row) for row in rows]
    columns = max(len(row) for row in rows)
    size = (columns * (width + _GAP) + _GAP, sum(strips) + sum(heights) + (len(rows) + 1) * _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, row_texts, strip, height in zip(rows, texts, strips, heights, strict=True):
        for column, (image, text) in enumerate(zip(row, row_texts, strict=True)):
            left = _GAP + column * (width + _GAP)
            for number, words in enumerate(text.splitlines()):
                draw.text((left, top + number * line), _cut(words, width, font), _INK, font)
            sheet.paste(Image.fromarray(to_uint8(image)), (left, top + strip))
        top += strip + height + _GAP
    return np.asarray(sheet, np.float32) / 255


def _cut(words: str, width: int, font) -> str:
    """The words, shortened until they are no wider than `width` pixels."""
    while len(words) > 1 and font.getlength(words) > width:
        words = words[:-2] + "…"
    return words
