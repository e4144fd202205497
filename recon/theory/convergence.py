"""The image to which the mean head converges as the channels grow (Theorem 5.1)."""

import math
from functools import reduce

import numpy as np

from recon.theory.moments import moments
from recon.theory.operators import as_maps, axis_operators, check_plan
from rrstyle.networks.plan import Conv, Plan


def constant(plan: Plan, *, std: float) -> float:
    """The constant k of f* = k z*, for Gaussian filters of true standard deviation `std` > 0.

    `k = k_1 x product of sqrt(k_2) over every convolution but the last`, with k_1 = std / sqrt(2
    pi) and k_2 = std^2 / 2; pools and upsamplings count 1.

    Other symmetric laws of i.i.d. weights have the same k as soon as the plan has two convolutions:
    k_2 needs the variance only, and the patches of the last convolution spread over infinitely many
    channels, on which its responses are Gaussian. With a single convolution the limit depends on
    the law and is not a multiple of z*.

    Reference: Theorem 5.1. Printed is k = k_1 x product of k_2 over all layers; the recursion of
        its proof multiplies norms, not squared norms, by the root of k_2.
    """
    k1, k2, earlier = _factors(plan, std)
    return k1 * math.sqrt(k2) ** earlier


def printed_constant(plan: Plan, *, std: float) -> float:
    """The paper's printed constant, which is that of a single convolution only.

    `k = k_1 x product of k_2`, read in its favour: over every convolution but the last, as pools
    and upsamplings have no k_2.

    Reference: End of the proof of Theorem A.1, as printed, to show where it fails.
    """
    k1, k2, earlier = _factors(plan, std)
    return k1 * k2**earlier


def _factors(plan: Plan, std: float) -> tuple[float, float, int]:
    """k_1, k_2 and the number of convolutions before the last."""
    layers = check_plan(plan, pools="l2")
    gaussian = moments("gaussian", std)
    return gaussian.k1, gaussian.k2, sum(isinstance(layer, Conv) for layer in layers) - 1


def energies(plan: Plan, image) -> list[np.ndarray]:
    """Squared norms over the channels, at each pixel: of the image and in the limit, unscaled.

    `e_0 = ||X_l||^2`, then `e_{i+1} = A_i e_i B_i^T`: sums over the windows of a convolution or of
    an l2 pool, zeros inserted or values repeated by an upsampling. The limit of the layer's own
    maps is k_2 times as much for each convolution up to it.

    Returns:
        One (height, width) for the image and for every layer; the last is z*^2.

    Reference: The sliding-window recursion in the proof of Theorem A.1.
    """
    layers = check_plan(plan, pools="l2")
    maps = as_maps(image)
    found = [np.sum(maps**2, axis=2)]
    operators = (axis_operators(layers, side) for side in found[0].shape)
    for rows, columns in zip(*operators, strict=True):
        found.append(rows @ found[-1] @ columns.T)
    return found


def convergence_value(plan: Plan, image, *, std: float) -> np.ndarray:
    """f*, (height, width), at least 0: the limit of the output as the channels of each layer grow.

    `f*_i = k z*_i`, `z*_i = sqrt(sum_l n_(l, i) ||X_l||^2)`, n the number of routes from input
    pixel l to output pixel i, k of `constant`; see there for the laws.

    Reference: Theorem 5.1, with the constant corrected and the root that one rendering loses.
    """
    return constant(plan, std=std) * np.sqrt(energies(plan, image)[-1])


def axis_routes(plan: Plan, size: int) -> np.ndarray:
    """Routes along one axis, (input pixels, output pixels): n is the Kronecker product of two."""
    layers = check_plan(plan, pools="l2")
    return reduce(lambda total, step: step @ total, axis_operators(layers, size)).T


def route_matrix(plan: Plan, height: int, width: int) -> np.ndarray:
    """n, (input pixels, output pixels), row by row: number of routes from each pixel to each.

    ValueError above 4096 pixels: n has the square of that many entries.

    Reference: n_(l, i) of Theorem 5.1.
    """
    if height * width > 4096:
        raise ValueError(f"height x width must be at most 4096 pixels; received {height} x {width}")
    return np.kron(axis_routes(plan, height), axis_routes(plan, width))


def route_counts(plan: Plan, height: int, width: int) -> np.ndarray:
    """Number of routes that lead to each output pixel, (height, width), as float64.

    `sum_l n_(l, i)`: z*^2 of an image of ones. After a zero insertion and one 3 x 3 convolution
    they are as 1, 2, 2, 4 in each 2 x 2 block of the interior, after two as 25, 20, 20, 16: f*
    of a constant image is a checkerboard.

    Reference: Theorem 5.1; the checkerboard is not in the paper.
    """
    return np.outer(*(axis_routes(plan, side).sum(axis=0) for side in (height, width)))
