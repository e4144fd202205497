"""Several styles as one: features of each, and the share that each has in the result."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rrstyle.transfer.closed_form import Gaussian, fit_gaussian, pool_gaussians

MOST_STYLES = 4


@dataclass(frozen=True)
class Blend:
    """Styles and their shares."""

    parts: tuple[np.ndarray, ...]  # (height, width, n), each of its own size: features or pictures
    shares: tuple[float, ...] = (1.0,)  # of the parts, positive, of sum 1

    @classmethod
    def of(cls, style: "np.ndarray | Blend") -> "Blend":
        """A blend unchanged; an array as a blend of one style."""
        return style if isinstance(style, Blend) else cls((style,))

    def map(self, function: Callable[[Any], np.ndarray]) -> "Blend":
        """A blend of `function` of each part, with the same shares."""
        return Blend(tuple(function(part) for part in self.parts), self.shares)

    def gaussian(self) -> Gaussian:
        """Mean and covariance of a picture in which each part covers its share."""
        return pool_gaussians([fit_gaussian(part) for part in self.parts], self.shares)

    def root_mean_square(self) -> float:
        """Root mean square of the same picture."""
        powers = [np.mean(np.square(part, dtype=np.float64)) for part in self.parts]
        return math.sqrt(sum(s * p for s, p in zip(self.shares, powers, strict=True)))

    def least_size(self) -> tuple[int, int]:
        """The smallest height and the smallest width."""
        height, width = (min(part.shape[axis] for part in self.parts) for axis in range(2))
        return height, width


def check_shares(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    """The share of each of `count` styles.

    Args:
        weights: Non-negative numbers, one per style; equal ones by default.
        count: Number of styles.

    Returns:
        The weights over their sum.

    Raises:
        ValueError: If a weight is missing, negative or not finite, or all are 0.
    """
    if weights is None:
        return (1 / count,) * count
    if not (isinstance(weights, Sequence | np.ndarray) and all(map(_is_weight, weights))):
        raise ValueError(f"weights must be finite non-negative numbers; received {weights!r}")
    if len(weights) != count:
        raise ValueError(f"weights must be one a style; received {len(weights)} for {count}")
    largest = max(weights)
    if largest == 0:
        raise ValueError(f"weights must not all be 0; received {weights!r}")
    scaled = [float(weight / largest) for weight in weights]  # their sum stays finite
    return tuple(weight / sum(scaled) for weight in scaled)


def _is_weight(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and 0 <= value <= float(np.finfo(np.float64).max)
