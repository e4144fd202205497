"""Statistics of feature maps that stand for style, and their distances.

All take features (1, height, width, n), work in float32 and sum over pixels. With a mask, (1,
height, width, 1) of sum 1, each pixel counts as much as the mask says.

Statistics of several styles are pooled to those of a picture in which each covers its share.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops


def _rows(features):
    return ops.cast(ops.reshape(features, (-1, features.shape[-1])), "float32")


def _mean(rows, mask):
    if mask is None:
        return ops.mean(rows, axis=0)
    return ops.sum(ops.reshape(mask, (-1, 1)) * rows, axis=0)


def _second_moment(rows, mask):
    if mask is None:
        pixels = ops.cast(ops.shape(rows)[0], "float32")
        return ops.matmul(ops.transpose(rows), rows) / pixels
    return ops.matmul(ops.transpose(ops.reshape(mask, (-1, 1)) * rows), rows)


def gram_matrix(features, mask=None):
    """Gram matrix (n, n), the mean over pixels of f f^T. Reference: Gatys et al. 2016."""
    return _second_moment(_rows(features), mask)


def mean_std(features, mask=None):
    """Mean and standard deviation of each channel, (n,) both. Reference: Li et al. 2017."""
    rows = _rows(features)
    mean = _mean(rows, mask)
    # The tiny constant keeps the gradient of the root finite for a dead channel.
    return mean, ops.sqrt(_mean(ops.square(rows - mean), mask) + 1e-12)


def mean_covariance(features, mask=None):
    """Mean (n,) and covariance (n, n).

    Unlike the Gram matrix, whose entries the large means of ReLU features dominate, the pair
    weighs means and co-variation separately.
    """
    rows = _rows(features)
    mean = _mean(rows, mask)
    return mean, _second_moment(rows - mean, mask)


def _mix(values, shares):
    return sum(share * value for share, value in zip(shares, values, strict=True))


def _pooled(found, shares, product):
    """Means and second central moments of several: spreads within each, and between their means."""
    means, moments = zip(*found, strict=True)
    mean = _mix(means, shares)
    spread = [c + product(m - mean) for m, c in zip(means, moments, strict=True)]
    return mean, _mix(spread, shares)


def pool_mean_std(found, shares):
    """Means and standard deviations of several, pooled."""
    mean, variance = _pooled([(m, ops.square(std)) for m, std in found], shares, ops.square)
    return mean, ops.sqrt(variance)


def pool_mean_covariance(found, shares):
    """Means and covariances of several, pooled."""
    return _pooled(found, shares, lambda offset: ops.outer(offset, offset))


def _relative(a, b, scale):
    return ops.sum(ops.square(a - b)) / (scale + 1e-12)


def gram_loss(a, b):
    """Squared distance of two Gram matrices, relative to the second."""
    return _relative(a, b, ops.sum(ops.square(b)))


def mean_std_loss(a, b):
    """Squared distance of means and standard deviations, relative to the second's variance."""
    (mean, std), (target_mean, target_std) = a, b
    scale = ops.sum(ops.square(target_std))
    return _relative(mean, target_mean, scale) + _relative(std, target_std, scale)


def mean_covariance_loss(a, b):
    """Squared distance of means and covariances, relative to the second's variance."""
    (mean, covariance), (target_mean, target_covariance) = a, b
    return _relative(mean, target_mean, ops.trace(target_covariance)) + _relative(
        covariance, target_covariance, ops.sum(ops.square(target_covariance))
    )


def squared_distance(a, b):
    """Sum of squared differences of features or of their statistics, equations 3 and 4.

    Matrices (n, n) count in units of n: the Gram matrix of Johnson et al. 2016, which is divided by
    channels and pixels.
    """

    def total(x, y):
        return ops.sum(ops.square(x - y)) / (x.shape[-1] ** 2 if len(x.shape) == 2 else 1)

    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    return sum(total(x, y) for x, y in pairs)


class StyleLoss(NamedTuple):
    """A loss of `OptimiseConfig`."""

    measure: Callable  # of features and a mask: their statistics
    distance: Callable  # of two statistics, the second the target: the loss
    pool: Callable  # of the statistics of several styles and their shares: those of all


STYLE_LOSSES = {
    "gram": StyleLoss(gram_matrix, gram_loss, _mix),
    "mean_std": StyleLoss(mean_std, mean_std_loss, pool_mean_std),
    "mean_covariance": StyleLoss(mean_covariance, mean_covariance_loss, pool_mean_covariance),
}
