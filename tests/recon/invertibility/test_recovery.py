"""Algorithms 1 and 2: by hand, against other solvers, and on codes that they must find."""

import numpy as np
import pytest
import scipy.optimize

from recon.invertibility.convolution import Convolution, dense, spectral_norm, unit_filters
from recon.invertibility.recovery import iterative_hard_thresholding, recover_codes
from recon.invertibility.rip import relative_error
from recon.invertibility.sparsity import max_pool, random_codes, sparsify, unpool

IDENTITY = np.ones((1, 1, 1))


def wide(batch=1, seed=0):
    """Fewer codes than pixels, nearly orthogonal: both algorithms must succeed."""
    rng = np.random.default_rng(seed)
    filters = rng.normal(0, 160**-0.5, (5, 32, 24))
    return Convolution(filters, (32,), batch=batch), rng


def test_one_step_is_a_layer_of_a_cnn():
    operator, rng = wide(batch=3)
    x = rng.standard_normal(operator.dims)
    found = iterative_hard_thresholding(operator, x, 5)
    np.testing.assert_array_equal(found, sparsify(operator @ x, 5))


def test_steps_by_hand():
    # W = 1/2 on one pixel: z <- z + (x - z / 2) / 2, with x = 1: 1/2, 7/8, ... to 2.
    operator = Convolution(IDENTITY / 2, (1,))
    for iterations, expected in ((1, 0.5), (2, 0.875), (3, 1.15625), (200, 2)):
        found = iterative_hard_thresholding(operator, [[[1.0]]], 1, iterations=iterations)
        assert found.item() == pytest.approx(expected)
    assert iterative_hard_thresholding(operator, [[[1.0]]], 1, step=4).item() == pytest.approx(2)


def test_iterations_find_the_code():
    operator, rng = wide(batch=8)
    codes = random_codes(tuple(operator.dimsd), 4, rng=rng)
    found = iterative_hard_thresholding(operator, operator.H @ codes, 4, iterations=40)
    np.testing.assert_allclose(found, codes, atol=1e-6)


def test_a_safe_step_never_raises_the_error():
    rng = np.random.default_rng(5)
    operator = Convolution(rng.standard_normal((3, 2, 30)), (12,))  # of large norm
    x = rng.standard_normal(operator.dims)
    step = 1 / spectral_norm(operator) ** 2
    errors = [
        relative_error(
            operator.H
            @ iterative_hard_thresholding(operator, x, 8, iterations=n, step=0.99 * step),
            x,
        ).item()
        for n in range(1, 30)
    ]
    assert np.all(np.diff(errors) <= 1e-12)
    wild = iterative_hard_thresholding(operator, x, 8, iterations=29)
    assert relative_error(operator.H @ wild, x).item() > 1e3


def test_no_iteration_is_refused():
    operator = Convolution(IDENTITY, (1,))
    with pytest.raises(ValueError, match="iterations must be at least 1; received 0"):
        iterative_hard_thresholding(operator, [[[1.0]]], 1, iterations=0)


def test_shrinkage_by_hand():
    # W the identity: each half is soft thresholding, here by .25 of the largest, 4.
    operator = Convolution(IDENTITY, (4,))
    found = recover_codes(
        operator,
        np.array([4.0, 3, -0.5, -2]).reshape(1, 4, 1),
        penalty=0.25,
        iterations=200,
        norm=1.0,
        pool=2,
    )
    np.testing.assert_allclose(found.ravel(), [3, 0, 0, -1], atol=1e-6)


def lasso(matrix, x, penalty):
    """argmin ||x - A z||^2 + penalty ||z||_1 by L-BFGS-B on z = p - n, p and n >= 0."""
    size = matrix.shape[1]

    def value(parts):
        residual = matrix @ (parts[:size] - parts[size:]) - x
        gradient = 2 * matrix.T @ residual
        return residual @ residual + penalty * parts.sum(), np.concatenate(
            [gradient + penalty, -gradient + penalty]
        )

    found = scipy.optimize.minimize(
        value,
        np.zeros(2 * size),
        jac=True,
        bounds=[(0, None)] * (2 * size),
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000},
    )
    return found.x[:size] - found.x[size:]


def test_both_halves_are_those_of_another_solver():
    rng = np.random.default_rng(6)
    operator = Convolution(unit_filters(rng.standard_normal((3, 3, 3, 4))), (4, 4), padding=1)
    x = rng.standard_normal(operator.dims)
    found = recover_codes(
        operator, x, penalty=0.1, iterations=500, norm=spectral_norm(operator), pool=2
    )
    matrix = dense(operator).T
    penalty = 0.1 * 2 * np.abs(matrix.T @ x.ravel()).max()
    first = lasso(matrix, x.ravel(), penalty).reshape(operator.dimsd)
    first[np.abs(first) < 1e-6] = 0
    values, switches = max_pool(first, 2)
    support = np.flatnonzero(unpool(values, (4, 4), 2, switches))
    expected = np.zeros(matrix.shape[1])
    expected[support] = lasso(matrix[:, support], x.ravel(), penalty)
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-4)


def test_the_code_of_a_picture_is_found_and_model_sparse():
    operator, rng = wide(batch=4)
    codes = random_codes(tuple(operator.dimsd), 6, 4, rng=rng)
    x = operator.H @ codes
    norm = spectral_norm(operator)
    found = recover_codes(operator, x, penalty=0.01, iterations=100, norm=norm, pool=4)
    np.testing.assert_array_equal(sparsify(found, 24 * 7, 4), found)
    assert relative_error(found, codes).max() < 0.1


def test_a_code_does_not_depend_on_its_batch_or_its_scale():
    operator, rng = wide(batch=2)
    x = rng.standard_normal(operator.dims)
    how = {"penalty": 0.1, "iterations": 20, "norm": spectral_norm(operator), "pool": 4}
    together = recover_codes(operator, x * np.array([1, 100]).reshape(2, 1, 1), **how)
    for i, factor in enumerate((1, 100)):
        alone = recover_codes(operator.of_batch(1), x[i : i + 1], **how)
        np.testing.assert_allclose(together[i : i + 1], factor * alone, rtol=1e-9, atol=1e-12)


def test_what_cannot_be_recovered_is_refused():
    operator = Convolution(IDENTITY, (4,))
    how = {"iterations": 5, "norm": 1.0, "pool": 2}
    with pytest.raises(ValueError, match=r"penalty must be in \(0, 1\); received 1"):
        recover_codes(operator, np.ones((1, 4, 1)), penalty=1, **how)
    with pytest.raises(ValueError, match="images must not be orthogonal to all filters"):
        recover_codes(operator, np.zeros((1, 4, 1)), penalty=0.1, **how)
