"""FVTs in closed form: affine maps between the Gaussians fitted to two sets of features.

All are x -> (x - m_c) A + m_s, with (m_c, C_c) and (m_s, C_s) the means and covariances of the
content and style features:

- adain: A = diag(sigma_s / sigma_c), Huang & Belongie 2017;
- whitening: A = C_c^(-1/2) C_s^(1/2), whitening and colouring, Li et al. 2017;
- transport: A = C_c^(-1/2) (C_c^(1/2) C_s C_c^(1/2))^(1/2) C_c^(-1/2), the optimal transport
  (Monge) map, the one that moves the features least; Gelbrich 1990;
- knothe: A = L_c^(-T) L_s^T with C = L L^T (Cholesky), the Knothe-Rosenblatt rearrangement:
  channel after channel, each given those before it. It depends on the order of the channels, so
  each random network gives another map.

Features are NumPy arrays or, in an exported graph, tensors. Statistics and eigen-decompositions are
in float64.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rrstyle.namespace import array_namespace

METHODS = ("adain", "whitening", "transport", "knothe")

# Added to the variances, relative to the mean variance of both, so that directions in which the
# content hardly varies are not amplified. The second keeps the map of constant images finite.
_VARIANCE_FLOOR = 1e-4
_POWER_FLOOR = 1e-6
# For features that are all zero; far below the products of covariances of any other features.
_TINY = 1e-120
_ROUNDING = 1e-15  # relative to the largest eigenvalue
_STRIP = 4096  # rows summed at once: they stay in the processor's cache


class Gaussian(NamedTuple):
    """Mean (n,) and covariance (n, n) of features, float64."""

    mean: Any
    covariance: Any


class AffineMap(NamedTuple):
    """x -> (x - centre) matrix + offset."""

    matrix: Any
    centre: Any
    offset: Any

    def __call__(self, features):
        """Apply to features (..., n); float32 in and out."""
        xp = array_namespace(features)
        shift = self.offset - xp.matmul(self.centre, self.matrix)
        matrix, shift = (xp.array(a, dtype="float32") for a in (self.matrix, shift))
        return xp.matmul(features, matrix) + shift

    def towards(self, strength: float) -> "AffineMap":
        """The map (1 - strength) identity + strength self: a point on the transport's path."""
        size, xp = self.matrix.shape[0], array_namespace(self.matrix)
        matrix = (1 - strength) * xp.eye(size, dtype="float64") + strength * self.matrix
        return AffineMap(matrix, self.centre, (1 - strength) * self.centre + strength * self.offset)

    def push(self, gaussian: Gaussian) -> Gaussian:
        """The Gaussian of mapped features, of the Gaussian of features."""
        mean = (gaussian.mean - self.centre) @ self.matrix + self.offset
        return Gaussian(mean, self.matrix.T @ gaussian.covariance @ self.matrix)


def fit_gaussian(features, *, mask=None) -> Gaussian:
    """Mean and covariance of features (..., n) over all but the last axis.

    Args:
        features: Features it is fitted to, (..., channels).
        mask: Weight of each feature vector, (...), not all 0; never in a graph.
    """
    xp = array_namespace(features)
    rows = xp.reshape(features, (-1, features.shape[-1]))
    if xp is np and mask is None:
        return _by_strips(rows)
    rows = xp.array(rows, dtype="float64")
    if mask is not None:
        share = np.asarray(mask, np.float64).reshape(-1, 1)
        share = share / share.sum()
        mean = np.sum(share * rows, axis=0)
        centred = rows - mean
        return Gaussian(mean, (share * centred).T @ centred)
    mean = xp.mean(rows, axis=0)
    centred = rows - mean
    count = xp.array(xp.shape(rows)[0], dtype="float64")
    return Gaussian(mean, xp.matmul(xp.transpose(centred), centred) / count)


def _by_strips(rows: np.ndarray) -> Gaussian:
    """`fit_gaussian` of an array, without float64 copies of all of it: they take half the time."""
    near = rows[:: 1 + len(rows) // _STRIP].mean(axis=0, dtype=np.float64)
    first, second = np.zeros_like(near), np.zeros((len(near), len(near)))
    for start in range(0, len(rows), _STRIP):
        strip = rows[start : start + _STRIP] - near
        first += strip.sum(axis=0)
        second += strip.T @ strip
    offset = first / len(rows)
    return Gaussian(near + offset, second / len(rows) - np.outer(offset, offset))


def _powers(symmetric, *exponents: float) -> list[Any]:
    xp = array_namespace(symmetric)
    values, vectors = xp.linalg.eigh(symmetric)
    values = xp.maximum(values, _ROUNDING * xp.max(values))
    return [xp.matmul(vectors * values**e, xp.transpose(vectors)) for e in exponents]


def fit_map(method: str, content: Gaussian, style: Gaussian) -> AffineMap:
    """The affine map of `method` from the content's Gaussian to the style's.

    Args:
        method: Name, one of METHODS.
        content: Source.
        style: Target.

    Returns:
        The map; the mapped content has the style's mean, and its covariance (its variances, for
        adain) up to the floor.

    Raises:
        ValueError: If the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; received {method!r}")
    size, xp = content.covariance.shape[0], array_namespace(content.mean)
    floor = (
        _VARIANCE_FLOOR * (xp.trace(content.covariance) + xp.trace(style.covariance)) / (2 * size)
        + _POWER_FLOOR * (xp.mean(content.mean**2) + xp.mean(style.mean**2))
        + _TINY
    )
    floor = floor * xp.eye(size, dtype="float64")
    source, target = content.covariance + floor, style.covariance + floor
    if method == "adain":
        matrix = xp.diag(xp.sqrt(xp.diagonal(target) / xp.diagonal(source)))
    elif method == "whitening":
        matrix = xp.matmul(*_powers(source, -0.5), *_powers(target, 0.5))
    elif method == "knothe":
        lower, wanted = xp.linalg.cholesky(source), xp.linalg.cholesky(target)
        matrix = xp.linalg.solve(xp.transpose(lower), xp.transpose(wanted))
    else:
        root, inverse = _powers(source, 0.5, -0.5)
        (middle,) = _powers(xp.matmul(xp.matmul(root, target), root), 0.5)
        matrix = xp.matmul(xp.matmul(inverse, middle), inverse)
    return AffineMap(matrix, content.mean, style.mean)


def pool_gaussians(gaussians: Sequence[Gaussian], shares: Sequence[float]) -> Gaussian:
    """The moments of a mixture of Gaussians, each with its share.

    The Wasserstein barycentre, the other way to blend Gaussians, would average the palettes, which
    gives paler colours than any of them has.
    """
    if len(gaussians) == 1:
        return gaussians[0]
    mean = sum(s * g.mean for s, g in zip(shares, gaussians, strict=True))
    second = sum(
        s * (g.covariance + np.outer(g.mean - mean, g.mean - mean))
        for s, g in zip(shares, gaussians, strict=True)
    )
    return Gaussian(mean, second)
