"""Model-sparse codes: pooling and its undoing, M(h, k), random codes, shares of non-zeros."""

import itertools

import numpy as np
import pytest

from recon.invertibility.sparsity import (
    keep_largest,
    max_pool,
    nonzero_share,
    random_codes,
    sparsify,
    unpool,
)
from tests.support.montecarlo import assert_mean

SHAPES = [((2, 7, 3), None), ((2, 7, 3), 2), ((2, 5, 4, 3), None), ((2, 5, 4, 3), 2)]


def test_whole_blocks_by_hand():
    # Two filters, three shifts: columns are blocks.
    codes = np.array([[[1.0, 4], [-3, 0], [2, -5]]])
    values, switches = max_pool(codes)
    np.testing.assert_array_equal(values, [[[-3, -5]]])
    np.testing.assert_array_equal(switches, [[[1, 2]]])
    np.testing.assert_array_equal(unpool(values, (3,))[0], [[-3, -5], [0, 0], [0, 0]])
    np.testing.assert_array_equal(
        unpool(values, (3,), switches=switches)[0], [[0, 0], [-3, 0], [0, -5]]
    )
    np.testing.assert_array_equal(sparsify(codes, 1)[0], [[0, 0], [0, 0], [0, -5]])


def test_squares_with_a_cut_border_by_hand():
    codes = np.array([[1.0, 2, 0], [0, -3, 7], [-1, 0, 0]]).reshape(1, 3, 3, 1)
    values, switches = max_pool(codes, 2)
    np.testing.assert_array_equal(values[0, ..., 0], [[-3, 7], [-1, 0]])
    # Places row by row inside a 2 x 2 square, cut ones counted as if they were whole.
    np.testing.assert_array_equal(switches[0, ..., 0], [[3, 2], [0, 0]])
    naive = unpool(values, (3, 3), 2)
    np.testing.assert_array_equal(naive[0, ..., 0], [[-3, 0, 7], [0, 0, 0], [-1, 0, 0]])
    np.testing.assert_array_equal(
        sparsify(codes, 2, 2)[0, ..., 0], [[0, 0, 0], [0, -3, 7], [0, 0, 0]]
    )


def test_the_largest_by_hand():
    values = np.array([[[1.0, -4]], [[3, 2]]])
    np.testing.assert_array_equal(keep_largest(values, 1), [[[0, -4]], [[3, 0]]])
    np.testing.assert_array_equal(keep_largest(values, 0), np.zeros_like(values))
    np.testing.assert_array_equal(keep_largest(values, 2), values)


def test_the_share_by_hand():
    np.testing.assert_array_equal(nonzero_share([[[0, 1], [2, 0]], [[0, 0], [0, -1]]]), [0.5, 0.25])


@pytest.mark.parametrize(("shape", "pool"), SHAPES)
def test_pooling_undoes_unpooling(shape, pool):
    values, switches = max_pool(np.random.default_rng(0).standard_normal(shape), pool)
    codes = unpool(values, shape[1:-1], pool, switches)
    again, places = max_pool(codes, pool)
    np.testing.assert_array_equal(again, values)
    np.testing.assert_array_equal(places, switches)


@pytest.mark.parametrize(("shape", "pool"), SHAPES)
def test_the_approximation_is_a_projection(shape, pool):
    codes = np.random.default_rng(1).standard_normal(shape)
    near = sparsify(codes, 3, pool)
    assert (np.count_nonzero(near.reshape(len(near), -1), axis=1) == 3).all()
    np.testing.assert_array_equal(near[near != 0], codes[near != 0])
    np.testing.assert_array_equal(sparsify(near, 3, pool), near)


def test_no_model_sparse_code_is_closer():
    codes = np.random.default_rng(2).standard_normal((1, 3, 4))
    distance = np.linalg.norm(sparsify(codes, 2) - codes)
    for blocks in itertools.combinations(range(4), 2):
        for places in itertools.product(range(3), repeat=2):
            other = np.zeros_like(codes)
            other[0, places, blocks] = codes[0, places, blocks]
            assert distance <= np.linalg.norm(other - codes) + 1e-15


@pytest.mark.parametrize(("shape", "pool"), SHAPES)
def test_random_codes_are_model_sparse(shape, pool):
    codes = random_codes(shape, 3, pool, rng=np.random.default_rng(3))
    assert codes.shape == shape
    assert (np.count_nonzero(codes.reshape(shape[0], -1), axis=1) == 3).all()
    np.testing.assert_array_equal(sparsify(codes, 3, pool), codes)
    assert np.abs(codes).max() <= 1


def test_random_codes_are_even_over_regions_and_inside_them():
    codes = random_codes((20000, 3, 2), 1, 2, rng=np.random.default_rng(4))
    entries = codes[codes != 0]
    assert_mean(entries, 0)
    assert_mean(entries**2, 1 / 3)
    # Four regions, of two shifts and of one: the shifts of the first have half of it each.
    for shift, expected in enumerate((1 / 8, 1 / 8, 1 / 4)):
        for block in range(2):
            assert_mean(codes[:, shift, block] != 0, expected)


def test_what_does_not_fit_is_refused():
    codes = np.ones((1, 4, 3))
    with pytest.raises(ValueError, match="k must be from 0 to 3; received 4"):
        sparsify(codes, 4)
    with pytest.raises(ValueError, match="k must be from 0 to 6; received -1"):
        sparsify(codes, -1, 2)
    with pytest.raises(ValueError, match="pool must be at least 1; received 0"):
        max_pool(codes, 0)
    with pytest.raises(ValueError, match="codes must have 3 or 4 axes; received shifts"):
        max_pool(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"values must be of \(2,\) regions; received shape"):
        unpool(np.ones((1, 3, 3)), (4,), 2)
    with pytest.raises(ValueError, match=r"switches must have the shape .* of values; received"):
        unpool(np.ones((1, 2, 3)), (4,), 2, np.zeros((1, 2, 1), int))
