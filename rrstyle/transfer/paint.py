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

from rrstyle.config import PaintConfig
from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.pictures.images import fit_within, resize
from rrstyle.pictures.masks import fit_mask
from rrstyle.progress import OnStep, Step
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import AffineMap, fit_gaussian, fit_map
from rrstyle.transfer.colours import PaletteMap
from rrstyle.transfer.features import resize_features
from rrstyle.transfer.kernels import vote
from rrstyle.transfer.levels import Grid, Level, inherit, plan_levels, step_at
from rrstyle.transfer.matching import StyleCanvas, pad
from rrstyle.transfer.saliency import saliency

_SHOWN_FROM = 90  # longer side in pixels of the smallest scale worth a preview
_NOISE = 1.0  # of the first estimate where the photograph is calm, in deviations of the style
_WASH = 0.15  # width of the random wash, as a share of the longer side
# Detail is what a blur of this share of the longer side takes away: 6 of 384 pixels.
_DETAIL = 1 / 64
_SALIENCY_SIDE = 512  # at most: edges of strokes, not of pixels
_STRIP = 2**20  # pixels that are decoded at once


# Features of a picture of any size, and a picture of a size (height, width) of features.
Encode = Callable[[np.ndarray], np.ndarray]
Decode = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Canvas:
    """What `paint` works on.

    Attributes:
        content: Photograph, (height, width, 3), float32 in [0, 1].
        style: Style pictures and their shares.
        encode: The CNN: features of a picture of any size.
        decode: The DCN: picture of a size (height, width) of features.
        shown: Style pictures as the decoder shows them; the pictures themselves, where it is fitted.
        reduction: Factor by which the CNN divides sides.
        halo: Pixels at the rim of a strip that CNN and DCN need on each side; None if a picture
            has to be decoded as a whole.
        palette: Share of the map that gives the result the colours of the style.
        seed: Seed of the random draws.
        config: Settings of the method.
        mask: Weight of each pixel of the photograph in its statistics, (height, width), or None.
        on_step: Progress callback.
        preview: Function that finishes a small picture for a preview; None for no previews.
    """

    content: np.ndarray
    style: Blend
    encode: Encode
    decode: Decode
    shown: Blend
    reduction: int
    halo: int | None
    palette: float
    seed: int
    config: PaintConfig
    mask: np.ndarray | None
    on_step: OnStep
    preview: Callable[[np.ndarray], np.ndarray] | None


def paint(given: Canvas) -> np.ndarray:
    """The photograph painted, at full strength: (height, width, 3), float32 in [0, 1]."""
    size = given.content.shape[:2]
    field, grid, move = _match(given)
    fine = Grid(size, step_at(size), tuple(part.shape[:2] for part in given.shown.parts))
    if fine != grid:
        field = inherit(field, grid, fine, given.config.size)
    given.on_step(Step("finishing", 0.95))
    return _finish(given, field, fine, move)


def _match(given: Canvas) -> tuple[np.ndarray, Grid, AffineMap]:
    """The finds of the finest scale that is matched, its grid, and the map of the palette there."""
    config, rng = given.config, layer_rng(given.seed, TRANSFER)
    sizes = tuple(part.shape[:2] for part in given.style.parts)
    levels = plan_levels(given.content.shape[:2], sizes, config, reduction=given.reduction)
    work = [math.prod(level.size) * (1 + level.rounds) for level in levels]
    field, grid, wash, projection = None, None, None, None
    for number, level in enumerate(levels):
        features = _encoded(given, level)
        channels = features.content.shape[2]
        if projection is None:
            shape = config.size, config.size, channels, config.projection
            scale = 1 / math.sqrt(config.size**2 * channels)
            projection = rng.normal(0, scale, shape).astype(np.float32)
            wash = _wash(features, rng)
        canvas = StyleCanvas(
            features.style.parts,
            config,
            projection,
            owners=range(len(features.style.parts)),
            shares=features.style.shares,
            regions=[np.ones(part.shape[:2], np.uint8) for part in features.style.parts],
            rng=rng,
        )
        size = features.content.shape[:2]
        fine = Grid(size, step_at(size), tuple(p.shape[:2] for p in features.style.parts))
        field = _match_level(given, level, features, canvas, wash, (field, grid), fine, rng)
        grid = fine
        done = sum(work[: number + 1]) / sum(work)
        _tell(given, level, field, grid, 0.9 * done)
    return field, grid, features.move


