"""Statistics of feature maps that stand for style, and their distances.

All take features (1, height, width, n), work in float32 and sum over pixels.
"""

from keras import ops


def _rows(features):
    return ops.cast(ops.reshape(features, (-1, features.shape[-1])), "float32")


def _pixels(rows):
    return ops.cast(ops.shape(rows)[0], "float32")


def gram_matrix(features):
    """Gram matrix (n, n), the mean over pixels of f f^T. Reference: Gatys et al. 2016."""
    rows = _rows(features)
    return ops.matmul(ops.transpose(rows), rows) / _pixels(rows)


def mean_std(features):
    """Mean and standard deviation of each channel, (n,) both. Reference: Li et al. 2017."""
    rows = _rows(features)
    mean = ops.mean(rows, axis=0)
    # The tiny constant keeps the gradient of the root finite for a dead channel.
    return mean, ops.sqrt(ops.mean(ops.square(rows - mean), axis=0) + 1e-12)


def mean_covariance(features):
    """Mean (n,) and covariance (n, n).

    Unlike the Gram matrix, whose entries the large means of ReLU features dominate, the pair
    weighs means and co-variation separately.
    """
    rows = _rows(features)
    mean = ops.mean(rows, axis=0)
    centred = rows - mean
    return mean, ops.matmul(ops.transpose(centred), centred) / _pixels(rows)


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


# The loss of OptimiseConfig by name: what is measured, and how far apart two of it are.
STYLE_LOSSES = {
    "gram": (gram_matrix, gram_loss),
    "mean_std": (mean_std, mean_std_loss),
    "mean_covariance": (mean_covariance, mean_covariance_loss),
}
