"""Inner loops over patches, compiled by Numba: distances to candidates, and the vote for pixels.

Both read a few bytes at scattered places and compute little with them: bound by memory, not by
arithmetic. A loop over rows is shared among threads here, which run side by side since compiled
code holds no lock of Python's; Numba's own threads would not let two jobs of a server run at once.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

from rrstyle.cores import in_threads, usable_cores

_LEAST_ROWS = 16  # of one thread: below, starting it takes longer than it saves


def _by_rows(kernel: Callable, rows: int, *arguments) -> None:
    """`kernel(first, last, *arguments)` of bands of rows, on all processors."""
    parts = max(1, min(usable_cores(), rows // _LEAST_ROWS))
    bounds = [(rows * i // parts, rows * (i + 1) // parts) for i in range(parts)]
    for _ in in_threads(lambda band: kernel(*band, *arguments), bounds, parts):
        pass


@njit(nogil=True, cache=True, fastmath=True)
def _distance(query, key):
    total = np.float32(0)
    for j in range(query.shape[0]):
        gap = query[j] - key[j]
        total += gap * gap
    return total


@njit(nogil=True, cache=True)
def _costs(first, last, queries, dense, price, floor, field, cost):
    for y in range(first, last):
        for x in range(field.shape[1]):
            cy, cx = field[y, x, 0], field[y, x, 1]
            cost[y, x] = (_distance(queries[y, x], dense[cy, cx]) + floor) * price[cy, cx]


@njit(nogil=True, cache=True)
def _take_over(first, last, queries, dense, price, floor, field, cost, out, within, dy, dx, hop):
    rows, columns = field.shape[:2]
    height, width = price.shape
    for y in range(first, last):
        for x in range(columns):
            found_y, found_x = field[y, x, 0], field[y, x, 1]
            from_y, from_x = y - dy, x - dx
            if 0 <= from_y < rows and 0 <= from_x < columns:
                cy, cx = field[from_y, from_x, 0] + dy * hop, field[from_y, from_x, 1] + dx * hop
                inside = 0 <= cy < height and 0 <= cx < width
                if inside and price[cy, cx] > 0 and (cy != found_y or cx != found_x):
                    here = (_distance(queries[y, x], dense[cy, cx]) + floor) * price[cy, cx]
                    if here < within * cost[y, x]:
                        cost[y, x] = here
                        found_y, found_x = cy, cx
            out[y, x, 0], out[y, x, 1] = found_y, found_x


def costs(queries, dense, price, floor: float, field) -> np.ndarray:
    """(squared distance + floor) * price of every find.

    Args:
        queries: Projected patches wanted, (rows, columns, d), float32.
        dense: Projected patches of the style at every corner, (height, width, d), float32.
        price: Factor of each, (height, width), float32; 0 where no patch lies.
        floor: Number added to every distance.
        field: Finds, (rows, columns, 2), corners in `dense`, int32.

    Returns:
        (rows, columns), float32.
    """
    cost = np.empty(field.shape[:2], np.float32)
    _by_rows(_costs, len(field), queries, dense, price, np.float32(floor), field, cost)
    return cost


def cohere(queries, dense, price, floor: float, field, *, within: float, hop: int) -> np.ndarray:
    """One sweep of coherence: places take over the finds of their neighbours, moved on by a step.

    The four neighbours come one after another, so that a piece of the style grows in all
    directions. Ashikhmin 2001, "Synthesizing natural textures".

    Args:
        queries, dense, price, floor, field: As in `costs`.
        within: Most that a neighbour's find may cost, relative to one's own.
        hop: Distance between neighbouring places, in pixels.

    Returns:
        The finds after it, (rows, columns, 2), int32.
    """
    cost = costs(queries, dense, price, floor, field)
    given = queries, dense, price, np.float32(floor)
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        out = np.empty_like(field)
        _by_rows(_take_over, len(field), *given, field, cost, out, np.float32(within), dy, dx, hop)
        field = out
    return field


@njit(nogil=True, cache=True, fastmath=True)
def _vote(first, last, source, field, window, step, margin, top, out):
    rows, columns = field.shape[:2]
    size, channels = window.shape[0], out.shape[2]
    for line in range(first, last):
        y = line + top + margin
        low, high = max(0, (y - size + step) // step), min(rows - 1, y // step)
        for column in range(out.shape[1]):
            x = column + margin
            left, right = max(0, (x - size + step) // step), min(columns - 1, x // step)
            mass = np.float32(0)
            for j in range(channels):
                out[line, column, j] = 0
            for r in range(low, high + 1):
                dy = y - r * step
                for c in range(left, right + 1):
                    dx = x - c * step
                    weight = window[dy, dx]
                    mass += weight
                    sy, sx = field[r, c, 0] + dy, field[r, c, 1] + dx
                    for j in range(channels):
                        out[line, column, j] += weight * source[sy, sx, j]
            for j in range(channels):
                out[line, column, j] /= mass


def vote(
    source, field, *, size: int, step: int, shape: tuple[int, int], top: int = 0
) -> np.ndarray:
    """The mean, at each pixel, of the patches that cover it, weighted by a Gaussian window.

    The window (standard deviation a quarter of the side) lets the patch centred nearest to a
    pixel decide most of it: strokes stay crisper than under a plain mean.

    Args:
        source: Features or pixels (height, width, n), float32, that patches are taken from.
        field: (rows, columns, 2), the top left corners in `source` of the patches centred on the
            pixels (0, 0), (0, step), ... of the result; they must reach its last row and column.
        size: Side of a patch, odd.
        step: Distance between centres, at most `size`.
        shape: (height, width) of the result.
        top: First row of the result, counted in rows that `field` covers.

    Returns:
        (*shape, n), float32.
    """
    distance = (np.arange(size) - size // 2) / (size / 4)
    window = np.exp(-(distance[:, None] ** 2 + distance[None, :] ** 2) / 2).astype(np.float32)
    out = np.empty((*shape, source.shape[-1]), np.float32)
    _by_rows(_vote, len(out), source, field, window, step, size // 2, top, out)
    return out
