"""Codes from images: Algorithm 1, model-based iterative hard thresholding, and Algorithm 2.

Codes are float64, of the `dimsd` of an operator W; images have its `dims`.
"""

import numpy as np
from pylops import Diagonal
from pylops.optimization.sparsity import fista

from recon.invertibility.convolution import Convolution
from recon.invertibility.sparsity import max_pool, sparsify, unpool


def iterative_hard_thresholding(
    operator: Convolution,
    images,
    k: int,
    *,
    iterations: int = 1,
    step: float = 1.0,
    pool: int | None = None,
) -> np.ndarray:
    """Model-k-sparse codes by Algorithm 1: `z <- M(z + step W (x - W^T z), k)`, from z = 0.

    One iteration of step 1 is a layer of a CNN, `M(W x, k)`. Its fixed points near z are right
    where the model-RIP holds; elsewhere only steps of at most 1 / ||W||^2 are sure not to diverge.

    `pool` is as in `sparsify`; ValueError for less than one iteration.

    Reference: Algorithm 1, whose Phi is the transpose of W; the printed one has step 1 and an
        unstated stopping criterion.
    """
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1; received {iterations}")
    images = np.asarray(images, np.float64)
    codes = sparsify(step * (operator @ images), k, pool)
    for _ in range(iterations - 1):
        codes = sparsify(codes + step * (operator @ (images - operator.H @ codes)), k, pool)
    return codes


def recover_codes(
    operator: Convolution, images, *, penalty: float, iterations: int, norm: float, pool: int
) -> np.ndarray:
    """Codes of at most one entry a region whose W^T z is near the images, by Algorithm 2.

    1. `z' = argmin ||x - W^T z||^2 + lambda ||z||_1`;
    2. the support is where max pooling and unpooling with switches leave z' non-zero;
    3. the same problem again on that support alone.

    Both are solved by FISTA. lambda is relative: the smallest for which z' = 0 is
    2 max|W x|, of each image by itself, so codes do not depend on the rest of their batch.

    Args:
        penalty: lambda over that smallest one, in (0, 1); the paper does not say.
        iterations: FISTA iterations for each of the two problems.
        norm: ||W||, see `spectral_norm`.

    Raises:
        ValueError: If the penalty is outside, or an image has W x = 0.

    Reference: Algorithm 2. Printed, the switches of line 2 are those of z, which is not there yet;
        they are those of z^init.
    """
    if not 0 < penalty < 1:
        raise ValueError(f"penalty must be in (0, 1); received {penalty}")
    images = np.asarray(images, np.float64)
    axes = tuple(range(1, images.ndim))
    scale = np.abs(operator @ images).max(axis=axes, keepdims=True)
    if not scale.all():
        raise ValueError("images must not be orthogonal to all filters; received one that is")
    scaled = (images / scale).ravel()

    def solve(synthesis) -> np.ndarray:
        # alpha <= 1 / ||W||^2, or FISTA diverges; the norm comes from below.
        alpha = 0.999 / norm**2
        found, *_ = fista(synthesis, scaled, niter=iterations, eps=2 * penalty, alpha=alpha)
        return found.reshape(operator.dimsd)

    values, switches = max_pool(solve(operator.H), pool)
    support = unpool(values, tuple(operator.dimsd[1:-1]), pool, switches) != 0
    # A masked entry has no gradient, so it stays the zero that it starts from.
    masked = operator.H @ Diagonal(support.ravel().astype(np.float64))
    masked.forceflat = True  # it would give images their axes back, and FISTA subtracts flat ones
    return scale * solve(masked)
