"""A convolution as a linear operator W, one-dimensional or two-dimensional.

Each filter tap is one matrix product over the channels, so neither W nor a copy of the image for
each tap is ever made: 512 filters of 3 x 3 x 512 take 2 MiB a code besides the filters.

Images are (batch, D, M) or (batch, D, D', M), codes (batch, n, K) or (batch, n, n', K), filter
banks (l, M / groups, K) or (l, l', M / groups, K), a size (D,) or (D, D'). `stride` is the distance
t between shifts, at least 1; `groups` the number of parts that input channels and filters are split
into, in order, as in Keras, each filter seeing its own part only; `padding` the number p of zeros
on every side. So n = floor((D + 2 p - l) / t) + 1. ValueError names shapes that do not fit.
"""

import math
from collections.abc import Iterator

import numpy as np
import scipy.sparse.linalg
from pylops import LinearOperator

_DENSE_ENTRIES = 2**23  # 64 MiB
# ARPACK starts from a random vector otherwise, and the last digits would not repeat.
_NORM_SEED = 0
_NORM_TOLERANCE = 1e-2  # of the vector; its singular value is right to the square of that


def convolve(images, filters, *, stride: int = 1, groups: int = 1, padding: int = 0) -> np.ndarray:
    """W x, float64: the inner product of every filter with every patch, as CNNs do it (no flip).

    `h[j, i] = sum_{o, m} w_i[o, m] x[t j + o - p, m]`, zero outside the image.

    Reference: section 2.2, which has no padding and takes (D - l) / t to be an integer.
    """
    images, filters = np.asarray(images, np.float64), np.asarray(filters, np.float64)
    if images.ndim != filters.ndim:
        raise ValueError(
            f"images must have {filters.ndim} axes, as filters have; received {images.shape}"
        )
    size, channels = images.shape[1:-1], filters.shape[-2] * groups
    shifts = shift_counts(filters.shape, size, stride=stride, groups=groups, padding=padding)
    if images.shape[-1] != channels:
        raise ValueError(f"images must have {channels} channels; received {images.shape[-1]}")
    padded = np.pad(images, ((0, 0), *((padding, padding),) * len(size), (0, 0)))
    codes = np.zeros((len(images), *shifts, filters.shape[-1]))
    for tap, window in _taps(filters.shape, shifts, stride):
        for inputs, outputs in _groups(filters.shape, groups):
            patch = padded[(slice(None), *window, inputs)]
            product = patch.reshape(-1, patch.shape[-1]) @ filters[tap][:, outputs]
            codes[..., outputs] += product.reshape(*codes.shape[:-1], -1)
    return codes


def transpose_convolve(
    codes, filters, size: tuple[int, ...], *, stride: int = 1, groups: int = 1, padding: int = 0
) -> np.ndarray:
    """W^T z: every filter laid down at every shift, times its coefficient, and summed.

    Returns:
        float64 images of a size; what falls on the padding is cut off.
    """
    codes, filters = np.asarray(codes, np.float64), np.asarray(filters, np.float64)
    shifts = shift_counts(filters.shape, size, stride=stride, groups=groups, padding=padding)
    if codes.shape[1:] != (*shifts, filters.shape[-1]):
        raise ValueError(
            f"codes must be (batch, {', '.join(map(str, (*shifts, filters.shape[-1])))});"
            f" received {codes.shape}"
        )
    whole = [side + 2 * padding for side in size]
    padded = np.zeros((len(codes), *whole, filters.shape[-2] * groups))
    for inputs, outputs in _groups(filters.shape, groups):
        part = codes[..., outputs].reshape(-1, outputs.stop - outputs.start)
        for tap, window in _taps(filters.shape, shifts, stride):
            product = part @ filters[tap][:, outputs].T
            padded[(slice(None), *window, inputs)] += product.reshape(*codes.shape[:-1], -1)
    inside = tuple(slice(padding, padding + side) for side in size)
    return padded[(slice(None), *inside)]


