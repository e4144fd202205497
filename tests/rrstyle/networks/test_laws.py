"""Laws of random weights: moments, variance preservation, and which seed names what."""

import math

import numpy as np
import pytest
import scipy.stats

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network, dcn_network
from rrstyle.networks.laws import (
    DECODER,
    ENCODER,
    LAWS,
    PRESERVING_LAWS,
    SCALED_LAWS,
    TRANSFER,
    distribution,
    draw_kernel,
    layer_rng,
)
from tests.support.montecarlo import assert_mean

# Excess kurtosis, from any table: these tell the four laws apart at equal deviation.
KURTOSIS = {"gaussian": 0.0, "uniform": -1.2, "logistic": 1.2, "laplace": 3.0}


def draw(law, shape=(50, 50, 10, 10), *, std=0.015, seed=0):
    return draw_kernel(law, shape, std=std, rng=np.random.default_rng(seed))


def matrix(kernel):
    return kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_the_distribution_has_the_asked_deviation_and_the_laws_kurtosis(law):
    mean, variance, skew, kurtosis = distribution(law, 0.015).stats(moments="mvsk")
    assert mean == pytest.approx(0, abs=1e-15)
    assert math.sqrt(variance) == pytest.approx(0.015, rel=1e-12)
    assert skew == pytest.approx(0, abs=1e-12)
    assert kurtosis == pytest.approx(KURTOSIS[law], abs=1e-12)


def test_hand_computed_scales_of_the_laws():
    # The half-width .04 of the paper's uniform law is a deviation of .04 / sqrt(3) = .0231.
    assert distribution("uniform", 0.04 / math.sqrt(3)).support() == pytest.approx((-0.04, 0.04))
    assert distribution("laplace", math.sqrt(2)).pdf(0) == pytest.approx(0.5)
    assert distribution("logistic", math.pi / math.sqrt(3)).cdf(1) == pytest.approx(
        1 / (1 + math.exp(-1))
    )
    assert distribution("gaussian", 2.0).pdf(0) == pytest.approx(0.5 / math.sqrt(2 * math.pi))


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_drawn_weights_have_the_moments(law):
    weights = draw(law)
    assert weights.dtype == np.float32
    assert weights.shape == (50, 50, 10, 10)
    unit = weights.astype(np.float64) / 0.015
    assert_mean(unit, 0)
    assert_mean(unit**2, 1)
    assert_mean(unit**3, 0)
    assert_mean(unit**4, 3 + KURTOSIS[law])


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_drawn_weights_follow_the_law(law):
    sample = draw(law, (10, 10, 16, 10)).ravel().astype(np.float64)
    assert scipy.stats.kstest(sample, distribution(law, 0.015).cdf).pvalue > 1e-4
    assert scipy.stats.kstest(sample, distribution(law, 0.017).cdf).pvalue < 1e-4


@pytest.mark.parametrize("shape", [(3, 3, 16, 8), (3, 3, 2, 64), (1, 1, 4, 4)])
def test_orthogonal_columns_or_rows(shape):
    kernel = matrix(draw("orthogonal", shape))
    fan_in, outputs = kernel.shape
    if fan_in >= outputs:
        found, size, square = kernel.T @ kernel, outputs, 2.0
    else:
        found, size, square = kernel @ kernel.T, fan_in, 2 * outputs / fan_in
    np.testing.assert_allclose(found, square * np.eye(size), atol=1e-5 * square)


@pytest.mark.parametrize("law", PRESERVING_LAWS)
@pytest.mark.parametrize("shape", [(3, 3, 16, 8), (3, 3, 2, 64)])
def test_preserving_laws_have_variance_two_over_fan_in(law, shape):
    # Entries of an orthogonal matrix depend on each other: one sample a kernel is independent.
    kernels = [draw(law, shape, seed=seed) for seed in range(600)]
    corner = np.array([k[0, 0, 0, 0] for k in kernels], np.float64)
    assert_mean(corner, 0)
    assert_mean(corner**2, 2 / math.prod(shape[:3]))


def test_a_uniform_orthogonal_matrix_has_no_preferred_sign():
    # QR alone gives R a diagonal of one sign, and Q's trace a mean other than 0.
    traces = [np.trace(matrix(draw("orthogonal", (1, 1, 4, 4), seed=s))) for s in range(600)]
    assert_mean(traces, 0)


