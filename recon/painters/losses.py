"""How far a painter's picture is from the one that `paint` made of the same photograph.

Colours are compared place by place, strokes by their statistics: which stroke lies where is a
matter of a search, and cannot be learnt; where it is only averaged, a sky stays calm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from keras import ops

from rrstyle.networks.laws import PAINTER, layer_rng

_LEVELS = 3
_SIDE = 7  # of the patches that are compared, in pixels of their level
_DIRECTIONS = 12  # of the projections at a time
_BANKS = 16  # sets of them; the pictures name the one that is used
_FINE, _COARSE = 2.0, 2.5  # pixels, standard deviations
_COLOURS = 2.0  # weight of the colours


@dataclass(frozen=True)
class PaintingLoss:
    """The distance of pictures from painted ones, uint8 (batch, height, width, 3), as Keras' loss.

    Strokes: sliced Wasserstein distance between the patches of the two pictures at three levels of
    a Laplacian pyramid, and between the colours of what is left. Colours: mean absolute difference
    of the blurred pictures.

    Reference: Heitz et al., "A Sliced Wasserstein Loss for Neural Texture Synthesis", 2021; here
    on pixels, without a network.

    Attributes:
        units: Standard deviation of each level of painted pictures: `level_units`.
        seed: Seed of the projections.
    """

    units: tuple[float, ...]
    seed: int

    def __call__(self, painted, pictures):
        """Loss of each picture, (batch,)."""
        both = ops.cast(painted, "float32") / 255
        theirs, photographs = both[..., :3], both[..., 3:]
        ours = ops.cast(pictures, "float32")
        bank = ops.cast(ops.sum(ops.cast(painted, "int32")), "int32") % _BANKS
        colours = ops.mean(ops.abs(_blurred(ours - photographs, _COARSE)), axis=(1, 2, 3))
        levels = zip(_levels(ours), _levels(theirs), self._projections, strict=True)
        strokes = 0.0
        for number, (level, wanted, filters) in enumerate(levels):
            chosen = ops.take(filters, bank, axis=0)
            strokes = strokes + _distance(level, wanted, chosen, step=1 if number else 2)
        return _COLOURS * colours + strokes

    @cached_property
    def _projections(self) -> list[np.ndarray]:
        """Filters (banks, side, side, 3, directions) by level, of unit length over the unit."""
        banks = []
        for level, unit in enumerate(self.units):
            rng = layer_rng(self.seed, PAINTER, 1000 + level)
            side = _SIDE if level < _LEVELS else 1
            filters = rng.normal(size=(_BANKS, side, side, 3, _DIRECTIONS))
            filters /= unit * np.sqrt(np.sum(filters**2, axis=(1, 2, 3), keepdims=True))
            banks.append(filters.astype(np.float32))
        return banks


def level_units(pictures: Sequence[np.ndarray]) -> tuple[float, ...]:
    """Mean standard deviation of every level of images (height, width, 3) in [0, 1]."""
    found = [
        [float(ops.std(level)) for level in _levels(ops.convert_to_tensor(picture[None]))]
        for picture in pictures
    ]
    return tuple(max(float(np.mean(level)), 1e-3) for level in zip(*found, strict=True))


def _levels(pictures) -> list:
    """What is finer than _FINE at each halving, and what is left; (batch, height, width, 3)."""
    found = []
    for _ in range(_LEVELS):
        found.append(pictures - _blurred(pictures, _FINE))
        pictures = ops.average_pool(pictures, 2, 2, padding="valid")
    return [*found, pictures]


def _distance(ours, theirs, filters, *, step: int):
    def projected(level):
        found = ops.conv(level, filters, strides=step, padding="valid")
        rows = ops.reshape(found, (ops.shape(found)[0], -1, _DIRECTIONS))
        return ops.sort(ops.transpose(rows, (0, 2, 1)), axis=-1)

    return ops.mean(ops.abs(projected(ours) - projected(theirs)), axis=(1, 2))


def _blurred(pictures, std: float):
    reach = round(2.5 * std)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * std**2))
    kernel = (weights / weights.sum())[:, None, None] * np.eye(3)
    kernel = ops.convert_to_tensor(kernel.astype(np.float32))
    sides = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    padded = ops.pad(pictures, sides, mode="reflect")
    return ops.conv(ops.conv(padded, kernel[:, None]), kernel[None])
