"""Theorem 5.1: the convergence value, its constant, and the routes."""

import math

import numpy as np
import pytest

from recon.plans import rr_vgg
from recon.theory.convergence import (
    constant,
    convergence_value,
    energies,
    route_counts,
    route_matrix,
)
from recon.theory.operators import axis_operators, pool_sums, upsampling, window_sums
from recon.theory.simulation import hidden_maps
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample
from tests.support.montecarlo import assert_mean

L2, ZERO, NEAREST = Pool("l2"), Upsample("zero"), Upsample("nearest")
ONE = Plan((Conv(1),), ())
CD1 = Plan((Conv(3), Conv(2), L2), (ZERO, Conv(3)))


def test_operators_by_hand():
    np.testing.assert_array_equal(window_sums(3, 3), [[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(window_sums(3, 2), [[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    np.testing.assert_array_equal(pool_sums(3, 2), [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(upsampling("zero", 3, 2), [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(upsampling("nearest", 3, 2), [[1, 0], [1, 0], [0, 1]])


def test_one_convolution_by_hand():
    image = np.array([[3.0, 0], [0, 4]])
    # Every window of 3 x 3 holds the whole image, of norm 5.
    expected = 5 * 0.1 / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(convergence_value(ONE, image, std=0.1), np.full((2, 2), expected))


def test_pool_and_zero_insertion_by_hand():
    image = np.array([[3.0, 0, 1], [0, 4, 1]])
    plan = Plan((Conv(1, 1), L2), (ZERO, Conv(1, 1)))
    squares = energies(plan, image)
    np.testing.assert_array_equal(squares[2], [[25, 2]])
    np.testing.assert_array_equal(squares[-1], [[25, 0, 2], [0, 0, 0]])
    repeated = Plan((Conv(1, 1), L2), (NEAREST, Conv(1, 1)))
    np.testing.assert_array_equal(energies(repeated, image)[-1], [[25, 25, 2], [25, 25, 2]])


def test_the_constant_takes_the_root_of_k2_and_counts_convolutions_only():
    k1, k2 = 0.1 / math.sqrt(2 * math.pi), 0.005
    assert constant(ONE, std=0.1) == pytest.approx(k1)
    assert constant(CD1, std=0.1) == pytest.approx(k1 * k2)  # three convolutions
    # The printed one, k_1 k_2^2 here, is 200 times less.
    assert constant(CD1, std=0.1) / (k1 * k2**2) == pytest.approx(200)


def test_channels_of_the_image_add_their_squares():
    rgb = np.random.default_rng(0).random((5, 4, 3))
    norm = np.sqrt(np.sum(rgb**2, axis=2))
    np.testing.assert_allclose(
        convergence_value(CD1, rgb, std=1), convergence_value(CD1, norm, std=1)
    )


@pytest.mark.parametrize("plan", [ONE, CD1, Plan((Conv(1, 2), L2), (NEAREST, Conv(1, 5)))])
def test_the_recursion_is_the_sum_over_routes(plan):
    image = np.random.default_rng(1).random((5, 6))
    routes = route_matrix(plan, 5, 6)
    squares = (image**2).ravel() @ routes
    np.testing.assert_allclose(energies(plan, image)[-1].ravel(), squares, rtol=1e-13)
    counts = route_counts(plan, 5, 6)
    np.testing.assert_allclose(counts.ravel(), routes.sum(axis=0), rtol=1e-13)
    np.testing.assert_array_equal(routes, np.round(routes))


def test_routes_of_one_convolution_reach_its_neighbours_once():
    routes = route_matrix(ONE, 3, 3)
    np.testing.assert_array_equal(routes, routes.T)
    np.testing.assert_array_equal(routes[0].reshape(3, 3), [[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(routes[4], np.ones(9))


@pytest.mark.parametrize(
    ("convolutions", "block"), [(1, [[1, 2], [2, 4]]), (2, [[25, 20], [20, 16]])]
)
def test_zero_insertion_leaves_a_checkerboard(convolutions, block):
    plan = Plan((Conv(1, 1), L2), (ZERO, *(Conv(1),) * convolutions))
    counts = route_counts(plan, 12, 12)
    np.testing.assert_array_equal(counts[4:6, 4:6], 4 * np.array(block))  # 4 pixels a pool
    np.testing.assert_array_equal(counts[6:8, 4:6], counts[4:6, 4:6])
    value = convergence_value(plan, np.full((12, 12), 0.5), std=0.1)
    np.testing.assert_allclose(
        value[4:6, 4:6] / value[4, 4], np.sqrt(np.array(block) / block[0][0])
    )


def test_repetition_leaves_none():
    plan = Plan((Conv(1, 1), L2), (NEAREST, Conv(1)))
    assert np.ptp(route_counts(plan, 12, 12)[2:-2, 2:-2]) == 0


@pytest.mark.parametrize(
    "plan",
    [CD1, Plan((Conv(2, 2), L2, Conv(3, 1), L2), (NEAREST, Conv(2), ZERO, Conv(2)))],
    ids=["CD1", "two pools"],
)
def test_squared_maps_have_their_expectation_at_any_number_of_channels(plan):
    # E of the squared norms obeys the recursion exactly: only the last root needs the limit.
    image = np.random.default_rng(2).random((5, 5, 2))
    std, networks = 0.3, 1000
    rng = np.random.default_rng(3)
    found = [
        np.mean(hidden_maps(plan, image[None], std=std, rng=rng)[0] ** 2, axis=2)
        for _ in range(networks)
    ]
    convolutions = sum(isinstance(layer, Conv) for layer in plan.layers)
    expected = (std**2 / 2) ** convolutions * energies(plan, image)[-1]
    for (row, column), value in np.ndenumerate(expected):
        assert_mean([maps[row, column] for maps in found], value)


def test_one_convolution_has_the_limit_as_its_mean():
    image = np.random.default_rng(4).random((4, 4))
    rng = np.random.default_rng(5)
    plan = Plan((Conv(20_000),), ())
    maps = hidden_maps(plan, image[None, :, :, None], std=0.1, rng=rng)[0]
    for index, value in np.ndenumerate(convergence_value(plan, image, std=0.1)):
        assert_mean(maps[index], value)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace"])
def test_wide_networks_of_any_law_reach_the_limit(law):
    # The bias is of the order of 3 / N, a fraction of a standard error here.
    plan = Plan((Conv(700), L2), (ZERO, Conv(700)))
    image = np.random.default_rng(6).random((4, 4))
    limit = convergence_value(plan, image, std=0.1)
    rng = np.random.default_rng(7)
    outputs = [
        hidden_maps(plan, image[None, :, :, None], std=0.1, rng=rng, law=law)[0].mean(axis=-1)
        for _ in range(20)
    ]
    for index, value in np.ndenumerate(limit):
        assert_mean([f[index] for f in outputs], value)


def test_rr_vgg_is_a_plan_of_the_theorem_once_it_pools_by_l2():
    with pytest.raises(ValueError, match="pools of the plan must be l2; received 'max'"):
        constant(rr_vgg("conv2_1"), std=1)
    assert convergence_value(rr_vgg("conv1"), np.ones((6, 5, 3)), std=0.1).shape == (6, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: constant(Plan((Conv(1), L2), (ZERO,)), std=1), "end with a convolution"),
        (lambda: constant(Plan((), ()), std=1), "end with a convolution"),
        (lambda: constant(ONE, std=0), "std must be positive"),
        (lambda: energies(Plan((ZERO, Conv(1)), ()), np.ones((2, 2))), "must undo a pool"),
        (lambda: energies(ONE, np.ones(3)), r"image must be .* received shape \(3,\)"),
        (lambda: energies(ONE, np.array([[np.nan]])), "image must be finite"),
        (lambda: route_matrix(ONE, 65, 64), "at most 4096 pixels; received 65 x 64"),
        (lambda: route_counts(ONE, 0, 3), "size must be at least 1; received 0"),
        (lambda: axis_operators([Pool("max")], 2), "pools must be l2 or average; received 'max'"),
        (lambda: axis_operators([Conv(1, stride=2)], 4), "must have stride 1, one group; received"),
        (lambda: axis_operators([Pool("l2", 3, 2)], 4), "windows of pools must lie side by side"),
        (lambda: upsampling("cubic", 4, 2), "kind must be zero or nearest; received 'cubic'"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
