"""Which patch of the style goes where: a search among keys, then coherence on all patches.

Distances are divided by how well a style patch is already served (Granot et al. 2022), so that all
of the style gets used; where coherence would use a patch too often its price rises (occupancy, as
in Fiser et al. 2016). Both are exact searches or candidates of neighbours; nothing is drawn at
random but samples.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from keras import ops
from scipy import ndimage

from rrstyle.config import PaintConfig
from rrstyle.transfer.painting.kernels import cohere

# Queries from which a style patch's own best distance is estimated, and most patches for which it
# is; those between take the value of one beside them.
_SAMPLED_QUERIES, _SERVED = 2048, 20_000
_BLOCK = 256  # queries
_LEAST_ASKED = 0.2  # of a style's share
_LARGEST = 16  # root mean squares: what is further from the mean counts as that far
_SWEEPS = 2  # of coherence after a search
_PRICE_SWEEPS = 8  # one settles the prices of two styles


class Shares:
    """Shares of the styles of a blend, through all searches.

    Coherence after a search shifts them; what it took from a style the next search gives back.

    Args:
        due: Share of each style, positive, of sum 1.

    Attributes:
        due: The same.
        asked: What the next search is to give each, so that `due` is left.
    """

    def __init__(self, due: Sequence[float]):
        self.due = self.asked = np.asarray(due)

    def note(self, owners: np.ndarray) -> None:
        """Takes note of the styles (count,) that a search and coherence led to."""
        found = np.bincount(owners, minlength=len(self.due)) / len(owners)
        asked = np.maximum(self.asked + self.due - found, _LEAST_ASKED * self.due)
        self.asked = asked / asked.sum()


class StyleCanvas:
    """The style's features at one scale, their patches projected, all parts below one another.

    Args:
        parts: Features (height, width, n) of each part: a style, or a turned copy of one.
        owners: Style of each part.
        shares: Shares of the places of each style, which searches change.
        config: Patch side, keys, weights of the costs.
        signs: (size, size, n, d), float32, random matrix of 1 and -1 that projects patches
            (Achlioptas 2003).
        rng: Generator of the sampled keys and queries.
        covers: Share of each pixel of each part, (height, width) in [0, 1], that may be found; a
            patch is if all of it may, or as much as of any. None for all.

    Attributes:
        features: (height, width, n), the canvas; what no part covers is 0 and never found.
        dense: (height, width, d), the projected patch at every corner.
        valid: (height, width), bool: corners at which a patch of the style lies.
    """

    def __init__(
        self,
        parts: Sequence[np.ndarray],
        owners: Sequence[int],
        shares: "Shares",
        config: PaintConfig,
        signs: np.ndarray,
        rng: np.random.Generator,
        covers: Sequence[np.ndarray] | None = None,
    ):
        self._config, self._signs, self._rng = config, signs, rng
        self._shares = shares
        heights, widths = ([part.shape[axis] for part in parts] for axis in range(2))
        shape = sum(heights), max(widths)
        self.features = np.zeros((*shape, signs.shape[2]), np.float32)
        self.dense = np.zeros((*shape, signs.shape[3]), np.float32)
        self.valid = np.zeros(shape, bool)
        self._owner = np.repeat(owners, heights)
        covers = (
            [np.ones(part.shape[:2], np.float32) for part in parts] if covers is None else covers
        )
        area = np.bincount(owners, [cover.sum() for cover in covers])
        # Uses of each row's patches that its style's share comes to, of one use of the canvas.
        self._due = (shares.due / area)[self._owner].astype(np.float32)
        self._centre = np.mean([part.mean(axis=(0, 1)) for part in parts], axis=0)
        top = 0
        for part, cover in zip(parts, covers, strict=True):
            height, width = part.shape[:2]
            self.features[top : top + height, :width] = part
            projected = self.project(part, 1)
            inner = np.s_[top : top + len(projected), : projected.shape[1]]
            self.dense[inner] = projected
            self.valid[inner] = _coverable(cover, config.size)
            top += height

    @cached_property
    def _corners(self) -> np.ndarray:
        return np.argwhere(self.valid).astype(np.int32)

    @cached_property
    def _floor(self) -> float:
        held = self.dense[self.valid]
        return self._config.completeness * float(held.var(axis=0).sum()) + 1e-12

    def project(self, features: np.ndarray, step: int) -> np.ndarray:
        """Random projection of the patches at every `step`-th corner; one valid convolution.

        Features are rounded to whole steps, few enough that their sums are exact: no backend's
        order of summation can turn one find into another.
        """
        terms = math.prod(self._signs.shape[:3])
        steps = max(1, 2**24 // (_LARGEST * terms))  # in one root mean square
        whole = np.rint((features - self._centre) * steps)
        np.clip(whole, -_LARGEST * steps, _LARGEST * steps, out=whole)
        batch = ops.conv(
            ops.convert_to_tensor(whole[None], "float32"),
            ops.convert_to_tensor(self._signs),
            strides=step,
            padding="valid",
        )
        return ops.convert_to_numpy(batch)[0] / np.float32(steps * math.sqrt(terms))

    def search(
        self,
        queries: np.ndarray,
        hop: int,
        *,
        counts: np.ndarray | None = None,
        wraps: bool = False,
    ) -> np.ndarray:
        """The finds of queries: the nearest keys by normalised distance, then made coherent.

        Args:
            queries: Projected patches wanted, (rows, columns, d).
            hop: Distance between them in pixels.
            counts: Where something is to be found, (rows, columns), bool, everywhere by default;
                elsewhere the find of the nearest place where it is goes on, as far as it can.
            wraps: Whether the last are neighbours of the first.

        Returns:
            (rows, columns, 2), int32, corners on the canvas.
        """
        counts = np.ones(queries.shape[:2], bool) if counts is None else counts
        wanted = queries[counts]
        self._weight = weight = self._weights(wanted)
        field = np.empty((*queries.shape[:2], 2), np.int32)
        field[counts] = self._nearest(wanted, weight, self._rng)
        if not counts.all():
            near, there = _nearest_true(counts), np.indices(counts.shape)
            onwards = field[tuple(near)] + hop * np.moveaxis(there - near, 0, -1)
            most = np.array(self.valid.shape) - 1
            field = self.moved_in(np.clip(onwards, 0, most).astype(np.int32))
        within = self._config.coherence
        for _ in range(_SWEEPS):
            price = weight * self._use(field[counts])
            given = queries, self.dense, price, self._floor, field
            field = cohere(*given, within=within, hop=hop, wraps=wraps)
        self._shares.note(self._owner[field[counts][:, 0]])
        return field

    def search_again(
        self,
        queries: np.ndarray,
        field: np.ndarray,
        lost: np.ndarray,
        hop: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """The finds of a few queries more, weighed as in the last search.

        Args:
            queries: Projected patches wanted, (rows, columns, d).
            field: Finds, of which all but the lost stay, (rows, columns, 2), int32.
            lost: Where the style is searched, (rows, columns), bool.
            hop: Distance between queries in pixels.
            rng: Generator of the sampled keys.

        Returns:
            (rows, columns, 2), int32.
        """
        field = field.copy()
        field[lost] = self._nearest(queries[lost], self._weight, rng)
        for _ in range(_SWEEPS):
            price = self._weight * self._use(field)
            within = self._config.coherence
            found = cohere(queries, self.dense, price, self._floor, field, within=within, hop=hop)
            field[lost] = found[lost]
        return field

    def correct(
        self,
        queries: np.ndarray,
        field: np.ndarray,
        hop: int,
        *,
        within: float = 1.0,
        wraps: bool = False,
    ) -> np.ndarray:
        """Finds, each exchanged for its neighbour's if that costs less than `within` times it."""
        price = self.valid.astype(np.float32)
        for _ in range(_SWEEPS):
            given = queries, self.dense, price, 0.0, field
            field = cohere(*given, within=within, hop=hop, wraps=wraps)
        return field

    def holds(self, field: np.ndarray) -> np.ndarray:
        """Which corners (rows, columns, 2), anywhere, are those of a patch that may be found."""
        height, width = self.valid.shape
        inside = ((field >= 0) & (field < (height, width))).all(axis=-1)
        at = np.clip(field, 0, (height - 1, width - 1))
        return inside & self.valid[at[..., 0], at[..., 1]]

    def moved_in(self, field: np.ndarray) -> np.ndarray:
        """Finds (rows, columns, 2) moved to the nearest corners at which a patch may be found."""
        at = field[..., 0], field[..., 1]
        if self.valid[at].all():
            return field
        return np.moveaxis(_nearest_true(self.valid), 0, -1)[at]

    def _nearest(
        self, queries: np.ndarray, weight: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Corners (count, 2) of the keys nearest to queries (count, d)."""
        owners = self._owner[self._corners[:, 0]]
        found, distances = [], []
        for style, share in enumerate(self._shares.due):
            corners = self._corners[owners == style]
            most = max(1, round(share * self._config.keys))
            if len(corners) > most:
                corners = corners[np.sort(rng.choice(len(corners), most, replace=False))]
            at = tuple(corners.T)
            key, distance = _nearest_key(queries, self.dense[at], weight[at])
            found.append(corners[key])
            distances.append(distance)
        if len(found) == 1:
            return found[0]
        taken = allot(np.stack(distances), self._shares.asked)
        return np.stack(found)[taken, np.arange(len(taken))]

    def _weights(self, queries: np.ndarray) -> np.ndarray:
        """1 / (floor + best distance to a sample of the queries) of every style patch, else 0."""
        flat = queries.reshape(-1, queries.shape[-1])
        if len(flat) > _SAMPLED_QUERIES:
            flat = flat[self._rng.choice(len(flat), _SAMPLED_QUERIES, replace=False)]
        every = 1 if self.valid.size <= _SERVED else 2 if self.valid.size <= 4 * _SERVED else 3
        part = self.dense[::every, ::every]
        keys = part.reshape(-1, part.shape[-1])
        _, best = _nearest_key(keys, flat, np.ones(len(flat), np.float32))
        best = best.reshape(part.shape[:2]).repeat(every, axis=0).repeat(every, axis=1)
        height, width = self.valid.shape
        return self.valid / (np.float32(self._floor) + best[:height, :width])

    def _use(self, field: np.ndarray) -> np.ndarray:
        """Factor of the price of each style patch by how often it is found, 1 or more.

        What is often goes by the style's share of the places: one style's area counts no more.
        """
        height, width = self.valid.shape
        flat = (field[..., 0].astype(np.int64) * width + field[..., 1]).ravel()
        count = np.bincount(flat, minlength=height * width).reshape(height, width)
        use = ndimage.uniform_filter(count.astype(np.float32), self._config.size, mode="nearest")
        use /= flat.size * self._due[:, None]
        return 1 + np.float32(self._config.occupancy) * np.maximum(use - 1, 0)


def _coverable(cover: np.ndarray, size: int) -> np.ndarray:
    """The corners of patches of which all is covered, or as much as of any patch."""
    margin = size // 2
    share = ndimage.uniform_filter(cover, size, mode="nearest")
    share = share[margin:-margin, margin:-margin]
    return share >= min(1, share.max()) - 1e-4


def _nearest_true(where: np.ndarray) -> np.ndarray:
    """The nearest place that is True for each of (height, width): (2, height, width), int32."""
    return ndimage.distance_transform_edt(~where, return_distances=False, return_indices=True)


def _nearest_key(
    queries: np.ndarray, keys: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The key of least weight * |query - key|^2 for each query, and that number.

    Exact: one matrix product a block of queries, small enough for its result to stay in cache.
    """
    norms = np.sum(keys**2, axis=1)
    table = np.column_stack([2 * weight[:, None] * keys, -weight, -weight * norms]).T
    table = np.ascontiguousarray(table, np.float32)
    ones = np.ones(len(queries), np.float32)
    rows = np.column_stack([queries, np.sum(queries**2, axis=1), ones])
    found, least = np.empty(len(rows), np.intp), np.empty(len(rows), np.float32)
    block = np.empty((_BLOCK, len(keys)), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = np.s_[start : start + _BLOCK]
        likeness = np.matmul(rows[part], table, out=block[: len(rows[part])])
        found[part] = likeness.argmax(axis=1)
        least[part] = -likeness[np.arange(len(likeness)), found[part]]
    return found, np.maximum(least, 0)


def allot(distances: np.ndarray, shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """Which of several styles each place takes, so that each style gets its share of the places.

    The least sum of distances among such choices takes the least distance minus a price, one for
    each style: the dual of a transport problem, solved for one price after another.

    Args:
        distances: (styles, places).
        shares: Share of the places of each style, positive, of sum 1.

    Returns:
        (places,), positions of styles.
    """
    prices = np.zeros((len(shares), 1))
    for _ in range(1 if len(shares) == 2 else _PRICE_SWEEPS):
        for k in range(1, len(shares)):  # prices matter up to a constant: the first stays 0
            others = np.delete(distances - prices, k, axis=0).min(axis=0)
            prices[k] = np.quantile(distances[k] - others, shares[k])
    return np.argmin(distances - prices, axis=0)


def pad(features: np.ndarray, patch: int, step: int, *, wraps: bool = False) -> np.ndarray:
    """Borders of half a patch, reflected or those of the other side.

    Reflected ones go further where stepping patches would not reach the end.
    """
    margin = patch // 2
    if wraps:
        return np.pad(features, [(margin, margin), (margin, margin), (0, 0)], mode="wrap")
    extra = [-(side + 2 * margin - patch) % step for side in features.shape[:2]]
    widths = [(margin, margin + e) for e in extra]
    return np.pad(features, [*widths, (0, 0)], mode="reflect")
