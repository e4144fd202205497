"""Affine maps between Gaussians: hand-computed cases, then what defines each map."""

import numpy as np
import pytest

from rrstyle.transfer.closed_form import METHODS, Gaussian, fit_gaussian, fit_map


def random_gaussian(seed: int, n: int = 4) -> Gaussian:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    return Gaussian(rng.normal(size=n), root @ root.T + 0.5 * np.eye(n))


def pushed(covariance, matrix):
    return matrix.T @ covariance @ matrix


def test_fit_gaussian_by_hand():
    found = fit_gaussian(np.array([[[0.0, 0.0], [2.0, 4.0]]], np.float32))
    np.testing.assert_allclose(found.mean, [1, 2])
    np.testing.assert_allclose(found.covariance, [[1, 2], [2, 4]])


@pytest.mark.parametrize("method", METHODS)
def test_axis_aligned_gaussians_are_scaled_by_the_ratio_of_deviations(method):
    content = Gaussian(np.array([1.0, 2.0]), np.diag([4.0, 9.0]))
    style = Gaussian(np.array([-1.0, 0.0]), np.diag([16.0, 1.0]))
    found = fit_map(method, content, style)
    # The variance floor is 1e-4 of the mean variance.
    np.testing.assert_allclose(found.matrix, np.diag([2, 1 / 3]), atol=2e-3)
    np.testing.assert_allclose(found(np.array([[3.0, 2.0]], np.float32)), [[3, 0]], atol=5e-3)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "adain"])
@pytest.mark.parametrize("seed", range(3))
def test_the_style_covariance_is_reached(method, seed):
    content, style = random_gaussian(seed), random_gaussian(seed + 100)
    found = fit_map(method, content, style)
    reached = pushed(content.covariance, found.matrix)
    np.testing.assert_allclose(reached, style.covariance, atol=5e-3 * np.trace(style.covariance))
    np.testing.assert_array_equal(found.offset, style.mean)


def test_adain_reaches_the_variances_alone():
    content, style = random_gaussian(0), random_gaussian(1)
    found = fit_map("adain", content, style)
    reached = pushed(content.covariance, found.matrix)
    np.testing.assert_allclose(np.diag(reached), np.diag(style.covariance), rtol=1e-2)
    assert np.count_nonzero(found.matrix) == 4


def test_transport_is_symmetric_and_moves_least():
    content, style = random_gaussian(5), random_gaussian(6)

    def cost(matrix):  # E |x A - x|^2 for a centred x
        shift = matrix - np.eye(4)
        return np.trace(pushed(content.covariance, shift))

    maps = {m: fit_map(m, content, style).matrix for m in METHODS}
    np.testing.assert_allclose(maps["transport"], maps["transport"].T, atol=1e-9)
    assert cost(maps["transport"]) < cost(maps["whitening"])
    assert cost(maps["transport"]) < cost(maps["knothe"])


def test_knothe_is_triangular_with_a_positive_diagonal():
    matrix = fit_map("knothe", random_gaussian(7), random_gaussian(8)).matrix
    # x A with A upper triangular: channel j depends on the channels up to j.
    np.testing.assert_allclose(np.tril(matrix, -1), 0, atol=1e-12)
    assert np.all(np.diag(matrix) > 0)


def test_knothe_depends_on_the_order_of_channels_and_transport_does_not():
    content, style = random_gaussian(9), random_gaussian(10)
    order = np.array([2, 0, 3, 1])

    def permuted(g):
        return Gaussian(g.mean[order], g.covariance[np.ix_(order, order)])

    for method, same in (("transport", True), ("knothe", False)):
        direct = fit_map(method, content, style).matrix[np.ix_(order, order)]
        found = fit_map(method, permuted(content), permuted(style)).matrix
        assert np.allclose(found, direct, atol=1e-9) is same


@pytest.mark.parametrize("method", METHODS)
def test_equal_gaussians_give_the_identity(method):
    gaussian = random_gaussian(11)
    np.testing.assert_allclose(fit_map(method, gaussian, gaussian).matrix, np.eye(4), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("unit", [1e-16, 1e-8, 1e8])
def test_the_map_does_not_depend_on_the_unit(method, unit):
    def scaled(g):
        return Gaussian(unit * g.mean, unit**2 * g.covariance)

    content, style = random_gaussian(14), random_gaussian(15)
    found = fit_map(method, scaled(content), scaled(style)).matrix
    np.testing.assert_allclose(found, fit_map(method, content, style).matrix, atol=1e-9)


def test_towards_is_the_displacement_interpolation():
    content, style = random_gaussian(12), random_gaussian(13)
    found = fit_map("transport", content, style)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(found.towards(0.0)(x), x, atol=1e-5)
    np.testing.assert_allclose(found.towards(1.0)(x), found(x), atol=1e-5)
    np.testing.assert_allclose(found.towards(0.25)(x), 0.75 * x + 0.25 * found(x), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["content", "style", "both", "zero"])
def test_constant_features_stay_finite(method, kind):
    rng = np.random.default_rng(0)
    content, style = (rng.normal(size=(20, 3)).astype(np.float32) for _ in range(2))
    if kind in ("content", "both"):
        content = np.full_like(content, 0.7)
    if kind in ("style", "both"):
        style = np.full_like(style, 0.2)
    if kind == "zero":
        content, style = np.zeros_like(content), np.zeros_like(style)
    mapped = fit_map(method, fit_gaussian(content), fit_gaussian(style))(content)
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(mapped.mean(axis=0), style.mean(axis=0), atol=2e-3)


def test_unknown_method():
    with pytest.raises(ValueError, match=r"method must be one of adain, .*; received 'magic'"):
        fit_map("magic", random_gaussian(0), random_gaussian(1))
