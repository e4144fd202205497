"""Whether a network of ReLU layers without biases can be inverted: at an input, and at all of them.

`layers` are matrices (outputs, inputs), the first layer's first: x -> ReLU(W x) one after the
other. At an input off the borders of its linear regions the network is a matrix J, the product of
the rows that are active. One layer gives x back if and only if J has the rank of its n inputs; for
more layers this says that no input of the region gives the same output.

A layer of rows in general position is injective if and only if at least n of them are active at
*every* x. Their least number is the halfspace depth of the origin among the rows, NP-hard to
compute: what `fewest_active` finds is an upper bound of it. An x with fewer than n active rows
proves that the layer is not injective; that none is found proves nothing.

Reference: Puthawala, Kothari, Lassas, Dokmanić & de Hoop, "Globally injective ReLU networks",
    JMLR 2022, Theorem 2 and its corollaries.
"""

from collections.abc import Sequence

import numpy as np

from recon.invertibility.convolution import convolve

# Of the search, in deviations of the rows' products with x: scales at the first and the last step.
_GIVEN_UP = 0.7, 0.2  # rows this far above zero no longer pull
_KEPT = 0.1, 0.002  # rows this far below zero no longer push
_RATE, _MOMENTUM = 0.03, 0.9


def convolution_matrix(filters, side: int) -> np.ndarray:
    """W of square filters of an odd size (l, l, M, K) on maps of `side`, with zeros around them.

    Returns:
        float64 (side^2 K, side^2 M); entries of a place are together, its channels in order.
    """
    size, inputs = len(filters), filters.shape[2]
    basis = np.eye(side * side * inputs).reshape(-1, side, side, inputs)
    return convolve(basis, filters, padding=size // 2).reshape(len(basis), -1).T


def linear_region(layers: Sequence[np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrix J (outputs, n) of the region of an input x (n,), and the output J x."""
    matrix = np.eye(len(x))
    for layer in layers:
        matrix, x = layer @ matrix, layer @ x
        matrix, x = matrix * (x > 0)[:, None], np.maximum(x, 0)
    return matrix, x


def inversion_error(layers: Sequence[np.ndarray], x: np.ndarray) -> float:
    """||x' - x|| / ||x|| of the least x' in x's region that gives the output, known to float32."""
    matrix, output = linear_region(layers, x)
    found = np.linalg.lstsq(matrix, output.astype(np.float32), rcond=None)[0]
    return float(np.linalg.norm(found - x) / np.linalg.norm(x))


def fewest_active(
    layers: Sequence[np.ndarray], *, starts: int, steps: int, rng: np.random.Generator
) -> tuple[int, np.ndarray]:
    """The least number of active rows of the last layer that a search finds, and an input there.

    Descent on the sum over the active rows of 1 - exp(-a / c), a their product with x and c falling
    with the steps: near zero a count of them, which gives up the rows that are far above zero. A
    sigmoid, which has rows move away from zero on both sides, ends a fifth higher.

    Args:
        starts: Random inputs to start from, all moved at once.
        steps: Steps of each.

    Returns:
        The number, and float32 (n,) of norm 1.
    """
    layers = [layer.astype(np.float32) for layer in layers]
    inputs = layers[0].shape[1]
    points = _unit(rng.normal(size=(starts, inputs)).astype(np.float32))
    speed = np.zeros_like(points)
    fewest, best = len(layers[-1]) + 1, points[0]
    for step in range(steps):
        share = step / steps
        given_up, kept = (first * (last / first) ** share for first, last in (_GIVEN_UP, _KEPT))
        below, open_rows = points, []
        for layer in layers[:-1]:
            below = np.maximum(below @ layer.T, 0)
            open_rows.append(below > 0)
        products = below @ layers[-1].T
        active = (products > 0).sum(axis=1)
        if active.min() < fewest:
            fewest, best = int(active.min()), points[active.argmin()].copy()
        products /= products.std(axis=1, keepdims=True) + np.float32(1e-30)
        pull = np.exp(np.minimum(products, 0) / kept - np.maximum(products, 0) / given_up)
        slope = pull @ layers[-1]
        for layer, is_open in zip(layers[-2::-1], open_rows[::-1], strict=True):
            slope = (slope * is_open) @ layer
        slope -= (slope * points).sum(axis=1, keepdims=True) * points
        speed = _MOMENTUM * speed + _unit(slope)
        points = _unit(points - _RATE * (1 - share) * speed)
    return fewest, best


def _unit(points: np.ndarray) -> np.ndarray:
    return points / (np.linalg.norm(points, axis=1, keepdims=True) + np.float32(1e-12))
