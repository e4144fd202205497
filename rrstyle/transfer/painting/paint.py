"""`paint`: the photograph rebuilt from pieces of the style, coarse to fine.

At every scale the CNN's features of the photograph, moved to the style's Gaussian, say what is
wanted where (Kwatra et al. 2005): loudly at edges, hardly where the photograph is calm. The finds
are then shown by the style's own pixels, and the DCN gives what the style does not have: the
photograph's fine detail in the style's colours, at edges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from rrstyle.pictures.images import fit_within, resize
from rrstyle.pictures.masks import fit_mask
from rrstyle.progress import Step
from rrstyle.transfer.colours import PaletteMap
from rrstyle.transfer.features import resize_features
from rrstyle.transfer.painting.canvas import Canvas, Decode, Encode, wrapped
from rrstyle.transfer.painting.finds import Matching
from rrstyle.transfer.painting.levels import Level, plan_levels
from rrstyle.transfer.painting.saliency import saliency

_SHOWN_FROM = 90  # longer side in pixels of the smallest scale worth a preview
# Detail is what a blur of this share of the longer side takes away: 6 of 384 pixels.
_DETAIL = 1 / 64
_SALIENCY_SIDE = 512  # at most: edges of strokes, not of pixels
_STRIP = 2**20  # pixels that are decoded at once

ColourMap = Callable[[np.ndarray], np.ndarray]  # of a picture in [0, 1] to one of its size


def paint(given: Canvas) -> np.ndarray:
    """The photograph painted, at full strength: (height, width, 3), float32 in [0, 1]."""
    matching = match(given)
    given.on_step(Step("finishing", 0.92))
    return finish(matching)[0]


def match(given: Canvas, *, keeps_all: bool = False) -> Matching:
    """The finds at all scales, of which the last is kept, or all."""
    if given.composed:
        matching = match(given.composed, keeps_all=keeps_all)
        matching.given = given.with_turned()
        return matching
    given = given.with_turned()
    levels = plan_levels(
        given.content.shape[:2],
        tuple(part.picture.shape[:2] for part in given.parts),
        given.config,
        reduction=given.reduction,
        multiple=2 * given.reduction if given.tile else 1,
    )
    work = [math.prod(level.size) * (1 + level.rounds) for level in levels]
    matching = Matching(given, keeps_all=keeps_all)
    for number, level in enumerate(levels, start=1):
        matching.advance(level)
        given.on_step(_step(matching, level, 0.9 * sum(work[:number]) / sum(work)))
    return matching


@dataclass(frozen=True)
class Colours:
    """Maps to the colours of the style: of what the finds show, and of what the DCN shows."""

    found: ColourMap
    decoded: ColourMap | None = None  # None where no detail is given back


def finish(matching: Matching, colours: Colours | None = None) -> tuple[np.ndarray, Colours]:
    """The picture (height, width, 3) that finds make, with the photograph's detail.

    Args:
        matching: The finds.
        colours: Maps of colours, of another picture of the kind; by default this one's own.

    Returns:
        float32 in [0, 1], and its maps.
    """
    given = matching.given
    size = given.content.shape[:2]
    painted = np.clip(matching.shown([part.shown for part in given.parts], size), 0, 1)
    found = colours.found if colours else _colour_map(given, painted)
    painted = found(painted)
    if given.config.detail == 0:
        return painted, Colours(found)
    margin = 0
    if given.tile:
        margin = 2 * given.reduction * math.ceil(max(size) / (8 * given.reduction))
        given = replace(given, content=wrapped(given.content, margin))
        given = replace(given, mask=None if given.mask is None else wrapped(given.mask, margin))
        painted = wrapped(painted, margin)
    wanted = in_strips(
        given.decode, lambda rows: matching.move(given.encode(rows)), given.content, given.halo
    )
    np.clip(wanted, 0, 1, out=wanted)
    decoded = colours.decoded if colours and colours.decoded else _colour_map(given, wanted)
    _add_detail(given, painted, decoded(wanted))
    return painted[margin : margin + size[0], margin : margin + size[1]], Colours(found, decoded)


def _step(matching: Matching, level: Level, fraction: float) -> Step:
    """Progress after a scale, with a preview of it where one is wanted."""
    given, (height, width) = matching.given, level.size
    step = Step(f"painting at {width}×{height}", fraction)
    if given.preview is None or max(level.size) < _SHOWN_FROM:
        return step
    small = [resize(part.shown, size) for part, size in zip(given.parts, level.parts, strict=True)]
    picture = np.clip(matching.shown(small, level.size), 0, 1)
    return replace(step, preview=given.preview(_colour_map(given, picture)(picture)))


def _colour_map(given: Canvas, picture: np.ndarray) -> ColourMap:
    """A map of a picture to the colours of the style, as far as the decoder is to keep them."""
    if given.palette == 0:
        return lambda image: image
    mask = None if given.mask is None else fit_mask(given.mask, picture.shape[:2])
    share, style = np.float32(given.palette), given.style([part.picture for part in given.parts])
    palette = PaletteMap(picture, style, mask)
    return lambda image: share * palette(image) + (1 - share) * image


def _add_detail(given: Canvas, painted: np.ndarray, wanted: np.ndarray) -> None:
    """Exchanges fine detail of a painted picture for that of `wanted`, at edges, in place."""
    size = painted.shape[:2]
    small = fit_within(size, min(_SALIENCY_SIDE, max(size)))
    salient = fit_mask(saliency(resize(given.content, small), small)[..., 0], size)[..., None]
    wanted -= painted
    wanted -= _blurred(wanted, _DETAIL * max(size))
    wanted *= np.float32(given.config.detail) * salient
    painted += wanted
    np.clip(painted, 0, 1, out=painted)


def in_strips(decode: Decode, encode: Encode, picture: np.ndarray, halo: int | None) -> np.ndarray:
    """A picture encoded and decoded, a large one strip by strip.

    Args:
        decode: The DCN.
        encode: The CNN, and what is done to its features.
        picture: (height, width, 3), in [0, 1].
        halo: Pixels that both need on each side of a strip; None to take the picture as a whole.
    """
    height, width = picture.shape[:2]
    if halo is None or height * width <= _STRIP:
        return decode(encode(picture), (height, width))
    rows = max(1, _STRIP // width)
    out = np.empty_like(picture)
    for top in range(0, height, rows):
        first, last = max(0, top - halo), min(height, top + rows + halo)
        found = decode(encode(picture[first:last]), (last - first, width))
        out[top : top + rows] = found[top - first : top - first + rows]
    return out


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur of a picture; a wide one at a reduced size."""
    height, width = image.shape[:2]
    factor = max(1, int(sigma // 3))
    # Resizing is less exact within two small pixels of the borders: they are to lie outside.
    margin = 2 * factor if factor > 1 else 0
    widths = [(margin, margin + -side % factor) for side in (height, width)]
    wide = np.pad(image, [*widths, (0, 0)], mode="edge")
    small = resize_features(wide, (len(wide) // factor, wide.shape[1] // factor))
    small = ndimage.gaussian_filter(small, (sigma / factor, sigma / factor, 0), mode="nearest")
    return resize_features(small, wide.shape[:2])[margin:, margin:][:height, :width]