@pytest.mark.parametrize("law", PRESERVING_LAWS)
def test_preserving_laws_keep_the_mean_square_through_relu_layers(law):
    # E[relu(W^T x)^2] = |x|^2 / fan_in: half of the variance 2 / fan_in times |x|^2.
    x = np.random.default_rng(1).normal(size=72)
    squares = [
        np.mean(np.maximum(x @ matrix(draw(law, (3, 3, 8, 16), seed=s)), 0) ** 2)
        for s in range(400)
    ]
    assert_mean(squares, np.mean(x**2))


def test_preserving_laws_ignore_std_and_scaled_laws_scale_with_it():
    for law in LAWS:
        one, two = (draw(law, (3, 3, 4, 4), std=std) for std in (0.1, 0.2))
        factor = 1 if law in PRESERVING_LAWS else 2
        np.testing.assert_allclose(two, factor * one, rtol=1e-6)


def test_a_layers_stream_is_numpys_child_of_the_seed():
    # Nothing of Keras takes part, so both backends get the same numbers (see test_parity).
    child = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(DECODER, 2)))
    expected = child.normal(0, 0.01, (3, 3, 2, 2)).astype(np.float32)
    rng = layer_rng(7, DECODER, 2)
    found = draw_kernel("gaussian", (3, 3, 2, 2), std=0.01, rng=rng)
    np.testing.assert_array_equal(found, expected)


def test_streams_differ_by_seed_part_and_position():
    paths = [(0, ENCODER, 0), (1, ENCODER, 0), (0, DECODER, 0), (0, ENCODER, 1), (0, TRANSFER)]
    first = {layer_rng(*path).integers(2**63) for path in paths}
    assert len(first) == len(paths)
    assert layer_rng(0, ENCODER, 0).integers(2**63) in first
    assert layer_rng(np.int64(0), ENCODER, 0).integers(2**63) in first


def test_deeper_networks_keep_the_weights_of_shallower_ones():
    def weights(build, layer):
        return build(NetworkConfig(layer=layer, channels=4), seed=3).weights

    shallow, deep = (weights(cnn_network, layer) for layer in ("conv1_2", "conv3"))
    assert len(shallow) == 4
    assert len(deep) == 14
    for a, b in zip(shallow, deep, strict=False):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("build", [cnn_network, dcn_network])
def test_equal_shaped_layers_do_not_share_weights(build):
    network = build(NetworkConfig(layer="conv2_2", channels=4), seed=3)
    kernels = [k for k in network.weights[::2] if k.shape == (3, 3, 4, 4)]
    assert len(kernels) == 3
    flat = np.array([k.ravel() for k in kernels])
    correlation = np.corrcoef(flat)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(flat.shape[1])


def test_cnn_and_dcn_do_not_share_weights():
    # Their second and third convolutions have equal shapes and equal positions.
    config = NetworkConfig(layer="conv2_2", channels=4)
    cnn, dcn = (build(config, seed=0).weights for build in (cnn_network, dcn_network))
    for position in (1, 2):
        a, b = cnn[2 * position], dcn[2 * position]
        assert a.shape == b.shape
        assert not np.array_equal(a, b)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    config = NetworkConfig(channels=4)
    one, same, other = (cnn_network(config, seed=s).weights for s in (5, 5, 6))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or not np.array_equal(a, c)
        assert a.dtype == np.float32
    assert not np.any(one[1])  # biases are zero


@pytest.mark.parametrize("seed", [-1, True, 1.0, "1", None, np.float64(2)])
def test_refused_seeds(seed):
    with pytest.raises(
        ValueError, match=r"seed must be an integer from 0 to 2\^128; received"
    ) as error:
        layer_rng(seed, ENCODER)
    assert repr(seed) in str(error.value)


@pytest.mark.parametrize("std", [0, -0.1, math.nan, math.inf])
@pytest.mark.parametrize("law", SCALED_LAWS)
def test_refused_deviations(law, std):
    with pytest.raises(ValueError, match=f"std must be positive and finite; received {std!r}"):
        draw(law, std=std)


def test_refused_laws():
    with pytest.raises(ValueError, match="gaussian, uniform, logistic, laplace; received 'he'"):
        distribution("he", 1.0)
    with pytest.raises(ValueError, match="laplace, he, orthogonal; received 'cauchy'"):
        draw("cauchy")


@pytest.mark.parametrize("law", SCALED_LAWS)
def test_large_kernels_are_drawn_in_parts_of_one_stream(law):
    shape = (3, 3, 100, 100)  # more than is drawn at once
    kernel = draw_kernel(law, shape, std=0.1, rng=layer_rng(0, 0))
    whole = distribution(law, 0.1).rvs(size=shape, random_state=layer_rng(0, 0))
    np.testing.assert_array_equal(kernel, whole.astype(np.float32))
