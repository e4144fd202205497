"""The limit of random networks with average pooling, by their kernels (Theorem A.7).

Images have at most 64 x 64 pixels: a kernel C has the square of their number of entries, and three
such arrays are held at a time. ValueError names larger ones, and a `std` that is not positive.
"""

from collections.abc import Sequence

import numpy as np

from recon.theory.moments import arc_cosine, half_moment
from recon.theory.operators import as_maps, axis_operators, check_plan, window_sums
from rrstyle.networks.plan import Conv, Layer, Plan

MOST_PIXELS = 64 * 64
_BLOCK = 256  # rows whose temporaries are held at once


def pixel_kernel(plan: Plan, image, *, std: float) -> np.ndarray:
    """C, (pixels, pixels), row by row: the limit of the inner products of two pixels of the maps.

    From `C = X^T X` of the image,
    convolution: `C_jk <- k_2 h(phi_jk) z_j z_k`, with `z_j z_k cos phi_jk = sum_s C_(j+s)(k+s)`
    over the offsets s of the window where both pixels are inside, `z_j^2` its value at j = k and h
    of `moments.arc_cosine`;
    average pool: means over the windows of both pixels;
    upsampling: the values where the zero insertion or repetition puts them, zeros elsewhere.

    Every convolution's maps are divided by sqrt(N_i) here, the last one's too, or there would be no
    limit. Gaussian filters; for other laws it is the limit only from the second convolution on,
    whose patches spread over infinitely many channels.

    Reference: Theorem A.7, as printed; a patch of norm 0 has no angle and gives 0. Windows cut off
        by the border average what is inside, as the networks do; the paper's r_i is one number.
    """
    products = _kernel(check_plan(plan, pools="average"), image, std)
    pixels = products.shape[0] * products.shape[1]
    return products.reshape(pixels, pixels)


def convergence_value(plan: Plan, image, *, std: float) -> np.ndarray:
    """f*, (height, width), at least 0: the limit of the mean head under average pooling.

    `f*_t = k_1 z_t`, `z_t^2` the sum of C_ll over the window of t, C the kernel before the last
    convolution.

    Reference: Theorem A.7, as printed.
    """
    *layers, last = check_plan(plan, pools="average")
    assert isinstance(last, Conv)
    norms = np.einsum("ijij->ij", _kernel(layers, image, std))
    rows, columns = (window_sums(side, last.kernel) for side in norms.shape)
    return half_moment("gaussian", std, 1) * np.sqrt(rows @ norms @ columns.T)


def _kernel(layers: Sequence[Layer], image, std: float) -> np.ndarray:
    """(height, width, height, width)."""
    maps = as_maps(image)
    height, width, _ = maps.shape
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"image must have at most {MOST_PIXELS} pixels; received {width} x {height}, whose"
            f" kernel takes {8 * (height * width) ** 2 / 2**30:.1f} GiB three times over"
        )
    k2 = half_moment("gaussian", std, 2)
    products = np.tensordot(maps, maps, axes=(2, 2))
    operators = (axis_operators(layers, side) for side in (height, width))
    for layer, rows, columns in zip(layers, *operators, strict=True):
        if isinstance(layer, Conv):
            for axis in (0, 1):
                products = _summed_along(products, layer.kernel, axis)
            _rectify(products, k2)
        else:
            for axis, matrix in enumerate((rows, columns, rows, columns)):
                products = np.moveaxis(np.tensordot(matrix, products, axes=(1, axis)), 0, axis)
    return products


def _summed_along(products: np.ndarray, kernel: int, axis: int) -> np.ndarray:
    """Sums over the offsets of a window along one axis, the same for both pixels."""
    size = products.shape[axis]
    sums = np.zeros(products.shape)
    # Views whose first two axes are that axis of both pixels.
    to, source = (np.moveaxis(a, (axis, axis + 2), (0, 1)) for a in (sums, products))
    first, last = max(-((kernel - 1) // 2), 1 - size), min(kernel // 2, size - 1)
    for offset in range(first, last + 1):
        inside = slice(max(0, -offset), size - max(0, offset))
        shifted = slice(inside.start + offset, inside.stop + offset)
        to[inside, inside] += source[shifted, shifted]
    return sums


def _rectify(products: np.ndarray, k2: float) -> None:
    """From inner products of patches to those of rectified responses, in place."""
    pixels = products.shape[0] * products.shape[1]
    matrix = products.reshape(pixels, pixels)
    assert np.shares_memory(matrix, products)
    norms = np.sqrt(matrix.diagonal())
    for start in range(0, pixels, _BLOCK):
        rows = matrix[start : start + _BLOCK]
        both = np.outer(norms[start : start + _BLOCK], norms)
        cosines = np.divide(rows, both, out=np.zeros_like(rows), where=both > 0)
        rows[...] = k2 * both * arc_cosine(cosines)