@dataclass(frozen=True)
class _Features:
    """Features of one scale.

    Attributes:
        content: The photograph's, moved to the style's Gaussian, in units of `unit`.
        style: The styles', in the same units.
        move: The map that moved them, from and to features in their own units.
        unit: Root mean square of the styles'.
        salient: Saliency of the photograph, (height, width, 1).
    """

    content: np.ndarray
    style: Blend
    move: AffineMap
    unit: np.float32
    salient: np.ndarray


def _encoded(given: Canvas, level: Level) -> _Features:
    small = resize(given.content, level.size)
    parts = zip(given.style.parts, level.styles, strict=True)
    style = Blend(tuple(given.encode(resize(p, s)) for p, s in parts), given.style.shares)
    unit = np.float32(style.root_mean_square() or 1.0)
    features = given.encode(small)
    size = features.shape[:2]
    mask = None if given.mask is None else fit_mask(given.mask, size)
    ours, theirs = fit_gaussian(features, mask=mask), style.gaussian()
    transport, own = (fit_map(name, ours, theirs) for name in ("transport", "knothe"))
    share = given.config.diversity
    mixed = (1 - share) * transport.matrix + share * own.matrix
    move = AffineMap(mixed, transport.centre, transport.offset)
    style = style.map(lambda part: part / unit)
    return _Features(move(features) / unit, style, move, unit, saliency(small, size))


