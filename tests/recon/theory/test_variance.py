"""Theorems 5.2 and 5.3: their numbers, their steps, and networks that obey them."""

import math
from functools import reduce

import numpy as np
import pytest

from recon.theory.convergence import convergence_value, energies
from recon.theory.operators import axis_operators, pool_sums
from recon.theory.simulation import hidden_maps, sine
from recon.theory.variance import amplification, bound_of_plan, multilayer_bound, two_layer_bound
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample
from tests.support.montecarlo import assert_mean, assert_mean_above

K1, K2 = math.pi - 1, 5
IMAGE = np.random.default_rng(0).random((6, 6))
L2, ZERO = Pool("l2"), Upsample("zero")


def outputs(plan, networks, seed, image=IMAGE):
    rng = np.random.default_rng(seed)
    batch = image[None, :, :, None]
    return np.array(
        [hidden_maps(plan, batch, std=0.1, rng=rng)[0].mean(axis=-1) for _ in range(networks)]
    )


def test_two_layer_bound_by_hand():
    bound = two_layer_bound(64, delta=0.1)
    assert bound.value == pytest.approx(math.sqrt(K1 / 6.4))
    assert round(bound.value, 3) == 0.578
    assert not bound.vacuous
    assert two_layer_bound(21, delta=0.1).vacuous


def test_multilayer_bound_by_hand():
    step = math.sqrt((K1 / 100 + K2 / 50 + K2 / 25) / 0.5)
    bound = multilayer_bound([25, 50, 100], delta=0.5, amplification=1.2)
    assert bound.value == pytest.approx(step + math.sqrt(2 * step * 1.2))
    assert bound.vacuous
    assert multilayer_bound([9], delta=0.2) == two_layer_bound(9, delta=0.2)


def test_the_mean_number_of_channels_and_its_deltas_are_those_of_the_theorem():
    # sqrt((L - 1) / (N delta)) with 1 / N the mean of K / N_i; each delta_i brings the same step.
    channels, delta = [30, 60, 40], 0.1
    terms = np.array([K2 / 30, K2 / 60, K1 / 40])
    harmonic = 1 / terms.mean()
    step = math.sqrt(3 / (harmonic * delta))
    deltas = delta * harmonic * terms / 3
    assert deltas.sum() == pytest.approx(delta)
    np.testing.assert_allclose(np.sqrt(terms / deltas), step)
    assert multilayer_bound(channels, delta=delta).value == pytest.approx(
        step + math.sqrt(2 * step)
    )


@pytest.mark.parametrize(("layers", "least"), [(2, 22), (3, 490), (4, 1692), (5, 3936)])
def test_where_the_bounds_begin_to_say_something(layers, least):
    # At delta = 0.1 and the least amplification there is, 1.
    assert multilayer_bound([least - 1] * (layers - 1), delta=0.1).vacuous
    assert not multilayer_bound([least] * (layers - 1), delta=0.1).vacuous


def test_amplification_by_hand():
    # 2 x 2 windows apart, each of equal squares, lose nothing; the last step has its own.
    image = np.sqrt(np.repeat(np.repeat([[1.0, 2]], 2, 0), 2, 1))
    plan = Plan((Conv(1, 1), L2, Conv(1, 1)), ())
    np.testing.assert_allclose(
        amplification(plan, image), [1, 1, math.sqrt(2) * math.sqrt(4**2 + 8**2) / 12]
    )
    assert amplification(Plan((Conv(1),), ()), image).size == 0


def test_apart_windows_give_the_printed_amplification():
    plan = Plan((Conv(1, 1), L2, Conv(1, 1)), ())
    x = IMAGE**2
    sums = pool_sums(6, 2)
    means = sums.T @ (sums @ x @ sums.T / 4) @ sums
    printed = 1 / math.sqrt(1 - np.sum((x - means) ** 2) / np.sum(x**2))
    assert amplification(plan, IMAGE)[0] == pytest.approx(printed)


