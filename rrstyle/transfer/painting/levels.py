"""The scales that `paint` works through, and how finds pass from one to the next."""

import math
from dataclasses import dataclass

import numpy as np

from rrstyle.config import PaintConfig

_RATIO = math.sqrt(2)
# Below this side every pixel centres a patch, from it on every second: patches still overlap
# many times.
_DENSE_BELOW = 64
# Side from which on the photograph has its full share of a query.
_FULL_SHARE = 384


@dataclass(frozen=True)
class Grid:
    """Where patches lie."""

    size: tuple[int, int]  # (height, width) of the result, of features or of a picture
    step: int  # distance between the centres of patches of the result
    parts: tuple[tuple[int, int], ...]  # sizes of the parts of the style, one below the other
    wraps: bool = False  # whether the borders do; the sides are then multiples of the step

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns of centres; the last may lie just outside, so that all is covered."""
        beyond = 0 if self.wraps else 1
        rows, columns = (-(-(side - beyond) // self.step) + beyond for side in self.size)
        return rows, columns

    @property
    def tops(self) -> np.ndarray:
        """First row of each part."""
        return np.cumsum([0, *(height for height, _ in self.parts[:-1])])

    def at_places(self, values: np.ndarray) -> np.ndarray:
        """The values (height, width, ...) of the pixels at the centres."""
        rows, columns = (
            np.minimum(np.arange(count) * self.step, side - 1)
            for count, side in zip(self.places, self.size, strict=True)
        )
        return values[np.ix_(rows, columns)]


@dataclass(frozen=True)
class Level:
    """One scale."""

    size: tuple[int, int]  # (height, width) of the photograph
    parts: tuple[tuple[int, int], ...]  # the same of each part of the style
    rounds: int  # of search; 0 where finds are inherited and only corrected
    mix: float  # share of the photograph in a query, where it is salient


def plan_levels(
    content: tuple[int, int],
    parts: tuple[tuple[int, int], ...],
    config: PaintConfig,
    *,
    reduction: int = 1,
    multiple: int = 1,
) -> list[Level]:
    """The scales, coarse to fine by factors of sqrt(2), up to full size or `matched`.

    Args:
        content: (height, width) of the photograph.
        parts: The same of each part of the style.
        config: Coarsest and finest scale, rounds, shares.
        reduction: Factor by which the CNN divides sides: the sides in `config` are of features.
        multiple: Number of which the photograph's sides are multiples at every scale.
    """
    longest = max(content) / reduction
    steps = max(0, round(math.log(longest / config.coarsest, _RATIO)))
    low, high = config.content_mix
    levels: list[Level] = []
    for position in range(steps + 1):
        ratio = _RATIO ** (position - steps)
        height, width = _scaled(content, ratio, 2 * reduction)
        size = -(-height // multiple) * multiple, -(-width // multiple) * multiple
        last = position == steps
        if min(size) < 2 * config.size * reduction and not last:
            continue  # too small for a patch to move in
        side = max(size) / reduction
        if levels and side > config.matched * 1.01:
            break
        share = math.log(max(side, config.coarsest) / config.coarsest)
        share = min(1.0, share / math.log(max(_FULL_SHARE / config.coarsest, _RATIO)))
        searched = not levels or side <= config.searched
        rounds = config.rounds[min(len(levels), len(config.rounds) - 1)]
        least = config.size * reduction
        levels.append(
            Level(
                size=size,
                parts=tuple(_scaled(part, ratio, least) for part in parts),
                rounds=rounds if searched else 0,
                mix=low + (high - low) * share,
            )
        )
    return levels


def _scaled(size: tuple[int, int], ratio: float, least: int) -> tuple[int, int]:
    height, width = (max(least, round(ratio * side)) for side in size)
    return height, width


def step_at(size: tuple[int, int]) -> int:
    """Distance between the centres of patches of a result of this size."""
    return 1 if min(size) < _DENSE_BELOW else 2


def inherit(
    field: np.ndarray, coarse: Grid, fine: Grid, patch: int, fine_patch: int | None = None
) -> np.ndarray:
    """The finds of a coarse scale at the places of a finer one.

    Args:
        field: (rows, columns, 2), corners of style patches found at the places of `coarse`.
        coarse: Scale of `field`.
        fine: Scale of the result.
        patch: Side of a patch.
        fine_patch: The same at the finer scale, if it differs.

    Returns:
        (rows, columns, 2), int32: the patch at each place is centred on what the nearest coarse
        find showed there, in the finer style.
    """
    fine_patch = fine_patch or patch
    nearest, beside = zip(
        *(_nearest(axis, field.shape, coarse, fine) for axis in range(2)), strict=True
    )
    found = field[np.ix_(*nearest)]
    part = np.searchsorted(coarse.tops, found[..., 0], side="right") - 1
    old, new = (np.asarray(grid.parts, np.float64) for grid in (coarse, fine))
    corners = []
    for axis, offset in enumerate((beside[0][:, None], beside[1][None, :])):
        ratio = (new / old)[part, axis]
        start = coarse.tops[part] if axis == 0 else 0
        centre = np.rint((found[..., axis] - start + patch // 2 + offset) * ratio)
        corner = np.clip(centre - fine_patch // 2, 0, new[part, axis] - fine_patch)
        corners.append(corner + (fine.tops[part] if axis == 0 else 0))
    return np.stack(corners, axis=-1).astype(np.int32)


def _nearest(axis: int, shape: tuple[int, ...], coarse: Grid, fine: Grid):
    """The coarse find nearest to each fine row or column, and how far beside it that lies."""
    position = np.arange(fine.places[axis]) * (fine.step * coarse.size[axis] / fine.size[axis])
    index = np.rint(position / coarse.step).astype(int)
    if not coarse.wraps:
        index = np.minimum(index, shape[axis] - 1)
    return index % shape[axis], position - index * coarse.step