def _wash(features: _Features, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field of the style's covariance, (height, width, n)."""
    noise = rng.standard_normal(features.content.shape).astype(np.float32)
    width = _WASH * max(noise.shape[:2])
    noise = ndimage.gaussian_filter(noise, (width, width, 0), mode="reflect")
    noise /= noise.std(axis=(0, 1)) + 1e-12
    covariance = features.style.gaussian().covariance
    jitter = 1e-6 * (np.trace(covariance) / len(covariance) + 1e-12)
    root = np.linalg.cholesky(covariance + jitter * np.eye(len(covariance)))
    return noise @ root.T.astype(np.float32)


def _match_level(
    given: Canvas,
    level: Level,
    features: _Features,
    canvas: StyleCanvas,
    wash: np.ndarray,
    before: tuple,
    grid: Grid,
    rng: np.random.Generator,
) -> np.ndarray:
    config, size, step = given.config, grid.size, grid.step
    calm = 1 - features.salient
    target = features.content
    target = target + np.float32(config.variety) * calm * resize_features(wash, size)
    share = np.float32(level.mix) * (config.calm + (1 - config.calm) * features.salient)
    share = share.astype(np.float32)
    places = np.ones(grid.places, np.uint8)
    field, coarse = before
    if not level.rounds:
        inherited = inherit(field, coarse, grid, config.size)
        wanted = canvas.project(pad(target, config.size, step), step)
        # The find itself stands for what is there; the root gives the photograph the say that it
        # has where the average of overlapping finds is asked.
        at = np.sqrt(grid.at_places(share))
        queries = at * wanted + (1 - at) * canvas.dense[inherited[..., 0], inherited[..., 1]]
        return canvas.correct(queries, places, inherited, step)
    if field is None:
        deviation = features.style.parts[0].std(axis=(0, 1))
        noise = rng.standard_normal(target.shape).astype(np.float32)
        current = target + np.float32(_NOISE) * calm * noise * deviation
    else:
        dense = replace(grid, step=1)
        current = _voted(canvas, inherit(field, coarse, dense, config.size), dense, config.size)
    for _ in range(level.rounds):
        query = (1 - share) * current + share * target
        queries = canvas.project(pad(query, config.size, step), step)
        field = canvas.search(queries, places, step)
        current = _voted(canvas, field, grid, config.size)
    return field


def _voted(canvas: StyleCanvas, field: np.ndarray, grid: Grid, size: int) -> np.ndarray:
    return vote(canvas.features, field, size=size, step=grid.step, shape=grid.size)


def _tell(given: Canvas, level: Level, field, grid: Grid, fraction: float) -> None:
    height, width = level.size
    step = Step(f"painting at {width}×{height}", fraction)
    if given.preview and max(level.size) >= _SHOWN_FROM:
        size = fit_within(level.size, min(256, max(level.size)))
        parts = [
            tuple(round(side * size[0] / level.size[0]) for side in part) for part in level.styles
        ]
        parts = [tuple(max(given.config.size, side) for side in part) for part in parts]
        fine = Grid(size, step_at(size), tuple(parts))
        small = [resize(p, s) for p, s in zip(given.shown.parts, parts, strict=True)]
        shown = inherit(field, grid, fine, given.config.size)
        picture = vote(_stacked(small), shown, size=given.config.size, step=fine.step, shape=size)
        step = replace(step, preview=given.preview(_coloured(given, picture)(picture)))
    given.on_step(step)


def _stacked(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures below one another, as the parts of a StyleCanvas lie."""
    if len(pictures) == 1:
        return pictures[0]
    width = max(picture.shape[1] for picture in pictures)
    wide = [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0))) for p in pictures]
    return np.concatenate(wide)


def _coloured(given: Canvas, picture: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The map that gives pictures with the colours of `picture` those of the style."""
    if given.palette == 0:
        return lambda image: np.clip(image, 0, 1)
    mask = None if given.mask is None else fit_mask(given.mask, picture.shape[:2])
    found = PaletteMap(np.clip(picture, 0, 1), given.style, mask)
    share = np.float32(given.palette)
    return lambda image: share * found(image) + (1 - share) * np.clip(image, 0, 1)


def _finish(given: Canvas, field: np.ndarray, grid: Grid, move: AffineMap) -> np.ndarray:
    """The picture of the finds, with the photograph's detail at its edges."""
    config = given.config
    source = _stacked(list(given.shown.parts))
    painted = vote(source, field, size=config.size, step=grid.step, shape=grid.size)
    painted = _coloured(given, painted)(painted)
    if config.detail == 0:
        return painted
    encode_moved = lambda rows: move(given.encode(rows))  # noqa: E731
    wanted = in_strips(given.decode, encode_moved, given.content, given.halo)
    wanted = _coloured(given, wanted)(wanted)
    small = fit_within(grid.size, min(_SALIENCY_SIDE, max(grid.size)))
    salient = fit_mask(saliency(given.content, small)[..., 0], grid.size)[..., None]
    blur = _DETAIL * max(grid.size)
    wanted -= painted
    wanted -= _blurred(wanted, blur)
    wanted *= np.float32(config.detail) * salient
    painted += wanted
    return np.clip(painted, 0, 1, out=painted)


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
    """A Gaussian blur; a wide one at a reduced size."""
    factor = int(sigma // 3)
    if factor < 2:
        return ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest")
    rows, columns = (-(-side // factor) for side in image.shape[:2])
    padded = np.pad(
        image,
        [(0, rows * factor - image.shape[0]), (0, columns * factor - image.shape[1]), (0, 0)],
        mode="edge",
    )
    small = padded.reshape(rows, factor, columns, factor, -1).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, (sigma / factor, sigma / factor, 0), mode="nearest")
    return _enlarged(small, image.shape[:2], factor)


def _enlarged(small: np.ndarray, size: tuple[int, int], factor: int) -> np.ndarray:
    """Bilinear enlargement by a whole factor."""
    for axis in range(2):
        position = (np.arange(size[axis]) + 0.5) / factor - 0.5
        low = np.clip(np.floor(position).astype(int), 0, small.shape[axis] - 1)
        high = np.minimum(low + 1, small.shape[axis] - 1)
        part = np.clip(position - low, 0, 1).astype(np.float32)
        part = part.reshape(-1, 1, 1) if axis == 0 else part.reshape(1, -1, 1)
        small = np.take(small, low, axis) * (1 - part) + np.take(small, high, axis) * part
    return small