class Convolution(LinearOperator):
    """W for images of one size, as an operator of PyLops: `W @ x`, `W.H @ z`, and its solvers.

    A class for PyLops needs one; it is `convolve` and `transpose_convolve` with their arguments,
    for `batch` images, over which W is block diagonal. `dims` is the shape of the images, `dimsd`
    that of the codes.
    """

    def __init__(
        self,
        filters,
        size: tuple[int, ...],
        *,
        stride: int = 1,
        groups: int = 1,
        padding: int = 0,
        batch: int = 1,
    ) -> None:
        self.filters = np.asarray(filters, np.float64)
        self._how = {"stride": stride, "groups": groups, "padding": padding}
        *_, inputs, outputs = self.filters.shape
        shifts = shift_counts(self.filters.shape, size, **self._how)
        dims, dimsd = (batch, *size, inputs * groups), (batch, *shifts, outputs)
        super().__init__(dtype=np.float64, dims=dims, dimsd=dimsd)

    def of_batch(self, batch: int) -> "Convolution":
        """The same W for another number of images."""
        return Convolution(self.filters, tuple(self.dims[1:-1]), batch=batch, **self._how)

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return convolve(x.reshape(self.dims), self.filters, **self._how).ravel()

    def _rmatvec(self, x: np.ndarray) -> np.ndarray:
        codes = x.reshape(self.dimsd)
        return transpose_convolve(codes, self.filters, tuple(self.dims[1:-1]), **self._how).ravel()


def spectral_norm(operator: Convolution) -> float:
    """||W||, the largest singular value, the same for every batch, by Lanczos iteration.

    It is right to about four digits, from below.
    """
    one = operator.of_batch(1)
    sides = {"matvec": one.matvec, "rmatvec": one.rmatvec}
    flat = scipy.sparse.linalg.LinearOperator(one.shape, dtype=np.float64, **sides)
    start = np.random.default_rng(_NORM_SEED).standard_normal(min(one.shape))
    how = {"v0": start, "tol": _NORM_TOLERANCE, "return_singular_vectors": False}
    return float(scipy.sparse.linalg.svds(flat, k=1, **how).item())


def dense(operator: LinearOperator) -> np.ndarray:
    """The matrix of an operator, to check the others against; ValueError above 2^23 entries."""
    if math.prod(operator.shape) > _DENSE_ENTRIES:
        raise ValueError(
            f"operator must have at most {_DENSE_ENTRIES} entries; received {operator.shape}"
        )
    return np.asarray(operator.todense())


def unit_filters(filters) -> np.ndarray:
    """A filter bank scaled to l2 norm 1 each, the rows of W off borders; ValueError if one is 0."""
    filters = np.asarray(filters, np.float64)
    norms = np.linalg.norm(filters.reshape(-1, filters.shape[-1]), axis=0)
    if not norms.all():
        raise ValueError(f"filters must not be zero; received {int((norms == 0).sum())} that are")
    return filters / norms


def shift_counts(
    filters: tuple[int, ...], size: tuple[int, ...], *, stride: int, groups: int, padding: int
) -> tuple[int, ...]:
    """n of each axis: how often a filter of a bank of this shape can be laid down."""
    if len(filters) not in (3, 4):
        raise ValueError(f"filters must have 3 or 4 axes; received shape {filters}")
    if len(size) != len(filters) - 2:
        raise ValueError(f"size must have {len(filters) - 2} numbers; received {size}")
    named = (("stride", stride, 1), ("groups", groups, 1), ("padding", padding, 0))
    for name, value, least in named:
        if value < least:
            raise ValueError(f"{name} must be at least {least}; received {value}")
    if filters[-1] % groups:
        raise ValueError(f"groups must divide the {filters[-1]} filters; received {groups}")
    taps = zip(size, filters[:-2], strict=True)
    counts = tuple((side + 2 * padding - of_axis) // stride + 1 for side, of_axis in taps)
    if min(counts) < 1:
        raise ValueError(f"size must be at least that of a filter, {filters[:-2]}; received {size}")
    return counts


def _taps(
    filters: tuple[int, ...], shifts: tuple[int, ...], stride: int
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each tap of a filter, and what it meets at all shifts."""
    for tap in np.ndindex(filters[:-2]):
        axes = zip(tap, shifts, strict=True)
        yield tap, tuple(slice(n, n + stride * (count - 1) + 1, stride) for n, count in axes)


def _groups(filters: tuple[int, ...], groups: int) -> Iterator[tuple[slice, slice]]:
    """Input channels and filters of each group."""
    sizes = filters[-2], filters[-1] // groups
    for group in range(groups):
        inputs, outputs = (slice(group * size, (group + 1) * size) for size in sizes)
        yield inputs, outputs
