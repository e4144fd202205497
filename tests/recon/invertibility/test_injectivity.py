"""Injectivity of ReLU layers: layers that are known by hand, exact enumeration, and a theorem."""

import itertools
import math

import numpy as np
import pytest

from recon.invertibility.injectivity import (
    convolution_matrix,
    fewest_active,
    inversion_error,
    linear_region,
)

BOTH_SIGNS = np.concatenate([np.eye(3), -np.eye(3)])  # [I; -I]: ReLU(x) and ReLU(-x)
SEARCH = {"starts": 16, "steps": 120}


def fewest_exactly(rows: np.ndarray) -> int:
    """The least number of active rows: a region with it has an edge on which n - 1 rows vanish."""
    count, inputs = rows.shape
    fewest = count
    for chosen in itertools.combinations(range(count), inputs - 1):
        edge = np.linalg.svd(rows[list(chosen)])[2][-1]
        products = np.delete(rows @ edge, chosen)
        fewest = min(fewest, (products > 0).sum(), (products < 0).sum())
    return fewest


def gaussian(outputs: int, inputs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(outputs, inputs))


def test_a_layer_of_both_signs_is_injective_with_a_ratio_of_two():
    least, point = fewest_active([BOTH_SIGNS], **SEARCH, rng=np.random.default_rng(0))
    assert least == 3
    assert np.linalg.norm(point) == pytest.approx(1, abs=1e-6)
    assert inversion_error([BOTH_SIGNS], np.array([0.5, -2.0, 3.0])) == 0


def test_a_layer_without_negative_rows_loses_negative_inputs():
    least, point = fewest_active([np.eye(3)], **SEARCH, rng=np.random.default_rng(0))
    assert least == 0
    assert (point < 0).all()
    # Of (1, -2, 2) the second entry is lost: 2 of the norm of 3.
    assert inversion_error([np.eye(3)], np.array([1.0, -2.0, 2.0])) == pytest.approx(2 / 3)


def test_the_region_of_two_layers_by_hand():
    first, second = np.array([[1.0, 0], [0, 1], [-1, 0]]), np.array([[1.0, 1, 0], [1, -1, 0]])
    matrix, output = linear_region([first, second], np.array([1.0, 2.0]))
    np.testing.assert_array_equal(matrix, [[1, 1], [0, 0]])
    np.testing.assert_array_equal(output, [3, 0])


def test_the_matrix_of_a_convolution_by_hand():
    filters = np.zeros((3, 3, 1, 2))
    filters[1, 1, 0, 0], filters[1, 2, 0, 1] = 5, 7  # the place itself; the one to its right
    expected = np.zeros((4, 2, 4))
    for place in range(4):
        expected[place, 0, place] = 5
    expected[0, 1, 1] = expected[2, 1, 3] = 7
    np.testing.assert_array_equal(convolution_matrix(filters, 2), expected.reshape(8, 4))


@pytest.mark.parametrize("seed", range(4))
def test_an_input_comes_back_where_its_active_rows_have_full_rank(seed):
    layers, x = [gaussian(9, 5, seed), gaussian(12, 9, seed + 9)], gaussian(1, 5, seed + 99)[0]
    rank = np.linalg.matrix_rank(linear_region(layers, x)[0])
    assert (inversion_error(layers, x) < 1e-3) == (rank == 5)


def test_the_search_finds_the_fewest_of_small_layers():
    excess = []
    for seed in range(6):
        rows = gaussian(16, 3, seed)
        least, point = fewest_active([rows], starts=32, steps=200, rng=np.random.default_rng(seed))
        assert (rows @ point > 0).sum() == least  # an input that can be looked at
        excess.append(least - fewest_exactly(rows))
    assert min(excess) >= 0
    assert sum(excess) <= 1


def test_the_search_goes_through_the_layers_below():
    """No input closes the rows that see |x| through [I; -I]; a search of free maps would."""
    layers = [BOTH_SIGNS, np.concatenate([np.ones((4, 6)), -np.ones((3, 6))])]
    assert fewest_active(layers, **SEARCH, rng=np.random.default_rng(0))[0] == 4
    mixed = [BOTH_SIGNS, np.eye(6)]  # one of ReLU(x_i) and ReLU(-x_i) is open, whatever x
    assert fewest_active(mixed, **SEARCH, rng=np.random.default_rng(0))[0] == 3


def test_layers_close_as_often_as_wendel_says():
    """P(some x has no active row) = 2^(1 - m) sum_{k < n} C(m - 1, k), .5 for m = 6 and n = 3."""
    outputs, inputs, draws = 6, 3, 60
    chance = sum(math.comb(outputs - 1, k) for k in range(inputs)) / 2 ** (outputs - 1)
    found = [
        fewest_active(
            [gaussian(outputs, inputs, seed)], starts=8, steps=40, rng=np.random.default_rng(seed)
        )[0]
        for seed in range(draws)
    ]
    error = math.sqrt(chance * (1 - chance) / draws)
    assert np.mean(np.equal(found, 0)) == pytest.approx(chance, abs=4 * error)


def test_the_search_depends_on_its_arguments_alone():
    first, again = (
        fewest_active([gaussian(30, 6)], **SEARCH, rng=np.random.default_rng(3)) for _ in range(2)
    )
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])


def test_both_signs_of_an_orthonormal_basis_give_every_input_back():
    """Gilbert et al., Proposition 1: (W^T, -W^T) ReLU(W x; -W x) = x."""
    basis = np.linalg.qr(gaussian(6, 6))[0]
    both = np.concatenate([basis, -basis])
    for x in gaussian(20, 6, seed=1):
        np.testing.assert_allclose(both.T @ linear_region([both], x)[1], x, atol=1e-12)
