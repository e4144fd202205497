"""`keras.ops` with the linear algebra that ONNX lacks, made of the operations that it has.

A graph computed with `PORTABLE_OPS` as `rrstyle.namespace.tensor_operations` holds only products,
sums, gathers and loops, in float64. All matrices are real, of a static size n x n.

- `linalg.cholesky`: column after column.
- `linalg.eigh`, of a positive definite matrix: its Cholesky factor, whose rows are made orthogonal
  by one-sided Jacobi rotations, all n / 2 disjoint pairs of a round at once. The eigenvalues have
  a small relative error, the small ones too; they come in no order. Veselic & Hari, "A note on a
  one-sided Jacobi algorithm", 1989; order of the pairs: a round-robin tournament, Brent & Luk 1985.
- `linalg.solve`, for a positive definite or triangular matrix: Gauss-Jordan elimination by blocks,
  without pivots; a second one, of the residual, takes away what the first lost.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from keras import ops

_BLOCK = 64  # unknowns eliminated at once
# A sweep takes every pair once. Six to ten suffice, as they converge quadratically.
_MOST_SWEEPS = 30
_ORTHOGONAL = 1e-14  # largest cosine of a pair that counts as orthogonal: rounding
_SMALLEST = 1e-300  # keeps divisions finite where a row is all zero


def cholesky(matrix: Any) -> Any:
    """The lower triangular L, (n, n), of a positive definite matrix L L^T."""
    size = matrix.shape[0]
    rows = ops.arange(size)

    def eliminate(step, state):
        rest, lower = state
        pivot = ops.cast(ops.equal(rows, step), "float64")
        column = ops.where(rows >= step, ops.take(rest, step, axis=0), ops.zeros_like(pivot))
        column = column / ops.sqrt(ops.maximum(ops.sum(column * pivot), _SMALLEST))
        return rest - column[:, None] * column, lower + column[:, None] * pivot

    return ops.fori_loop(0, size, eliminate, (matrix, ops.zeros_like(matrix)))[1]


def eigh(matrix: Any) -> tuple[Any, Any]:
    """Eigenvalues (n,), in no order, and eigenvectors (n, n) in columns; `matrix` is positive."""
    scale = ops.maximum(ops.max(ops.abs(matrix)), _SMALLEST)
    partners = _tournament(matrix.shape[0])
    order = np.sign(partners - np.arange(len(partners[0])))  # 0: it sits this round out
    partners, order = ops.convert_to_tensor(partners), ops.convert_to_tensor(order.astype(float))
    rounds = partners.shape[0]

    def rotate(count, vectors, worst):
        step = count % rounds
        partner, first = ops.take(partners, step, axis=0), ops.take(order, step, axis=0)
        others = ops.take(vectors, partner, axis=0)
        product = ops.sum(vectors * others, axis=1) * ops.abs(first)
        square = ops.sum(ops.square(vectors), axis=1)
        lengths = ops.sqrt(square) * ops.sqrt(ops.take(square, partner))
        cosine = ops.max(ops.abs(product) / ops.maximum(lengths, _SMALLEST))
        # Golub & Van Loan, "Matrix Computations", 8.6.3; the two of a pair get opposite signs.
        gap = ops.take(square, partner) - square
        sign = ops.where(ops.equal(gap, 0), first, ops.sign(gap))
        reach = ops.abs(gap) + ops.sqrt(ops.square(gap) + 4 * ops.square(product))
        tangent = sign * 2 * product / ops.maximum(reach, _SMALLEST)
        along = 1 / ops.sqrt(1 + ops.square(tangent))
        vectors = along[:, None] * vectors - (tangent * along)[:, None] * others
        worst = ops.where(ops.equal(step, 0), cosine, ops.maximum(worst, cosine))
        return count + 1, vectors, worst

    def unfinished(count, _, worst):
        within = ops.not_equal(count % rounds, 0)
        return ops.logical_and(
            count < _MOST_SWEEPS * rounds, ops.logical_or(within, worst > _ORTHOGONAL)
        )

    # The rows of the transposed factor: L = V S J^T, so J^T L^T has the rows s_i v_i.
    start = ops.transpose(cholesky(matrix / scale))
    start = ops.zeros((), "int32"), start, ops.ones((), "float64")
    _, vectors, _ = ops.while_loop(unfinished, rotate, start)
    squares = ops.sum(ops.square(vectors), axis=1)
    unit = vectors / ops.sqrt(ops.maximum(squares, _SMALLEST))[:, None]
    return scale * squares, ops.transpose(unit)


def solve(matrix: Any, right: Any) -> Any:
    """X (n, m) of matrix X = right, for a matrix that is positive definite or triangular."""
    size = matrix.shape[0]
    block = min(size, _BLOCK)
    blocks = -(-size // block)
    more = blocks * block - size  # unknowns that are 0 fill the last block
    matrix, right = ops.pad(matrix, ((0, more), (0, more))), ops.pad(right, ((0, more), (0, 0)))

    def eliminate(step, whole):
        low, zero = step * block, 0 * step
        rows = ops.slice(whole, (low, zero), (block, whole.shape[1]))
        own, unknowns = ops.slice(rows, (zero, low), (block, block)), low + ops.arange(block)
        filled = ops.cast(unknowns >= size, "float64")[:, None]
        rows = ops.matmul(_inverse(own + filled * ops.eye(block, dtype="float64")), rows)
        # Subtracting the unit columns leaves, in the block's own place, the rows just found.
        unit = ops.cast(ops.equal(ops.arange(size + more)[:, None], unknowns), "float64")
        columns = ops.slice(whole, (zero, low), (size + more, block)) - unit
        return whole - ops.matmul(columns, rows)

    def improve(_, found):
        residual = right - ops.matmul(matrix, found)
        whole = ops.concatenate([matrix, residual], axis=1)
        return found + ops.fori_loop(0, blocks, eliminate, whole)[:, size + more :]

    return ops.fori_loop(0, 2, improve, ops.zeros_like(right))[:size]


def _inverse(matrix: Any) -> Any:
    """Gauss-Jordan elimination, one unknown at a time."""
    size = matrix.shape[0]
    unit = ops.eye(size, dtype="float64")

    def eliminate(step, whole):
        row = ops.take(whole, step, axis=0)
        row = row / ops.take(row, step)
        column = ops.take(whole, step, axis=1) - ops.take(unit, step, axis=0)
        return whole - column[:, None] * row

    return ops.fori_loop(0, size, eliminate, ops.concatenate([matrix, unit], axis=1))[:, size:]


def _tournament(size: int) -> np.ndarray:
    """Partners (rounds, size), int32: every two meet once; one left over meets itself."""
    even = size + size % 2
    others, rounds = np.arange(1, even), []
    for _ in range(even - 1):
        seats = np.concatenate([[0], others])
        partner = np.empty(even, np.int32)
        partner[seats] = seats[::-1]
        # An odd field has one place more than players.
        rounds.append(np.where(partner < size, partner, np.arange(even))[:size])
        others = np.roll(others, 1)
    return np.array(rounds, np.int32).reshape(-1, size)


_LINALG = SimpleNamespace(cholesky=cholesky, eigh=eigh, solve=solve)
PORTABLE_OPS = SimpleNamespace(**{**vars(ops), "linalg": _LINALG})
