"""Pictures side by side with captions, as one picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 8  # pixels
_LINE = 14
_SIZE = 12  # of the letters


def side_by_side(images: Sequence[np.ndarray], captions: Sequence[Sequence[str]]) -> np.ndarray:
    """Pictures of one height in a row on white, a few lines below each.

    Args:
        images: float32 (height, width, 3) in [0, 1], of one height.
        captions: The lines below each; a line too long for its place is cut.

    Returns:
        uint8 (height + strip, total width, 3).
    """
    font = ImageFont.load_default(_SIZE)
    # A caption's numbers must be whole, also below a narrow picture; a picture's name need not.
    needed = max(font.getlength(f"{name} 0.0000") for name in ("SSIM", "Pearson undefined"))
    columns = [max(image.shape[1], round(needed)) for image in images]
    height = images[0].shape[0]
    strip = _LINE * max(map(len, captions)) + _GAP
    width = sum(columns) + _GAP * (len(images) - 1)
    panel = Image.new("RGB", (width, height + strip), "white")
    draw = ImageDraw.Draw(panel)
    left = 0
    for image, lines, column in zip(images, captions, columns, strict=True):
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        panel.paste(Image.fromarray(pixels), (left, 0))
        for number, line in enumerate(lines):
            fitting = _cut(line, column, font)
            draw.text((left, height + _GAP // 2 + _LINE * number), fitting, "black", font)
        left += column + _GAP
    return np.asarray(panel)


def _cut(line: str, width: int, font) -> str:
    while font.getlength(line) > width:
        line = line[:-2] + "…"
    return line
