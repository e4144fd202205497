"""The angle between an image and what its network converges to (Theorems 5.4 and A.6).

Every `image` x here is (height, width), at least 0, not all 0: pixels in [0, 1], no mean
subtracted. ValueError names any other.
"""

import numpy as np

from recon.theory.convergence import axis_routes, energies
from recon.theory.operators import as_maps, window_sums
from rrstyle.networks.plan import Plan


def cosine(plan: Plan, image) -> float:
    """cos Phi in (0, 1], of the angle between the image and its convergence value, exactly.

    `x . z* / (||x|| ||z*||)`, `z*_t = sqrt(sum_l n_(l, t) x_l^2)`.

    Reference: Proof of Theorem A.6.
    """
    x = _positive(image)
    z = np.sqrt(energies(plan, x)[-1])
    return float(min(np.sum(x * z) / (np.linalg.norm(x) * np.linalg.norm(z)), 1.0))


def two_layer_bound(image, kernel: int) -> float:
    """A lower bound in (0, 1] on cos Phi of one convolution of `kernel` x `kernel` and the mean.

    `cos Phi >= 1 - sum_t eps_t x_t / sum_t x_t^2`, eps_t the pixel less the mean of its patch,
    where the mean divides by all kernel^2 pixels at the borders too: those outside are zeros.
    ValueError for a kernel below 1.

    Reference: Theorem 5.4. Printed leaves open what a patch mean is at the borders; dividing by
        the pixels inside it only gives no bound. Zeros in the image do no harm.
    """
    x = _positive(image)
    if kernel < 1:
        raise ValueError(f"kernel must be at least 1; received {kernel!r}")
    rows, columns = (window_sums(side, kernel) for side in x.shape)
    return _bound(x, rows @ x @ columns.T / kernel**2)


def multilayer_bound(plan: Plan, image) -> float:
    """A lower bound in (0, 1] on cos Phi of any plan.

    `cos Phi >= x^T n x / (||x||^2 sqrt(max row sum of n x max column sum of n))`, n the route
    matrix: the row sums bound ||z*||, and by Cauchy-Schwarz z*_t is at least the sum of n_(l, t)
    x_l over the root of a column sum. For one convolution on an image no smaller than its kernel
    this is Theorem 5.4.

    Reference: Stands in for the extension of Theorem A.6 to several layers, see
        `printed_multilayer_bound`.
    """
    x = _positive(image)
    rows, columns = (axis_routes(plan, side) for side in x.shape)
    most = [n.sum(axis=axis).max() for n in (rows, columns) for axis in (0, 1)]
    routed = np.sum(x * (rows.T @ x @ columns))
    return float(routed / (np.sum(x * x) * np.sqrt(np.prod(most))))


def printed_multilayer_bound(plan: Plan, image) -> float:
    """The paper's printed lower bound on cos Phi of several layers, which does not hold.

    `1 - sum_t eps_t x_t / sum_t x_t^2`, eps_t the pixel less the mean of its receptive field
    weighted by route counts, 0 where no route leads. The proof needs the same counts about every
    pixel; after a zero insertion they alternate, and near a border they fall off. It is 1 on a
    constant image, whatever f* is; after a zero insertion and a single convolution it fails on
    photographs too.

    Reference: End of the proof of Theorem A.6, as printed, to show where it fails.
    """
    x = _positive(image)
    rows, columns = (axis_routes(plan, side) for side in x.shape)
    counts = np.outer(rows.sum(axis=0), columns.sum(axis=0))
    means = np.divide(rows.T @ x @ columns, counts, out=np.zeros_like(x), where=counts > 0)
    return _bound(x, means)


def _bound(x: np.ndarray, means: np.ndarray) -> float:
    return float(1 - np.sum((x - means) * x) / np.sum(x * x))


def _positive(image) -> np.ndarray:
    maps = as_maps(image)
    if maps.shape[2] != 1:
        raise ValueError(f"image must have one channel; received shape {np.shape(image)}")
    if maps.min() < 0 or not maps.any():
        raise ValueError(
            "image must be at least 0 everywhere, and more somewhere;"
            f" received values from {maps.min():g} to {maps.max():g}"
        )
    return maps[:, :, 0]
