"""Statistics of feature maps and their distances."""

import numpy as np
import pytest
from keras import ops

from rrstyle.transfer import statistics as s

TWO_PIXELS = np.array([[[[1.0, 0.0], [3.0, 2.0]]]], np.float32)  # (1, 1, 2, 2)


def numpy(tree):
    return tuple(map(numpy, tree)) if isinstance(tree, tuple) else ops.convert_to_numpy(tree)


def test_gram_matrix_by_hand():
    np.testing.assert_allclose(numpy(s.gram_matrix(TWO_PIXELS)), [[5, 3], [3, 2]])


def test_mean_std_by_hand():
    mean, std = numpy(s.mean_std(TWO_PIXELS))
    np.testing.assert_allclose(mean, [2, 1])
    np.testing.assert_allclose(std, [1, 1], rtol=1e-6)


def test_mean_covariance_by_hand():
    mean, covariance = numpy(s.mean_covariance(TWO_PIXELS))
    np.testing.assert_allclose(mean, [2, 1])
    np.testing.assert_allclose(covariance, [[1, 1], [1, 1]])


def test_gram_is_covariance_plus_outer_product_of_means():
    features = np.random.default_rng(0).normal(size=(1, 5, 7, 3)).astype(np.float32)
    mean, covariance = numpy(s.mean_covariance(features))
    np.testing.assert_allclose(
        numpy(s.gram_matrix(features)), covariance + np.outer(mean, mean), atol=1e-5
    )


@pytest.mark.parametrize("name", s.STYLE_LOSSES)
def test_losses_are_zero_at_home_relative_and_blind_to_layout(name):
    measure, distance, _ = s.STYLE_LOSSES[name]
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(1, 6, 8, 4)).astype(np.float32) + 1 for _ in range(2))
    target = measure(b)
    assert float(distance(target, target)) == 0
    shuffled = rng.permutation(b.reshape(-1, 4)).reshape(b.shape)
    assert float(distance(measure(shuffled), target)) < 1e-10
    far = float(distance(measure(a), target))
    assert far > 1e-4
    # The same pictures ten times as bright are as far apart.
    scaled = float(distance(measure(10 * a), measure(10 * b)))
    assert scaled == pytest.approx(far, rel=1e-3)


@pytest.mark.parametrize("name", s.STYLE_LOSSES)
def test_constant_features_give_finite_losses(name):
    measure, distance, _ = s.STYLE_LOSSES[name]
    constant = np.zeros((1, 3, 3, 2), np.float32)
    assert np.isfinite(float(distance(measure(constant), measure(constant))))


def test_statistics_of_bfloat16_features_are_float32():
    features = ops.cast(ops.ones((1, 64, 64, 2)), "bfloat16")
    # In bfloat16 a sum of 4,096 ones would stop at 256.
    assert numpy(s.gram_matrix(features)).dtype == np.float32
    np.testing.assert_allclose(numpy(s.gram_matrix(features)), 1)
