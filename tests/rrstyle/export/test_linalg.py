"""Linear algebra out of what ONNX has: against the hand and against LAPACK."""

import numpy as np
import pytest
from keras import ops

from rrstyle.export.linalg import PORTABLE_OPS, cholesky, eigh, solve


def tensor(values):
    return ops.convert_to_tensor(np.asarray(values, np.float64))


def definite(size, condition, *, seed=0):
    """A matrix of known eigenvalues, 1 down to 1 / condition."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = np.geomspace(1, 1 / condition, size)
    matrix = (basis * values) @ basis.T
    return (matrix + matrix.T) / 2, values


def test_by_hand():
    # [[2, 1], [1, 2]] has the eigenvalues 3 along (1, 1) and 1 along (1, -1).
    values, vectors = map(np.asarray, eigh(tensor([[2, 1], [1, 2]])))
    largest = values.argmax()
    np.testing.assert_allclose([values[largest], values[1 - largest]], [3, 1], rtol=1e-14)
    np.testing.assert_allclose(np.abs(vectors), np.sqrt(0.5), rtol=1e-14)
    assert vectors[0, largest] * vectors[1, largest] > 0
    lower = np.asarray(cholesky(tensor([[4, 2], [2, 10]])))
    np.testing.assert_allclose(lower, [[2, 0], [1, 3]], rtol=1e-14)
    found = np.asarray(solve(tensor([[2, 1], [1, 2]]), tensor([[4, 3], [5, 0]])))
    np.testing.assert_allclose(found, [[1, 2], [2, -1]], rtol=1e-14)


@pytest.mark.parametrize(("size", "condition"), [(1, 1), (2, 1e6), (5, 1e2), (16, 1e8)])
def test_eigh_is_backward_stable(size, condition):
    matrix, expected = definite(size, condition)
    values, vectors = map(np.asarray, eigh(tensor(matrix)))
    np.testing.assert_allclose((vectors * values) @ vectors.T, matrix, rtol=0, atol=1e-14)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.sort(values), np.sort(expected), rtol=1e-15 * condition + 1e-13)


@pytest.mark.parametrize("scale", [1e-120, 1e-20, 1e120])
def test_eigh_at_any_scale(scale):
    matrix, expected = definite(4, 1e3)
    values, _ = eigh(tensor(scale * matrix))
    np.testing.assert_allclose(np.sort(values) / scale, np.sort(expected), rtol=1e-11)


def test_eigh_of_equal_eigenvalues():
    values, vectors = map(np.asarray, eigh(tensor(3 * np.eye(5))))
    np.testing.assert_allclose(values, 3, rtol=1e-14)
    np.testing.assert_allclose(np.abs(vectors), np.eye(5), atol=1e-14)


@pytest.mark.parametrize("size", [1, 7, 64, 65, 130])
def test_solve_is_lapacks(size):
    # The readout's matrices: a ridge of 1e-4 of the mean diagonal bounds their condition.
    matrix, _ = definite(size, 1e6)
    expected = np.random.default_rng(1).normal(size=(size, 3))
    found = np.asarray(solve(tensor(matrix), tensor(matrix @ expected)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_solve_of_a_triangular_matrix():
    matrix, _ = definite(70, 1e4)
    upper = np.linalg.cholesky(matrix).T
    right = np.random.default_rng(2).normal(size=(70, 70))
    expected = np.linalg.solve(upper, right)
    found = np.asarray(solve(tensor(upper), tensor(right)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_cholesky_is_lapacks():
    matrix, _ = definite(33, 1e6)
    np.testing.assert_allclose(
        cholesky(tensor(matrix)), np.linalg.cholesky(matrix), rtol=0, atol=1e-10
    )


def test_the_rest_is_keras():
    assert PORTABLE_OPS.matmul is ops.matmul
    assert PORTABLE_OPS.linalg.eigh is eigh
