"""`paint`: the photograph rebuilt from pieces of the style, coarse to fine.

At every scale the CNN's features of the photograph, moved to the style's Gaussian, say what is
wanted where (Kwatra et al. 2005): loudly at edges, hardly where the photograph is calm. The finds
are then shown by the style's own pixels, and the DCN gives what the style does not have: the
photograph's fine detail in the style's colours, at edges.
"""

import math
from collections.abc import Callable, Sequence
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
from rrstyle.transfer.painting.kernels import vote
from rrstyle.transfer.painting.levels import Grid, Level, inherit, plan_levels, step_at
from rrstyle.transfer.painting.matching import Shares, StyleCanvas, pad
from rrstyle.transfer.painting.saliency import saliency

_SHOWN_FROM = 90  # longer side in pixels of the smallest scale worth a preview
_NOISE = np.float32(1)  # of the first estimate in calm places, in deviations of the style
_WASH = 0.15  # width of the random wash, as a share of the longer side
# Detail is what a blur of this share of the longer side takes away: 6 of 384 pixels.
_DETAIL = 1 / 64
_SALIENCY_SIDE = 512  # at most: edges of strokes, not of pixels
_STRIP = 2**20  # pixels that are decoded at once

# A picture of any size to features (rows, columns, channels), and these and the size (height,
# width) of a picture to that picture.
Encode = Callable[[np.ndarray], np.ndarray]
Decode = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Part:
    """A style picture, or a turned copy of one, that patches are taken from."""

    picture: np.ndarray  # (height, width, 3), float32 in [0, 1]
    shown: np.ndarray  # the same as the decoder shows it
    style: int  # position of its style
    covers: np.ndarray | None = None  # where patches are taken from, (height, width), bool

    def turned(self, quarters: int) -> "Part":
        """The part turned by so many quarters."""
        picture, shown = (np.rot90(p, quarters).copy() for p in (self.picture, self.shown))
        covers = None if self.covers is None else np.rot90(self.covers, quarters)
        return Part(picture, shown, self.style, covers)

    def held(self, features: np.ndarray) -> np.ndarray:
        """What the part covers of an array (rows, columns, n) of itself; (1, count, n) at least."""
        if self.covers is None:
            return features
        share = self.cover_at(features.shape[:2])
        return features[share >= min(0.5, share.max())][None]

    def cover_at(self, size: tuple[int, int]) -> np.ndarray:
        """Share of each pixel that is covered at a size (height, width)."""
        if self.covers is None:
            return np.ones(size, np.float32)
        return fit_mask(self.covers.astype(np.float32), size)


@dataclass(frozen=True)
class Canvas:
    """What `paint` works on."""

    content: np.ndarray  # photograph, (height, width, 3), float32 in [0, 1]
    parts: tuple[Part, ...]  # what patches are taken from: the styles
    shares: tuple[float, ...]  # of the styles
    turned: bool  # whether patches are taken from the styles turned by quarters too
    encode: Encode
    decode: Decode
    reduction: int  # factor by which the CNN divides sides
    # Whether the borders of the result are to wrap around; those of the photograph do then, and its
    # sides are multiples of 2 `reduction`.
    tile: bool
    # Pixels at the rim of a strip that CNN and DCN need on each side; None if a picture has to be
    # decoded as a whole.
    halo: int | None
    palette: float  # share of the map that gives the result the colours of the style
    seed: int
    config: PaintConfig
    mask: np.ndarray | None  # weight of each pixel of the photograph, (height, width)
    on_step: OnStep
    preview: Callable[[np.ndarray], np.ndarray] | None  # finishes a small picture; None for none

    def style(self, arrays: Sequence[np.ndarray]) -> Blend:
        """The styles as a blend, of an array (rows, columns, n) of each part."""
        held = [part.held(array) for part, array in zip(self.parts, arrays, strict=True)]
        return Blend(tuple(held[: len(self.shares)]), self.shares)


def paint(given: Canvas) -> np.ndarray:
    """The photograph painted, at full strength: (height, width, 3), float32 in [0, 1]."""
    if given.turned:
        turned = [part.turned(quarters) for quarters in (1, 2, 3) for part in given.parts]
        given = replace(given, parts=(*given.parts, *turned))
    sizes = tuple(part.picture.shape[:2] for part in given.parts)
    levels = plan_levels(
        given.content.shape[:2],
        sizes,
        given.config,
        reduction=given.reduction,
        multiple=2 * given.reduction if given.tile else 1,
    )
    work = [math.prod(level.size) * (1 + level.rounds) for level in levels]
    matching = _Matching(given)
    for number, level in enumerate(levels, start=1):
        matching.advance(level)
        done = 0.9 * sum(work[:number]) / sum(work)
        given.on_step(_step(given, matching, level, done))
    given.on_step(Step("finishing", 0.92))
    size = given.content.shape[:2]
    painted = _colour(given, matching.shown([part.shown for part in given.parts], size))
    if given.config.detail == 0:
        return painted
    if not given.tile:
        _add_detail(given, painted, matching.move)
        return painted
    margin = 2 * given.reduction * math.ceil(max(size) / (8 * given.reduction))
    wide = replace(given, content=_wrapped(given.content, margin))
    wide = replace(wide, mask=None if given.mask is None else _wrapped(given.mask, margin))
    painted = _wrapped(painted, margin)
    _add_detail(wide, painted, matching.move)
    return painted[margin:-margin, margin:-margin]


