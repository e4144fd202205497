"""Style pictures drawn by code; `rrstyle.examples` is their public face.

Each drawing takes the side to draw at and a random generator, and returns an RGB image of that
side.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from rrstyle.drawings import painted, printed

Drawing = Callable[[int, np.random.Generator], Image.Image]

DRAWINGS: dict[str, Drawing] = {
    "waves": printed.waves,
    "mosaic": printed.mosaic,
    "stained-glass": printed.stained_glass,
    "brush-strokes": painted.brush_strokes,
    "hatching": painted.hatching,
    "marbling": printed.marbling,
    "woodcut": printed.woodcut,
    "pointillism": painted.pointillism,
    "starry-swirls": painted.starry_swirls,
}
