"""The finds: which patch of the style goes where, scale after scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.pictures.images import resize
from rrstyle.pictures.masks import fit_mask
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import AffineMap, fit_gaussian, fit_map
from rrstyle.transfer.painting.canvas import Canvas, wrapped
from rrstyle.transfer.painting.kernels import vote
from rrstyle.transfer.painting.levels import Grid, Level, inherit, step_at
from rrstyle.transfer.painting.matching import Shares, StyleCanvas, pad
from rrstyle.transfer.painting.saliency import saliency

_NOISE = np.float32(1)  # of the first estimate in calm places, in deviations of the style
_WASH = 0.15  # width of the random wash, as a share of the longer side


@dataclass
class Scale:
    """One scale: the style there, and what was found of it."""

    level: Level
    style: StyleCanvas
    unit: np.float32  # root mean square of the style's features
    move: AffineMap  # of the photograph's features to the style's Gaussian
    grid: Grid
    field: np.ndarray  # corners on the style, (rows, columns, 2)


class Matching:
    """The finds so far, from the coarsest scale to the one last done.

    Args:
        given: Photograph, styles and settings.
        keeps_all: Whether all scales stay in memory, in place of the last.

    Attributes:
        given: The same; another photograph of that size may take its place.
        scales: All scales so far, or the last.
        wash: What tells calm places what to become, at the coarsest scale, from there on.
    """

    wash: np.ndarray

    def __init__(self, given: Canvas, *, keeps_all: bool = False):
        self.given, self._rng = given, layer_rng(given.seed, TRANSFER)
        self._keeps_all = keeps_all
        self._shares = Shares(given.shares)
        self.scales: list[Scale] = []

    @property
    def move(self) -> AffineMap:
        """Of the photograph's features to the style's Gaussian, at the last scale."""
        return self.scales[-1].move

    def advance(self, level: Level) -> None:
        """Finds of the next finer scale."""
        given, config = self.given, self.given.config
        parts = [
            given.encode(resize(part.picture, size))
            for part, size in zip(given.parts, level.parts, strict=True)
        ]
        style = given.style(parts)
        features, salient = self.look_at(level)
        move = self._fit_move(features, style)
        unit = np.float32(style.root_mean_square() or 1.0)
        parts = [part / unit for part in parts]
        style = style.map(lambda part: part / unit)
        if not self.scales:
            shape = config.size, config.size, features.shape[2], config.projection
            self._signs = self._rng.choice(np.array([-1, 1], np.float32), shape)
            covariance = style.gaussian().covariance
            self.wash = _wash(features.shape, covariance, self._rng, wraps=given.tile)
        canvas = StyleCanvas(
            parts,
            [part.style for part in given.parts],
            self._shares,
            config,
            self._signs,
            self._rng,
            [part.cover_at(f.shape[:2]) for part, f in zip(given.parts, parts, strict=True)],
        )
        size = features.shape[:2]
        grid = Grid(size, step_at(size), tuple(part.shape[:2] for part in parts), given.tile)
        before = self.scales[-1] if self.scales else None
        scale = Scale(level, canvas, unit, move, grid, np.empty(0))
        target, share = self.wanted(scale, features, salient)
        if not level.rounds and before is not None:
            field = canvas.moved_in(self.inherited(before, grid))
            queries = self.corrections(scale, target, share, field)
            scale.field = canvas.correct(queries, field, grid.step, wraps=grid.wraps)
        else:
            deviation = style.parts[0].std(axis=(0, 1))
            scale.field = self._searched(scale, before, target, share, 1 - salient, deviation)
        self.scales = [*self.scales, scale] if self._keeps_all else [scale]

    def _searched(self, scale: Scale, before, target, share, calm, deviation) -> np.ndarray:
        canvas, grid = scale.style, scale.grid
        if before is None:
            noise = self._rng.standard_normal(target.shape).astype(np.float32)
            current = target + _NOISE * calm * noise * deviation
        else:
            dense = replace(grid, step=1)
            current = self.vote(canvas, canvas.moved_in(self.inherited(before, dense)), dense)
        counts = self._counts(grid)
        for _ in range(scale.level.rounds):
            query = (1 - share) * current + share * target
            queries = self.project(canvas, query, grid)
            field = canvas.search(queries, grid.step, counts=counts, wraps=grid.wraps)
            current = self.vote(canvas, field, grid)
        return field

    def wanted(self, scale: Scale, features, salient) -> tuple[np.ndarray, np.ndarray]:
        """Features wanted at each pixel, and the photograph's share of a query there."""
        config = self.given.config
        target = scale.move(features) / scale.unit
        wash = _enlarged(self.wash, scale.grid.size)
        target = target + config.variety * (1 - salient) * wash
        return target, np.float32(scale.level.mix) * (config.calm + (1 - config.calm) * salient)

    def corrections(self, scale: Scale, target, share, field: np.ndarray) -> np.ndarray:
        """Queries by which inherited finds are corrected, by coherence alone."""
        wanted = self.project(scale.style, target, scale.grid)
        # The find itself stands for what is there; the root gives the photograph the say that it
        # has where the average of overlapping finds is asked.
        at = np.sqrt(scale.grid.at_places(share))
        return at * wanted + (1 - at) * scale.style.dense[field[..., 0], field[..., 1]]

    def shown(self, pictures: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
        """The finds at a size (height, width), by pixels of the parts at sizes of theirs."""
        patch = self.given.config.size
        least = min(min(picture.shape[:2]) for picture in pictures)
        shown = max(patch, min(self.given.patch_at(size), (least - 1) | 1))
        # In a picture that was composed smaller, patches overlap as they do there: no seams show.
        step = step_at(size) * shown // patch
        parts = tuple(picture.shape[:2] for picture in pictures)
        grid = Grid(size, step, parts, self.given.tile)
        last = self.scales[-1]
        field = np.rint(last.field).astype(np.int32)
        if grid != last.grid or shown != patch:
            field = inherit(last.field, last.grid, grid, patch, shown)
        source = _stacked(pictures)
        return vote(source, field, size=shown, step=step, shape=size, wraps=grid.wraps)

    def look_at(self, level: Level) -> tuple[np.ndarray, np.ndarray]:
        """Features of the photograph at one scale, and its saliency at their size."""
        given = self.given
        photograph = resize(given.content, level.size)
        if not given.tile:
            features = given.encode(photograph)
            return features, saliency(photograph, features.shape[:2])
        margin = 8 * given.reduction
        wide = wrapped(photograph, margin)
        features = given.encode(wide)
        salient = saliency(wide, features.shape[:2])
        return features[8:-8, 8:-8], salient[8:-8, 8:-8]

    def _fit_move(self, features: np.ndarray, style: Blend) -> AffineMap:
        """Between the optimal transport of the content and the network's own rearrangement."""
        mask = self.given.mask
        mask = None if mask is None else fit_mask(mask, features.shape[:2])
        ours, theirs = fit_gaussian(features, mask=mask), style.gaussian()
        transport, own = (fit_map(name, ours, theirs) for name in ("transport", "knothe"))
        share = self.given.config.diversity
        matrix = (1 - share) * transport.matrix + share * own.matrix
        return AffineMap(matrix, transport.centre, transport.offset)

    def inherited(self, before: Scale, grid: Grid) -> np.ndarray:
        return inherit(before.field, before.grid, grid, self.given.config.size)

    def _counts(self, grid: Grid) -> np.ndarray:
        """The places whose patches reach what the mask holds."""
        if self.given.mask is None:
            return np.ones(grid.places, bool)
        mask = fit_mask(self.given.mask, grid.size) > 0
        reach = self.given.config.size
        return grid.at_places(ndimage.maximum_filter(mask, reach))

    def project(self, canvas: StyleCanvas, features: np.ndarray, grid: Grid) -> np.ndarray:
        size = self.given.config.size
        return canvas.project(pad(features, size, grid.step, wraps=grid.wraps), grid.step)

    def vote(self, canvas: StyleCanvas, field: np.ndarray, grid: Grid) -> np.ndarray:
        size = self.given.config.size
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
    """A wash at a larger size (height, width), linear; by NumPy, the same on all backends."""
    rows, columns = (_linear(old, new) for old, new in zip(wash.shape[:2], size, strict=True))
    tall = np.tensordot(rows, wash, axes=1)
    return np.matmul(columns, tall)


def _linear(old: int, new: int) -> np.ndarray:
    """Weights (new, old) of linear interpolation; what lies beyond the ends is as they are."""
    position = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(old))).astype(np.float32)


def _stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures below one another, as the parts of a StyleCanvas lie."""
    if len(pictures) == 1:
        return pictures[0]
    width = max(picture.shape[1] for picture in pictures)
    wide = [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0))) for p in pictures]
    return np.concatenate(wide)
