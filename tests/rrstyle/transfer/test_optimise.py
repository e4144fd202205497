"""Objective, its optimisers, and the networks whose statistics it matches."""

import numpy as np
import pytest
from keras import ops

from rrstyle.config import NetworkConfig, OptimiseConfig, StyleConfig
from rrstyle.transfer.feature_networks import (
    PYRAMID_FILTERS,
    pyramid_levels,
    pyramid_network,
    vgg_network,
)
from rrstyle.transfer.optimise import Objective

RNG = np.random.default_rng(0)


def features(height=24, width=32, n=4, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return (scale * rng.normal(size=(height, width, n))).astype(np.float32)


def objective(style=None, loss="mean_covariance", weight=10.0, dtype="float32"):
    network = pyramid_network(4, size=(24, 32), seed=0, dtype=dtype)
    style = features(seed=1, scale=2.0) if style is None else style
    config = OptimiseConfig(loss=loss, style_weight=weight)
    return Objective(network, features(), style, config=config)


def test_pyramid_outputs():
    found = pyramid_network(4, size=(64, 96), seed=0, dtype="float32")
    outputs = [ops.convert_to_numpy(o) for o in found.network(features(64, 96)[None])]
    assert len(outputs) == 12
    assert [o.shape[1:] for o in outputs[:3]] == [(64, 96, 4)] + 2 * [(64, 96, PYRAMID_FILTERS)]
    assert outputs[-1].shape[1:3] == (8, 12)
    np.testing.assert_array_equal(outputs[0][0], features(64, 96))
    assert found.content == (0, 3)
    assert min(o.min() for o in outputs[1:3]) >= 0


@pytest.mark.parametrize(("size", "levels"), [((8, 8), 1), ((16, 99), 2), ((64, 64), 4)])
def test_pyramid_has_the_levels_that_fit(size, levels):
    assert pyramid_levels(*size) == levels
    found = pyramid_network(2, size=size, seed=0, dtype="float32")
    assert len(found.network(features(*size, n=2)[None])) == 3 * levels


def test_vgg_outputs_are_half_size_unless_pooled_before():
    for pooled, side in ((False, 16), (True, 32)):
        encoder = NetworkConfig(tap="post_pool" if pooled else "pre_pool")
        found = vgg_network(4, StyleConfig(encoder=encoder), seed=0, dtype="float32")
        shapes = [tuple(o.shape[1:]) for o in found.network(features(32, 32)[None])]
        assert [s[2] for s in shapes] == [128, 256, 512, 512]
        assert [s[0] for s in shapes] == [side, side // 2, side // 4, side // 8]


def test_seeds_name_the_filters():
    def kernel(seed):
        return pyramid_network(4, size=(24, 32), seed=seed, dtype="float32").network.weights[0]

    np.testing.assert_array_equal(kernel(3), kernel(3))
    assert not np.array_equal(kernel(3), kernel(4))


@pytest.mark.parametrize("loss", ["gram", "mean_std", "mean_covariance"])
def test_gradient_is_the_slope(loss):
    found = objective(loss=loss)
    start = features(seed=2)
    direction = features(seed=3)
    direction /= np.linalg.norm(direction)
    _, gradient = found.value_and_grad(start)
    step = 0.3
    slope = (found.value(start + step * direction) - found.value(start - step * direction)) / (
        2 * step
    )
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=0.05)


def test_content_is_the_minimum_of_the_content_term():
    found = objective(style=features())
    assert found.value(features()) < 1e-9
    assert found.value(features() + features(seed=9, scale=0.1)) > 1e-4


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_optimisers_go_down_and_report_each_step(optimiser):
    found, steps = objective(), []
    start = features()
    extra = {"rate": 0.05} if optimiser == "adam" else {}
    result = getattr(found, optimiser)(start, steps=12, report=steps.append, **extra)
    assert steps == list(range(1, 13))
    assert result.shape == start.shape
    assert result.dtype == np.float32
    assert found.value(result) < 0.7 * found.value(start)


def test_first_adam_step_has_the_length_of_the_rate():
    found = objective()
    moved = found.adam(features(), steps=1, rate=0.01, report=lambda done: None) - features()
    # Kingma & Ba: the first step is rate * gradient / (|gradient| + epsilon / sqrt(1 - beta_2)).
    _, gradient = found.value_and_grad(features())
    expected = -0.01 * gradient / (np.abs(gradient) + 1e-7 / np.sqrt(1 - 0.999))
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_bfloat16_convolutions_give_nearly_the_same_loss():
    start = features(seed=4)
    exact, rough = objective().value(start), objective(dtype="bfloat16").value(start)
    assert rough == pytest.approx(exact, rel=0.02)
    assert rough != exact


def test_one_compiled_step_serves_every_size():
    network = pyramid_network(4, size=(24, 32), seed=0, dtype="float32")
    for height, width in ((24, 32), (33, 47), (40, 24)):
        content = features(height, width)
        found = Objective(network, content, content, config=OptimiseConfig(loss="gram"))
        assert found.value(content) < 1e-9
