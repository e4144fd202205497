"""Lemma A.2: half moments, and products of rectified projections."""

import math

import numpy as np
import pytest

from recon.theory.moments import arc_cosine, half_moment, moments, rectified_product
from rrstyle.networks.laws import SCALED_LAWS, distribution
from tests.support.montecarlo import assert_mean, assert_mean_above

# Fourth moment over squared variance, less 3.
EXCESS_KURTOSIS = {"gaussian": 0.0, "uniform": -1.2, "logistic": 1.2, "laplace": 3.0}


def test_gaussian_constants_of_the_paper():
    gaussian = moments("gaussian", 0.1)
    assert gaussian.k1 == pytest.approx(0.1 / math.sqrt(2 * math.pi), rel=1e-14)
    assert gaussian.k2 == pytest.approx(0.005, rel=1e-14)
    np.testing.assert_allclose([gaussian.K1, gaussian.K2], [math.pi - 1, 5], rtol=1e-14)


def test_moments_by_hand():
    # Uniform on [-1, 1]: half of 1/2, 1/3, 1/5. Laplace of scale 1: half of 1, 2, 24.
    uniform = moments("uniform", 1 / math.sqrt(3))
    np.testing.assert_allclose([uniform.k1, uniform.k2, uniform.k4], [1 / 4, 1 / 6, 1 / 10])
    laplace = moments("laplace", math.sqrt(2))
    np.testing.assert_allclose([laplace.k1, laplace.k2, laplace.k4], [1 / 2, 1, 12])


@pytest.mark.parametrize("law", SCALED_LAWS)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_closed_forms_are_integrals_of_the_density(law, order):
    integral = distribution(law, 0.3).expect(lambda w: w**order, lb=0)
    assert half_moment(law, 0.3, order) == pytest.approx(integral, rel=1e-7)


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_the_second_moment_is_half_the_variance_and_the_fourth_has_the_kurtosis(law):
    found = moments(law, 0.7)
    assert found.k2 == pytest.approx(0.7**2 / 2, rel=1e-14)
    np.testing.assert_allclose(found.K2, 5 + 2 * EXCESS_KURTOSIS[law], rtol=1e-13)


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_moments_of_drawn_weights(law):
    w = distribution(law, 0.5).rvs(size=200_000, random_state=np.random.default_rng(0))
    found = moments(law, 0.5)
    for order, expected in ((1, found.k1), (2, found.k2), (4, found.k4)):
        assert_mean(np.maximum(w, 0) ** order, expected)


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_of_a_patch_the_second_moment_holds_for_every_law(law):
    y = np.array([0.9, 0.1, -0.4])
    w = distribution(law, 0.5).rvs(size=(200_000, 3), random_state=np.random.default_rng(1))
    g = np.maximum(w @ y, 0)
    assert_mean(g**2, moments(law, 0.5).k2 * (y @ y))
    kurtosis = EXCESS_KURTOSIS[law]
    assert_mean(g**4, 0.5**4 / 2 * (3 * (y @ y) ** 2 + kurtosis * np.sum(y**4)))


def test_of_a_patch_the_first_moment_holds_for_gaussian_weights_only():
    y = np.full(2, math.sqrt(0.5))  # of norm 1, so k_1 is claimed
    rng = np.random.default_rng(2)
    gaussian, laplace = (
        np.maximum(distribution(law, 1).rvs(size=(200_000, 2), random_state=rng) @ y, 0)
        for law in ("gaussian", "laplace")
    )
    assert_mean(gaussian, half_moment("gaussian", 1, 1))
    # (|a + b| of two Laplace variables of scale 1 has mean 3 / 2.)
    assert_mean(laplace, 3 / 8)
    assert_mean_above(laplace, half_moment("laplace", 1, 1))


def test_arc_cosine_by_hand():
    np.testing.assert_allclose(arc_cosine([1, 0, -1]), [1, 1 / math.pi, 0], atol=1e-15)
    np.testing.assert_allclose(arc_cosine(0.5), (math.pi / 3 + math.sqrt(3) / 2) / math.pi)
    assert arc_cosine(1 + 1e-15) == 1


def test_rectified_product_by_hand():
    # Equal vectors: k_2 ||y||^2. At right angles: k_1^2 z z. Opposite ones never fire together.
    assert rectified_product([3, 4], [3, 4], std=2) == pytest.approx(2 * 25)
    assert rectified_product([2, 0], [0, 3], std=1) == pytest.approx(6 / (2 * math.pi))
    assert rectified_product([1, 2], [-1, -2], std=1) == pytest.approx(0, abs=1e-15)
    assert rectified_product([0, 0], [1, 1], std=1) == 0


def test_rectified_product_of_drawn_filters():
    rng = np.random.default_rng(3)
    for _ in range(5):
        first, second = rng.normal(size=(2, 4))
        w = rng.normal(scale=0.3, size=(100_000, 4))
        products = np.maximum(w @ first, 0) * np.maximum(w @ second, 0)
        assert_mean(products, rectified_product(first, second, std=0.3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: half_moment("he", 1, 1), "law must be one of"),
        (lambda: half_moment("gaussian", 0, 1), "std must be positive"),
        (lambda: half_moment("gaussian", 1, 0), "order must be at least 1; received 0"),
        (lambda: rectified_product([1], [1, 2], std=1), "vectors of one length"),
        (lambda: rectified_product([1], [2], std=-1), "std must be positive"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
