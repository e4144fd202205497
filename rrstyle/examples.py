"""Example pictures without downloads: scikit-image's photographs, and styles drawn by code."""

import difflib
import functools
import operator
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from rrstyle.drawings import DRAWINGS

SMALLEST_SIDE, LARGEST_SIDE = 16, 4096
# Below this side the thinnest strokes would vanish, so small pictures are drawn here and reduced.
SMALLEST_CANVAS = 512

# Where they come from, and their terms, as scikit-image documents them.
_PHOTOGRAPHS = {
    "chelsea": "Chelsea the cat, 300x451, by Stefan van der Walt (CC0; scikit-image)",
    "astronaut": "Eileen Collins, 512x512, by NASA (public domain; scikit-image)",
    "coffee": "a cup of coffee, 400x600, by Rachel Michetti (CC0; scikit-image)",
    "rocket": "Falcon 9 at its launch site, 427x640, by SpaceX (public domain; scikit-image)",
}

PHOTOGRAPHS: tuple[str, ...] = tuple(_PHOTOGRAPHS)
STYLES: tuple[str, ...] = tuple(DRAWINGS)


def photograph(name: str) -> NDArray[np.float32]:
    """A built-in photograph, one of `PHOTOGRAPHS`, read from the scikit-image wheel.

    Returns:
        float32 (height, width, 3) in [0, 1], RGB, a new array at every call.

    Raises:
        ValueError: If the name is unknown.
    """
    _check("photograph", name, PHOTOGRAPHS)
    return np.asarray(getattr(data, name)(), np.float32) / np.float32(255)


def style_picture(name: str, *, side: int = 512, seed: int = 0) -> NDArray[np.float32]:
    """A style picture drawn by code.

    Name and seed give one composition at every side, and another seed another, in other colours.

    Args:
        name: One of `STYLES`.
        side: Height and width of the picture, in pixels, 16 to 4096.
        seed: Seed of composition and palette, an integer of at least 0.

    Returns:
        float32 (side, side, 3) in [0, 1], RGB.

    Raises:
        ValueError: If the name is unknown, or the side or the seed is out of range.
        TypeError: If the side or the seed is not an integer.
    """
    _check("style", name, STYLES)
    side, seed = operator.index(side), operator.index(seed)
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise ValueError(f"side must be from {SMALLEST_SIDE} to {LARGEST_SIDE}, got {side}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    return np.asarray(_drawn(name, side, seed), np.float32) / np.float32(255)


def _drawn(name: str, side: int, seed: int) -> Image.Image:
    # Drawn at twice the side for smooth edges, as far as memory allows.
    canvas_side = max(SMALLEST_CANVAS, side, min(2 * side, LARGEST_SIDE))
    # The name belongs to the entropy: two styles of one seed share no random numbers.
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    drawn = DRAWINGS[name](canvas_side, rng)
    return drawn.resize((side, side), Image.Resampling.LANCZOS)


@functools.cache
def _example_style(name: str) -> Image.Image:
    """Kept, .75 MiB each: the drawing takes up to a second."""
    return _drawn(name, 512, 0)


def example(name: str) -> NDArray[np.float32]:
    """A photograph or a style picture (512 x 512, seed 0), by name; as those functions do."""
    _check("example", name, PHOTOGRAPHS + STYLES)
    if name in _PHOTOGRAPHS:
        return photograph(name)
    return np.asarray(_example_style(name), np.float32) / np.float32(255)


def describe(name: str) -> str:
    """One line about an example: "photograph: ..." or "style: ...".

    Raises:
        ValueError: If the name is unknown.
    """
    _check("example", name, PHOTOGRAPHS + STYLES)
    if name in _PHOTOGRAPHS:
        return f"photograph: {_PHOTOGRAPHS[name]}"
    text = DRAWINGS[name].__doc__ or ""
    return f"style: {text[:1].lower()}{text[1:].removesuffix('.')}"


def _check(kind: str, name: object, known: Sequence[str]) -> None:
    """Refuses unknown names, with the nearest known one."""
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown {kind} {name!r}; {hint}Known: {', '.join(known)}")
