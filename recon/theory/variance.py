"""How far the output of finitely many channels is from its limit (Theorems 5.2 and 5.3).

Both are Markov bounds on relative variances, for Gaussian filters and ReLU: K_1 = pi - 1 of a
response, K_2 = 5 of its square.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recon.theory.convergence import energies
from recon.theory.moments import moments
from recon.theory.operators import axis_operators
from rrstyle.networks.plan import Conv, Plan


@dataclass(frozen=True)
class Bound:
    """An upper bound on a sine or on a relative error, for which 1 says nothing."""

    value: float

    @property
    def vacuous(self) -> bool:
        """Whether it says nothing: no sine is above 1, and no picture at all has an error of 1."""
        return self.value >= 1


def two_layer_bound(channels: int, *, delta: float) -> Bound:
    """sin Theta of one convolution and the mean, with probability at least 1 - delta.

    `sin Theta <= sqrt(K_1 / (N delta))`, K_1 = pi - 1.

    Reference: Theorem 5.2, as printed. Loose: the mean of sin^2 is already below K_1 / N.
    """
    return multilayer_bound([channels], delta=delta)


def multilayer_bound(channels: Sequence[int], *, delta: float, amplification: float = 1.0) -> Bound:
    """sin Theta of several convolutions and the mean, with probability at least 1 - delta.

    `sin Theta <= s + sqrt((L - 2) s prod_i lambda_i)`, `s = sqrt((K_1 / N_{L-1} + sum_{i <= L-2}
    K_2 / N_i) / delta)`: the printed s = sqrt((L - 1) / (N delta)) with its mean N written out.

    L - 1 is the number of convolutions here. Pools and upsamplings add no randomness, so they are
    left out of the sum and of L; their lambda_i stay in the product.

    `channels` are the N_i of one convolution or more, each at least 1, `delta` is in (0, 1), and
    `amplification`, prod_i lambda_i, at least 1, the least possible; else ValueError.

    Reference: Theorem 5.3, with delta_i = delta K_2^(i-1) N / ((L - 1) N_i), which add up to delta;
        printed is K_2^(i). One convolution gives Theorem 5.2.
    """
    if not channels or min(channels) < 1:
        raise ValueError(f"channels must be at least 1, of at least one layer; received {channels}")
    if not 0 < delta < 1:
        raise ValueError(f"delta must be in (0, 1); received {delta!r}")
    if not amplification >= 1:
        raise ValueError(f"amplification must be at least 1; received {amplification!r}")
    gaussian = moments("gaussian", 1.0)
    *earlier, last = channels
    variance = gaussian.K1 / last + sum(gaussian.K2 / n for n in earlier)
    step = math.sqrt(variance / delta)
    return Bound(step + math.sqrt(len(earlier) * step * amplification))


def amplification(plan: Plan, image) -> np.ndarray:
    """lambda_i, the factor by which each layer can at most widen the angle of its input.

    `lambda_i = ||S_i||_2 ||x|| / ||S_i x||`, S_i the 0/1 matrix of sums over the layer's windows
    and x the limit of the squared norms that it is given. The last, for the step from squares to
    norms, has one window over all pixels: `sqrt(d) ||x|| / sum x`. The first convolution is given
    no error and has none. For disjoint windows of one size they are the printed
    `1 / sqrt(1 - ||eps||^2 / ||x||^2)`.

    Returns:
        One a layer after the first convolution, and the last; each at least 1, and [] for a single
        convolution, to which Theorem 5.2 applies. ValueError names an image that is all 0.

    Reference: Theorem 5.3. Printed is its case of disjoint windows of one size, which no VGG has;
        with the spectral norm the proof goes through for windows that overlap or are cut off, and
        for any number of routes.
    """
    maps = energies(plan, image)
    if not maps[0].any():
        raise ValueError("image must have a pixel other than 0; received zeros only")
    convolutions = [i for i, layer in enumerate(plan.layers) if isinstance(layer, Conv)]
    if len(convolutions) == 1:
        return np.ones(0)
    operators = [axis_operators(plan.layers, side) for side in maps[0].shape]
    factors = []
    for i in range(convolutions[0] + 1, len(plan.layers)):
        norm = math.prod(np.linalg.norm(axis[i], 2) for axis in operators)
        factors.append(norm * np.linalg.norm(maps[i]) / np.linalg.norm(maps[i + 1]))
    patches = maps[-1]
    factors.append(math.sqrt(patches.size) * np.linalg.norm(patches) / patches.sum())
    return np.maximum(factors, 1)  # rounding may take a 1 below it


def bound_of_plan(plan: Plan, image, *, delta: float) -> Bound:
    """Theorem 5.3 of a plan, its channels and an image; Theorem 5.2 for a single convolution.

    Reference: Theorems 5.2 and 5.3, corrected as said there.
    """
    product = float(np.prod(amplification(plan, image)))
    channels = [layer.channels for layer in plan.layers if isinstance(layer, Conv)]
    return multilayer_bound(channels, delta=delta, amplification=product)
