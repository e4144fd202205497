"""`paint` of pictures one after another, of a scene that moves: strokes stay on what they paint.

The first is painted as any other. Each further one takes over the finds of the one before, moved
along with what they show; the style is searched where something comes into sight. What depends on
statistics (moves to the style's Gaussian, prices, maps of colours) stays as it was for the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.pictures.masks import fit_mask
from rrstyle.transfer.features import resize_features
from rrstyle.transfer.painting.canvas import Canvas
from rrstyle.transfer.painting.finds import Scale
from rrstyle.transfer.painting.paint import finish, match

# How much less than one's own find a neighbour's must cost to take its place: well below 1, so
# that finds do not change with the noise of a picture.
_STEADY = 0.6
_SEEN = 0.9  # share of a place that was in sight before, from which on it keeps its find


@dataclass(frozen=True)
class Motion:
    """How a picture came about from the one before."""

    offset: np.ndarray  # from each pixel to where it was, (height, width, 2), y before x
    seen: np.ndarray  # whether it was in sight, (height, width), bool


class PaintedSequence:
    """`paint` of pictures that follow each other.

    Args:
        given: The first picture, styles and settings; without seamless borders.

    Attributes:
        first: The first picture painted, (height, width, 3), float32 in [0, 1].
    """

    def __init__(self, given: Canvas):
        self._matching = match(given, keeps_all=True)
        self.first, self._colours = finish(self._matching)

    def follow(self, content: np.ndarray, motion: Motion) -> np.ndarray:
        """The next picture painted, (height, width, 3), float32 in [0, 1].

        Args:
            content: It, of the size of the first.
            motion: From the one before to it, of any size.
        """
        matching = self._matching
        matching.given = replace(matching.given, content=content)
        matching.wash = _moved(matching.wash, motion)
        # The same keys are drawn for each picture, whatever came before it.
        rng, before = layer_rng(matching.given.seed, TRANSFER), None
        for scale in matching.scales:
            scale.field = self._followed(scale, before, motion, rng)
            before = scale
        return finish(matching, self._colours)[0]

    @property
    def state(self) -> list[np.ndarray]:
        """What `follow` changes; set, it goes on from there, after the same first picture."""
        return [self._matching.wash, *(scale.field for scale in self._matching.scales)]

    @state.setter
    def state(self, state: Sequence[np.ndarray]) -> None:
        self._matching.wash, *fields = state
        for scale, field in zip(self._matching.scales, fields, strict=True):
            scale.field = field

    def _followed(
        self, scale: Scale, before: Scale | None, motion: Motion, rng: np.random.Generator
    ) -> np.ndarray:
        """The finds at one scale, (rows, columns, 2), float32: they move by parts of a pixel."""
        matching, style, grid = self._matching, scale.style, scale.grid
        features, salient = matching.look_at(scale.level)
        target, share = matching.wanted(scale, features, salient)
        moved, kept, still = _along(scale, motion)
        field = np.rint(moved).astype(np.int32)
        kept &= style.holds(field)
        searched = scale.level.rounds > 0
        if before is not None:
            field[~kept] = style.moved_in(matching.inherited(before, grid))[~kept]
        elif not kept.all():
            field[~kept] = style.moved_in(np.zeros_like(field))[~kept]
        if searched and not kept.all():
            current = target if before is None else matching.vote(style, field, grid)
            queries = matching.project(style, (1 - share) * current + share * target, grid)
            field = style.search_again(queries, field, ~kept, grid.step, rng)
        if not searched:
            queries = matching.corrections(scale, target, share, field)
            field = style.correct(queries, field, grid.step, within=_STEADY)
        # What stands still keeps its strokes; a find that stays keeps its part of a pixel.
        same = (field == np.rint(moved)).all(axis=-1) | (kept & still)
        return np.where(same[..., None], moved, field.astype(np.float32))


def _along(scale: Scale, motion: Motion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finds moved with what they show; where it was in sight before, and where it is still."""
    grid, rows_columns = scale.grid, scale.field.shape[:2]
    offset = grid.at_places(_at_size(motion.offset, grid.size))
    seen = grid.at_places(fit_mask(motion.seen.astype(np.float32), grid.size)) >= _SEEN
    here = np.moveaxis(np.indices(rows_columns), 0, -1) * grid.step
    was = here + offset
    place = np.rint(was / grid.step).astype(int)
    nearest = place.clip(0, np.array(rows_columns) - 1)
    inside = (place == nearest).all(axis=-1)
    found = scale.field[nearest[..., 0], nearest[..., 1]] + (was - nearest * grid.step)
    return found.astype(np.float32), seen & inside, (offset == 0).all(axis=-1)


def _at_size(offset: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Offsets at another size, in its pixels."""
    ratio = np.array(size, np.float32) / offset.shape[:2]
    return resize_features(offset, size) * ratio


def _moved(values: np.ndarray, motion: Motion) -> np.ndarray:
    """An array (height, width, n) moved along."""
    where = np.indices(values.shape[:2]) + np.moveaxis(
        _at_size(motion.offset, values.shape[:2]), -1, 0
    )
    moved = [
        ndimage.map_coordinates(values[..., i], where, order=1, mode="nearest")
        for i in range(values.shape[2])
    ]
    return np.stack(moved, axis=-1)
