"""Coherence: the largest cosine between two rows of W.

Footnote 8 of the paper defines it over the rows of W, all shifts of all filters; its "coherence
of filters" of Tables 3 and 6 goes with filters at one shift. Both are here. Filter banks are
(l, M / groups, K) or (l, l', M / groups, K), of at least two filters a group, none zero, else
ValueError; those of different groups see different channels, so their rows of W are orthogonal.
"""

import itertools

import numpy as np

from recon.invertibility.convolution import unit_filters


def filter_coherence(filters, *, groups: int = 1) -> float:
    """The largest |cosine| between two filters of a group, laid on the same patch.

    One group compares all filters, as some tables of filters do.

    Reference: Tables 3 and 6.
    """
    return max(_largest(part, part, distinct=True) for part in _split(filters, groups))


def row_coherence(filters, *, stride: int = 1, groups: int = 1) -> float:
    """mu = max_{i != j} |W_i W_j^T| over the rows of W, all shifts of all filters.

    Two shifts meet on the taps that they share; without padding, and for an image large enough
    for all of them, this is the coherence of the whole matrix. `stride`, the distance between
    shifts in pixels, is at least 1, else ValueError.

    Reference: footnote 8 of section 4.4.
    """
    if stride < 1:
        raise ValueError(f"stride must be at least 1; received {stride}")
    found = 0.0
    for part in _split(filters, groups):
        reach = [range(-((n - 1) // stride), (n - 1) // stride + 1) for n in part.shape[:-2]]
        for shift in itertools.product(*reach):
            if shift < (0,) * len(shift):
                continue  # the same pairs as at the opposite shift
            steps = [stride * s for s in shift]
            one, other = _shared(part, steps), _shared(part, [-s for s in steps])
            found = max(found, _largest(one, other, distinct=not any(shift)))
    return found


def _split(filters, groups: int) -> list[np.ndarray]:
    filters = unit_filters(filters)
    if groups < 1 or filters.shape[-1] % groups or filters.shape[-1] // groups < 2:
        raise ValueError(
            f"groups must split the {filters.shape[-1]} filters into equal parts of at least 2;"
            f" received {groups}"
        )
    return np.split(filters, groups, axis=-1)


def _shared(filters: np.ndarray, steps: list[int]) -> np.ndarray:
    """The taps that lie on those of the same filter moved by minus `steps`."""
    sizes = zip(steps, filters.shape[:-2], strict=True)
    return filters[tuple(slice(max(0, step), n + min(0, step)) for step, n in sizes)]


def _largest(one: np.ndarray, other: np.ndarray, *, distinct: bool) -> float:
    """The largest |inner product| of two filters; of different ones only, if `distinct`."""
    filters = one.shape[-1]
    gram = one.reshape(-1, filters).T @ other.reshape(-1, filters)
    if distinct:
        np.fill_diagonal(gram, 0)
    return float(np.abs(gram).max())
