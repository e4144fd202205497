"""Example pictures that need no download: photographs from scikit-image and drawn styles.

The photographs are read from the scikit-image wheel. The styles are drawn by `rrstyle.drawings`
at any size and from any seed, so an example transfer runs on a machine without a network.
"""

import difflib
import operator
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from rrstyle.drawings import DRAWINGS

SMALLEST_SIDE, LARGEST_SIDE = 16, 4096
# Below this side the thinnest strokes would vanish, so small pictures are drawn here and reduced.
SMALLEST_CANVAS = 512


class _Source(NamedTuple):
    load: Callable[[], Any]
    description: str


_PHOTOGRAPHS = {
    "chelsea": _Source(
        data.chelsea, "Chelsea the cat, 300x451, by Stefan van der Walt (CC0; scikit-image)"
    ),
    "astronaut": _Source(
        data.astronaut, "Eileen Collins, 512x512, by NASA (public domain; scikit-image)"
    ),
    "coffee": _Source(
        data.coffee, "a cup of coffee, 400x600, by Rachel Michetti (CC0; scikit-image)"
    ),
    "rocket": _Source(
        data.rocket, "Falcon 9 at its launch site, 427x640, by SpaceX (public domain; scikit-image)"
    ),
}

PHOTOGRAPHS: tuple[str, ...] = tuple(_PHOTOGRAPHS)
STYLES: tuple[str, ...] = tuple(DRAWINGS)

_STYLE_DESCRIPTIONS = {
    "waves": "a colour print of breaking waves with scalloped foam under a red sun",
    "mosaic": "a floor mosaic of a sun over a sea with fish, tesserae in courses",
    "stained-glass": "a rose window of jewel-coloured panes in lead",
    "brush-strokes": "a fauve landscape in loaded, lit bristle strokes",
    "hatching": "a still life of balls on a checked cloth, in coloured washes and hatched inks",
    "marbling": "marbled paper: ink drops combed both ways, then swirled",
    "woodcut": "a woodcut of a rayed sun, mountains, a lake and firs, black over flat colours",
    "pointillism": "a park by the water in divided dots of pure colour",
    "starry-swirls": "a night sky of vortices and haloed stars, in dashes along the flow",
}


def photograph(name: str) -> NDArray[np.float32]:
    """A built-in photograph, read from the scikit-image wheel without any download.

    Sources and terms, as scikit-image documents them: "chelsea" by Stefan van der Walt, CC0;
    "coffee" by Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0; "astronaut" from the NASA
    Great Images database and "rocket" by SpaceX, both in the public domain.

    Args:
        name: One of `PHOTOGRAPHS`.

    Returns:
        RGB in [0, 1], float32, (height, width, 3), a new array at every call.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in _PHOTOGRAPHS:
        raise ValueError(_unknown("photograph", name, PHOTOGRAPHS))
    return np.asarray(_PHOTOGRAPHS[name].load(), np.float32) / np.float32(255)


def style_picture(name: str, *, side: int = 512, seed: int = 0) -> NDArray[np.float32]:
    """A style picture drawn by code.

    The same name and seed give the same composition at every side, and the same pixels at the
    same side; another seed gives another composition and a variation of the palette.

    Args:
        name: One of `STYLES`.
        side: Height and width in pixels, 16 to 4096.
        seed: Any integer from 0 upwards.

    Returns:
        RGB in [0, 1], float32, (side, side, 3).

    Raises:
        ValueError: If the name is unknown, or the side or the seed is out of range.
        TypeError: If the side or the seed is not an integer.
    """
    if name not in DRAWINGS:
        raise ValueError(_unknown("style", name, STYLES))
    side, seed = operator.index(side), operator.index(seed)
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise ValueError(f"side must be from {SMALLEST_SIDE} to {LARGEST_SIDE}, got {side}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    # Drawn at twice the side for smooth edges, as far as memory allows.
    canvas_side = max(SMALLEST_CANVAS, side, min(2 * side, LARGEST_SIDE))
    # The name belongs to the entropy: two styles of one seed share no random numbers.
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    drawn = DRAWINGS[name](canvas_side, rng)
    reduced = drawn.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(reduced, np.float32) / np.float32(255)


def example(name: str) -> NDArray[np.float32]:
    """A photograph or a style picture (512 x 512, seed 0), by name.

    Args:
        name: One of `PHOTOGRAPHS` or `STYLES`.

    Returns:
        RGB in [0, 1], float32, (height, width, 3).

    Raises:
        ValueError: If the name is unknown.
    """
    if name in _PHOTOGRAPHS:
        return photograph(name)
    if name in DRAWINGS:
        return style_picture(name)
    raise ValueError(_unknown("example", name, PHOTOGRAPHS + STYLES))


def describe(name: str) -> str:
    """One line about an example, for listings.

    Args:
        name: One of `PHOTOGRAPHS` or `STYLES`.

    Returns:
        A line without its name: "photograph: ..." or "style: ...".

    Raises:
        ValueError: If the name is unknown.
    """
    if name in _PHOTOGRAPHS:
        return f"photograph: {_PHOTOGRAPHS[name].description}"
    if name in DRAWINGS:
        return f"style: {_STYLE_DESCRIPTIONS[name]}"
    raise ValueError(_unknown("example", name, PHOTOGRAPHS + STYLES))


def _unknown(kind: str, name: object, known: Sequence[str]) -> str:
    """One line: what was asked for, the nearest known name if any, and all of them."""
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {name!r}; {hint}Known: {', '.join(known)}"
