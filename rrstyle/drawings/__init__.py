"""Style pictures drawn by code; `rrstyle.examples` is their public face."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from rrstyle.drawings import painted, printed


class Drawing(NamedTuple):
    """A style picture: `draw` takes its side in pixels and the generator of its composition."""

    description: str
    draw: Callable[[int, np.random.Generator], Image.Image]


DRAWINGS = {
    "waves": Drawing(
        "a colour print of breaking waves with scalloped foam under a red sun", printed.waves
    ),
    "mosaic": Drawing(
        "a floor mosaic of a sun over a sea with fish, tesserae in courses", printed.mosaic
    ),
    "stained-glass": Drawing(
        "a rose window of jewel-coloured panes in lead", printed.stained_glass
    ),
    "brush-strokes": Drawing(
        "a fauve landscape in loaded, lit bristle strokes", painted.brush_strokes
    ),
    "hatching": Drawing(
        "a still life of balls on a checked cloth, in coloured washes and hatched inks",
        painted.hatching,
    ),
    "marbling": Drawing(
        "marbled paper: ink drops combed both ways, then swirled", printed.marbling
    ),
    "woodcut": Drawing(
        "a woodcut of a rayed sun, mountains, a lake and firs, black over flat colours",
        printed.woodcut,
    ),
    "pointillism": Drawing(
        "a park by the water in divided dots of pure colour", painted.pointillism
    ),
    "starry-swirls": Drawing(
        "a night sky of vortices and haloed stars, in dashes along the flow", painted.starry_swirls
    ),
}