class _Matching:
    """The finds so far, from the coarsest scale to the one last done."""

    move: AffineMap  # of the photograph's features to the style's Gaussian, at that scale
    _field: np.ndarray
    _grid: Grid

    def __init__(self, given: Canvas):
        self._given, self._rng = given, layer_rng(given.seed, TRANSFER)
        self._wash: np.ndarray | None = None
        self._shares = Shares(given.shares)

    def advance(self, level: Level) -> None:
        """Finds of the next finer scale."""
        given, config = self._given, self._given.config
        parts = [
            given.encode(resize(part.picture, size))
            for part, size in zip(given.parts, level.parts, strict=True)
        ]
        style = given.style(parts)
        photograph = resize(given.content, level.size)
        features, salient = self._look_at(photograph)
        size = features.shape[:2]
        self.move = self._fit_move(features, style)
        unit = np.float32(style.root_mean_square() or 1.0)
        target, parts = self.move(features) / unit, [part / unit for part in parts]
        first = self._wash is None
        if self._wash is None:
            shape = config.size, config.size, target.shape[2], config.projection
            self._signs = self._rng.choice(np.array([-1, 1], np.float32), shape)
            style = style.map(lambda part: part / unit)
            covariance = style.gaussian().covariance
            self._wash = _wash(target.shape, covariance, self._rng, wraps=given.tile)
        canvas = StyleCanvas(
            parts,
            [part.style for part in given.parts],
            self._shares,
            config,
            self._signs,
            self._rng,
            [part.cover_at(f.shape[:2]) for part, f in zip(given.parts, parts, strict=True)],
        )
        target = target + config.variety * (1 - salient) * _enlarged(self._wash, size)
        share = np.float32(level.mix) * (config.calm + (1 - config.calm) * salient)
        grid = Grid(size, step_at(size), tuple(part.shape[:2] for part in parts), given.tile)
        if not level.rounds:
            self._correct(canvas, target, share, grid)
            return
        if first:
            noise = self._rng.standard_normal(target.shape).astype(np.float32)
            current = target + _NOISE * (1 - salient) * noise * style.parts[0].std(axis=(0, 1))
        else:
            dense = replace(grid, step=1)
            current = self._vote(canvas, self._inherit(canvas, dense), dense)
        counts = self._counts(grid)
        for _ in range(level.rounds):
            query = (1 - share) * current + share * target
            queries = self._project(canvas, query, grid)
            self._field = canvas.search(queries, grid.step, counts=counts, wraps=given.tile)
            current = self._vote(canvas, self._field, grid)
        self._grid = grid

    def shown(self, pictures: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
        """The finds at a size (height, width), by pixels of the parts at sizes of theirs."""
        patch = self._given.config.size
        parts = tuple(picture.shape[:2] for picture in pictures)
        grid = Grid(size, step_at(size), parts, self._given.tile)
        field = inherit(self._field, self._grid, grid, patch) if grid != self._grid else self._field
        source = _stacked(pictures)
        return vote(source, field, size=patch, step=grid.step, shape=size, wraps=grid.wraps)

    def _look_at(self, photograph: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features of the photograph at one scale, and its saliency at their size."""
        given = self._given
        if not given.tile:
            features = given.encode(photograph)
            return features, saliency(photograph, features.shape[:2])
        margin = 8 * given.reduction
        wide = _wrapped(photograph, margin)
        features = given.encode(wide)
        salient = saliency(wide, features.shape[:2])
        return features[8:-8, 8:-8], salient[8:-8, 8:-8]

    def _fit_move(self, features: np.ndarray, style: Blend) -> AffineMap:
        """Between the optimal transport of the content and the network's own rearrangement."""
        mask = self._given.mask
        mask = None if mask is None else fit_mask(mask, features.shape[:2])
        ours, theirs = fit_gaussian(features, mask=mask), style.gaussian()
        transport, own = (fit_map(name, ours, theirs) for name in ("transport", "knothe"))
        share = self._given.config.diversity
        matrix = (1 - share) * transport.matrix + share * own.matrix
        return AffineMap(matrix, transport.centre, transport.offset)

    def _correct(self, canvas: StyleCanvas, target, share, grid: Grid) -> None:
        """Finds are inherited, and corrected by coherence alone."""
        field = self._inherit(canvas, grid)
        wanted = self._project(canvas, target, grid)
        # The find itself stands for what is there; the root gives the photograph the say that it
        # has where the average of overlapping finds is asked.
        at = np.sqrt(grid.at_places(share))
        queries = at * wanted + (1 - at) * canvas.dense[field[..., 0], field[..., 1]]
        field = canvas.correct(queries, field, grid.step, wraps=grid.wraps)
        self._field, self._grid = field, grid

    def _inherit(self, canvas: StyleCanvas, grid: Grid) -> np.ndarray:
        return canvas.moved_in(inherit(self._field, self._grid, grid, self._given.config.size))

    def _counts(self, grid: Grid) -> np.ndarray:
        """The places whose patches reach what the mask holds."""
        if self._given.mask is None:
            return np.ones(grid.places, bool)
        mask = fit_mask(self._given.mask, grid.size) > 0
        reach = self._given.config.size
        return grid.at_places(ndimage.maximum_filter(mask, reach))

    def _project(self, canvas: StyleCanvas, features: np.ndarray, grid: Grid) -> np.ndarray:
        size = self._given.config.size
        return canvas.project(pad(features, size, grid.step, wraps=grid.wraps), grid.step)

    def _vote(self, canvas: StyleCanvas, field: np.ndarray, grid: Grid) -> np.ndarray:
        size = self._given.config.size
        source, step = canvas.features, grid.step
        return vote(source, field, size=size, step=step, shape=grid.size, wraps=grid.wraps)


def _wash(
    shape: tuple[int, ...], covariance: np.ndarray, rng: np.random.Generator, *, wraps: bool
) -> np.ndarray:
    """A smooth random field (height, width, n) of a covariance (n, n)."""
    noise = rng.standard_normal(shape).astype(np.float32)
    width = _WASH * max(shape[:2])
    noise = ndimage.gaussian_filter(noise, (width, width, 0), mode="wrap" if wraps else "reflect")
    noise /= noise.std(axis=(0, 1)) + 1e-12
    jitter = 1e-6 * (np.trace(covariance) / len(covariance) + 1e-12)
    root = np.linalg.cholesky(covariance + jitter * np.eye(len(covariance)))
    return noise @ root.T.astype(np.float32)


def _enlarged(wash: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A wash at a larger size (height, width); by NumPy, the same on all backends."""
    factors = size[0] / wash.shape[0], size[1] / wash.shape[1], 1
    return ndimage.zoom(wash, factors, order=1, mode="nearest", grid_mode=True)


def _step(given: Canvas, matching: _Matching, level: Level, fraction: float) -> Step:
    """Progress after a scale, with a preview of it where one is wanted."""
    height, width = level.size
    step = Step(f"painting at {width}×{height}", fraction)
    if given.preview is None or max(level.size) < _SHOWN_FROM:
        return step
    small = [resize(part.shown, size) for part, size in zip(given.parts, level.parts, strict=True)]
    picture = _colour(given, matching.shown(small, level.size))
    return replace(step, preview=given.preview(picture))


def _wrapped(image: np.ndarray, margin: int) -> np.ndarray:
    """An image with a margin on each side, of what lies at the other."""
    widths = [(margin, margin), (margin, margin), (0, 0)][: image.ndim]
    return np.pad(image, widths, mode="wrap")


def _stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures below one another, as the parts of a StyleCanvas lie."""
    if len(pictures) == 1:
        return pictures[0]
    width = max(picture.shape[1] for picture in pictures)
    wide = [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0))) for p in pictures]
    return np.concatenate(wide)


def _colour(given: Canvas, picture: np.ndarray) -> np.ndarray:
    """A picture with the colours of the style, as far as the decoder is to keep them."""
    picture = np.clip(picture, 0, 1)
    if given.palette == 0:
        return picture
    mask = None if given.mask is None else fit_mask(given.mask, picture.shape[:2])
    share, style = np.float32(given.palette), given.style([part.picture for part in given.parts])
    return share * PaletteMap(picture, style, mask)(picture) + (1 - share) * picture


def _add_detail(given: Canvas, painted: np.ndarray, move: AffineMap) -> None:
    """Exchanges fine detail of a painted picture for the photograph's, at its edges, in place."""
    size = painted.shape[:2]
    wanted = in_strips(
        given.decode, lambda rows: move(given.encode(rows)), given.content, given.halo
    )
    wanted = _colour(given, wanted)
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