@pytest.mark.parametrize(
    "plan",
    [
        Plan((Conv(1), Conv(1, 5), Conv(1)), ()),
        Plan((Conv(1), L2), (ZERO, Conv(1))),
        Plan((Conv(1), L2), (Upsample("nearest"), Conv(1, 2))),
    ],
)
def test_no_layer_widens_an_angle_more(plan):
    image = np.random.default_rng(1).random((5, 6))
    maps, factors = energies(plan, image), amplification(plan, image)
    operators = list(zip(*(axis_operators(plan.layers, side) for side in (5, 6)), strict=True))
    rng = np.random.default_rng(2)
    for i, (rows, columns) in enumerate(operators[1:], start=1):
        norm = np.linalg.norm(np.kron(rows, columns), 2)
        ratio = np.linalg.norm(maps[i]) / np.linalg.norm(maps[i + 1])
        assert factors[i - 1] == pytest.approx(norm * ratio)
        for scale in (0.01, 0.3, 3):
            other = maps[i] * np.exp(scale * rng.normal(size=maps[i].shape))
            widened = sine(rows @ other @ columns.T, maps[i + 1])
            assert widened <= factors[i - 1] * sine(other, maps[i]) + 1e-12
    for scale in (0.01, 0.3, 3):
        other = maps[-1] * np.exp(scale * rng.normal(size=maps[-1].shape))
        angle = sine(other, maps[-1])
        assert sine(np.sqrt(other), np.sqrt(maps[-1])) <= math.sqrt(factors[-1] * angle) + 1e-12


def test_relative_variance_of_one_convolution_is_k1_over_n():
    plan = Plan((Conv(8),), ())
    limit = convergence_value(plan, IMAGE, std=0.1)
    errors = np.sum((outputs(plan, 1500, 3) - limit) ** 2, axis=(1, 2)) / np.sum(limit**2)
    assert_mean(errors, K1 / 8)


def test_relative_variance_of_squared_maps_is_k2_over_n():
    plan = Plan((Conv(8),), ())
    expected = 0.1**2 / 2 * energies(plan, IMAGE)[-1]
    rng = np.random.default_rng(4)
    squares = np.array(
        [
            np.mean(hidden_maps(plan, IMAGE[None, ..., None], std=0.1, rng=rng)[0] ** 2, axis=-1)
            for _ in range(1500)
        ]
    )
    errors = np.sum((squares - expected) ** 2, axis=(1, 2)) / np.sum(expected**2)
    assert_mean(errors, K2 / 8)


@pytest.mark.parametrize("delta", [0.1, 0.5])
def test_theorem_5_2_holds_and_its_mean_square_is_below_k1_over_n(delta):
    plan = Plan((Conv(64),), ())
    sines = sine(outputs(plan, 300, 5), convergence_value(plan, IMAGE, std=0.1))
    assert np.mean(sines > two_layer_bound(64, delta=delta).value) <= delta
    assert_mean_above(-(sines**2), -K1 / 64)


@pytest.mark.parametrize(
    "plan",
    [
        Plan((Conv(600), Conv(600)), ()),
        Plan((Conv(1000), L2), (ZERO, Conv(300))),
        pytest.param(Plan((Conv(800, 2), Conv(800), Conv(400)), ()), marks=pytest.mark.slow),
    ],
    ids=["two convolutions", "zero insertion", "three convolutions"],
)
def test_theorem_5_3_holds(plan):
    delta = 0.5
    bound = bound_of_plan(plan, IMAGE, delta=delta)
    assert not bound.vacuous
    sines = sine(outputs(plan, 20, 6), convergence_value(plan, IMAGE, std=0.1))
    assert np.mean(sines > bound.value) <= delta
    assert_mean_above(-sines, -bound.value)


def test_bound_of_plan_puts_the_parts_together():
    plan = Plan((Conv(70), L2), (ZERO, Conv(50)))
    product = reduce(lambda a, b: a * b, amplification(plan, IMAGE))
    assert bound_of_plan(plan, IMAGE, delta=0.2) == multilayer_bound(
        [70, 50], delta=0.2, amplification=product
    )
    one = Plan((Conv(70),), ())
    assert bound_of_plan(one, IMAGE, delta=0.2) == two_layer_bound(70, delta=0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_layer_bound(0, delta=0.1), r"channels must be at least 1.*received \[0\]"),
        (lambda: multilayer_bound([], delta=0.1), "channels must be at least 1"),
        (lambda: two_layer_bound(4, delta=1), r"delta must be in \(0, 1\); received 1"),
        (lambda: multilayer_bound([4], delta=0.1, amplification=0.5), "amplification must be"),
        (lambda: amplification(Plan((Conv(1),), ()), np.zeros((2, 2))), "a pixel other than 0"),
        (lambda: amplification(Plan((Conv(1), Pool(), Conv(1)), ()), IMAGE), "must be l2"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
