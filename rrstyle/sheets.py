"""Contact sheets: pictures side by side, with captions."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rrstyle.images import to_uint8

_GAP = 8
_PAPER, _INK = 255, 40


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]], captions: Sequence[Sequence[str]] | None = None
) -> np.ndarray:
    """Pictures in rows on white.

    Args:
        rows: Images (height, width, 3), float32 in [0, 1], of any sizes; rows may differ in
            length.
        captions: A line above each picture, of the same layout as `rows`.

    Returns:
        float32 image in [0, 1].
    """
    width = max(image.shape[1] for row in rows for image in row)
    points = max(10, min(18, width // 14))
    font = ImageFont.load_default(size=points)
    caption_height = 0 if captions is None else round(1.6 * points)
    columns = max(len(row) for row in rows)
    heights = [max(image.shape[0] for image in row) + caption_height for row in rows]
    size = (columns * (width + _GAP) + _GAP, sum(heights) + (len(rows) + 1) * _GAP)
    sheet = Image.new("RGB", size, (_PAPER,) * 3)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            left = _GAP + x * (width + _GAP)
            if captions is not None:
                draw.text((left, top), _fit(captions[y][x], font, width), (_INK,) * 3, font)
            sheet.paste(Image.fromarray(to_uint8(image)), (left, top + caption_height))
        top += heights[y] + _GAP
    return np.asarray(sheet, np.float32) / 255


def _fit(text: str, font, width: int) -> str:
    """`text`, shortened until it is no wider than `width` pixels."""
    while text and font.getlength(text) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text
