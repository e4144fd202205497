"""Model-k-sparse codes: one entry at most in each pooling region, k in all.

Codes are (batch, n, K) or (batch, n, n', K). In section 2.3 a region is a whole block, all shifts
of one filter; from section 4.3 on it is a square of `pool` x `pool` shifts, side by side with the
others, those at the far border cut off. `pool` is None for the first. The largest entry is that of
largest magnitude: section 3.1 lets codes have both signs. ValueError names codes of other axes, a
`pool` below 1, shapes that do not fit each other and more entries k than there are.
"""

import itertools
import math

import numpy as np


def max_pool(codes, pool: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The entry of largest magnitude of each region, with its sign, and where it was.

    Returns:
        values: float64 (batch, r, K) or (batch, r, r', K), r = ceil(n / pool), or 1.
        switches: int of the same shape, the place inside the region, row by row; the first of
            equals.
    """
    regions = _split(np.asarray(codes, np.float64), pool)
    switches = np.abs(regions).argmax(axis=-1)
    return np.take_along_axis(regions, switches[..., None], axis=-1)[..., 0], switches


def unpool(values, shifts: tuple[int, ...], pool: int | None = None, switches=None) -> np.ndarray:
    """Codes of values put back to their regions, zeros elsewhere.

    Values and switches are as `max_pool` returns them, shifts are the codes' (n,) or (n, n').
    Without switches this is the *naive* unpooling of section 4, to the first place of each region.
    """
    values = np.asarray(values, np.float64)
    sides = _sides(shifts, pool)
    counts = tuple(-(-n // side) for n, side in zip(shifts, sides, strict=True))
    if values.shape[1:-1] != counts:
        raise ValueError(f"values must be of {counts} regions; received shape {values.shape}")
    switches = np.zeros(values.shape, int) if switches is None else np.asarray(switches)
    if switches.shape != values.shape:
        raise ValueError(
            f"switches must have the shape {values.shape} of values; received {switches.shape}"
        )
    regions = np.zeros((*values.shape, math.prod(sides)))
    np.put_along_axis(regions, switches[..., None], values[..., None], axis=-1)
    return _join(regions, shifts, sides)


def keep_largest(values, k: int) -> np.ndarray:
    """The k entries of largest magnitude of each sample of (batch, ...), zeros elsewhere."""
    values = np.asarray(values, np.float64)
    flat = values.reshape(len(values), -1)
    if not 0 <= k <= flat.shape[1]:
        raise ValueError(f"k must be from 0 to {flat.shape[1]}; received {k}")
    kept = np.zeros_like(flat)
    chosen = np.argpartition(-np.abs(flat), k - 1, axis=1)[:, :k]
    np.put_along_axis(kept, chosen, np.take_along_axis(flat, chosen, axis=1), axis=1)
    return kept.reshape(values.shape)


def sparsify(codes, k: int, pool: int | None = None) -> np.ndarray:
    """M(h, k): the model-k-sparse code that is closest to h.

    The largest entry of each region where it stands, and of those the k largest. It equals max
    pooling, the k largest and unpooling with switches; the naive unpooling moves entries, so it
    is no approximation of h, and Theorem 3.3 does not cover it, against what section 3.3 says.

    Reference: section 2.3, equation 2.
    """
    values, switches = max_pool(codes, pool)
    return unpool(keep_largest(values, k), np.shape(codes)[1:-1], pool, switches)


def random_codes(
    shape: tuple[int, ...], k: int, pool: int | None = None, *, rng: np.random.Generator
) -> np.ndarray:
    """Model-k-sparse codes: k regions, a place in each, a value from U(-1, 1), all at random.

    Reference: sections 4.2 and 4.4.
    """
    # Where the largest of uniform draws stands is uniform over the region, a cut one too.
    values, switches = max_pool(rng.random(shape), pool)
    chosen = keep_largest(rng.uniform(0.5, 1, values.shape), k) > 0
    return unpool(chosen * rng.uniform(-1, 1, values.shape), shape[1:-1], pool, switches)


def nonzero_share(activations) -> np.ndarray:
    """Share of the entries of each sample that are not zero, in [0, 1]: Tables 2 and 7."""
    activations = np.asarray(activations)
    return np.mean(activations != 0, axis=tuple(range(1, activations.ndim)))


def _sides(shifts: tuple[int, ...], pool: int | None) -> tuple[int, ...]:
    if len(shifts) not in (1, 2):
        raise ValueError(f"codes must have 3 or 4 axes; received shifts {shifts}")
    if pool is None:
        return shifts
    if pool < 1:
        raise ValueError(f"pool must be at least 1; received {pool}")
    return (pool,) * len(shifts)


def _order(axes: int) -> tuple[int, ...]:
    """Of axes, from (batch, r, side, r', side', K) to (batch, r, r', K, side, side')."""
    return (0, *range(1, 2 * axes, 2), 2 * axes + 1, *range(2, 2 * axes + 1, 2))


def _split(codes: np.ndarray, pool: int | None) -> np.ndarray:
    """(batch, r, r', K, entries of a region); zeros fill up those that are cut off."""
    shifts = codes.shape[1:-1]
    sides = _sides(shifts, pool)
    missing = [(0, -n % side) for n, side in zip(shifts, sides, strict=True)]
    apart = [(-(-n // side), side) for n, side in zip(shifts, sides, strict=True)]
    regions = np.pad(codes, ((0, 0), *missing, (0, 0))).reshape(
        len(codes), *itertools.chain(*apart), codes.shape[-1]
    )
    regions = regions.transpose(_order(len(sides)))
    return regions.reshape(*regions.shape[: len(sides) + 2], -1)


def _join(regions: np.ndarray, shifts: tuple[int, ...], sides: tuple[int, ...]) -> np.ndarray:
    """Undoes `_split`."""
    codes = regions.reshape(*regions.shape[:-1], *sides)
    codes = codes.transpose(np.argsort(_order(len(sides))))
    whole = (n * side for n, side in zip(regions.shape[1:-2], sides, strict=True))
    return codes.reshape(len(codes), *whole, codes.shape[-1])[(slice(None), *map(slice, shifts))]
