"""A classifier's weights at step 0, standardised to the first images."""

import keras
import numpy as np
import pytest
from keras import ops

from recon.training.classify import standardised
from recon.training.step import unit_images
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import SharedNetwork, cnn_network, convolutions

PLAN = NetworkConfig(layer="conv3", padding="zero", law="he", channels=6)


@pytest.fixture(scope="module")
def pixels():
    # Photographs of a sunset, all of them: bright and red.
    return np.random.default_rng(0).integers(150, 230, (5, 16, 12, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def cnn():
    return cnn_network(PLAN, seed=1)


def before_activation(cnn, weights, position, pixels):
    layer = convolutions(cnn.model)[position]
    model = keras.Model(cnn.model.input, layer.output)
    return np.asarray(
        ops.convert_to_numpy(
            model.stateless_call(list(weights[: 2 * position + 2]), [], unit_images(pixels))[0]
        ),
        np.float64,
    )


def test_one_channel_by_hand():
    plan = NetworkConfig(layer="conv1_1", kernel=1, channels=1)
    plain = cnn_network(plan, seed=0)
    kernel = np.float32([[[[1.0], [0.0], [0.0]]]])  # the red channel
    cnn = SharedNetwork(plain.model, (kernel, np.zeros(1, np.float32)))
    reds = np.zeros((1, 1, 2, 3), np.uint8)
    reds[0, 0, :, 0] = 51, 153  # .2 and .6: mean .4, deviation .2
    found, bias = standardised(cnn, reds)
    np.testing.assert_allclose(found[0, 0, :, 0], [5, 0, 0], rtol=1e-4)
    np.testing.assert_allclose(bias, [-2], rtol=1e-4)


def test_every_channel_of_every_layer_has_mean_0_and_variance_1(cnn, pixels):
    weights = standardised(cnn, pixels)
    for position in range(len(weights) // 2):
        values = before_activation(cnn, weights, position, pixels)
        np.testing.assert_allclose(values.mean(axis=(0, 1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(values.std(axis=(0, 1, 2)), 1, atol=1e-3)


def test_it_keeps_the_directions_of_the_filters(cnn, pixels):
    for ours, drawn in zip(standardised(cnn, pixels)[::2], cnn.weights[::2], strict=True):
        ratio = ours / drawn
        assert (ratio > 0).all()
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1, :1, :1], ratio.shape), 1e-4)


def test_pictures_come_apart(cnn, pixels):
    def likeness(weights):
        features = cnn.model.stateless_call(list(weights), [], unit_images(pixels))[0]
        flat = ops.convert_to_numpy(features).reshape(len(pixels), -1)
        flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return (flat @ flat.T)[np.triu_indices(len(pixels), 1)].mean()

    assert likeness(cnn.weights) > 0.9
    assert likeness(standardised(cnn, pixels)) < likeness(cnn.weights) - 0.2
