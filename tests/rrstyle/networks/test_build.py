"""Random CNNs and DCNs: shapes, what every such network obeys, and the paper's three rrVGGs."""

import itertools
import re

import keras
import numpy as np
import pytest

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import (
    LEAKY_SLOPE,
    activate,
    build_cnn,
    build_cnn_dcn,
    build_dcn,
    cnn_network,
    convolutions,
    dcn_network,
    minimum_side,
    pool,
)
from rrstyle.networks.plan import Pool
from tests.support.layer_check import numpy_call

THIN = 4  # channels


def images(height, width, *, batch=1, seed=0):
    return np.random.default_rng(seed).random((batch, height, width, 3)).astype(np.float32)


def encode(config, x, seed=0):
    return keras.ops.convert_to_numpy(cnn_network(config, seed=seed)(x))


def decode(config, features, x, seed=0):
    return keras.ops.convert_to_numpy(dcn_network(config, seed=seed)(features, x))


def both(config, x, seed=0):
    return decode(config, encode(config, x, seed), x, seed)


# By hand


def test_the_smallest_cnn_is_a_convolution_and_a_relu():
    config = NetworkConfig(layer="conv1_1", channels=2, kernel=1, std=1.0)
    network = cnn_network(config, seed=0)
    kernel, bias = network.weights
    assert kernel.shape == (1, 1, 3, 2)
    x = images(2, 3)
    np.testing.assert_allclose(encode(config, x), np.maximum(x @ kernel[0, 0] + bias, 0), rtol=1e-6)


def test_the_smallest_dcn_is_a_linear_convolution():
    config = NetworkConfig(layer="conv1_1", channels=2, kernel=1, std=1.0)
    kernel, _ = dcn_network(config, seed=0).weights
    x, features = images(2, 3), images(2, 3)[..., :2] - 0.5
    expected = features @ kernel[0, 0]
    assert expected.min() < 0
    np.testing.assert_allclose(decode(config, features, x), expected, rtol=1e-5)


def test_activations_and_pools_by_hand():
    x = np.array([-5.0, 10.0], np.float32)
    np.testing.assert_array_equal(numpy_call(lambda t: activate(t, "relu"), x), [0, 10])
    leaky = numpy_call(lambda t: activate(t, "leaky_relu"), x)
    np.testing.assert_allclose(leaky, [-5 * LEAKY_SLOPE, 10], rtol=1e-6)
    assert LEAKY_SLOPE == 0.2

    square = np.array([[1, 2, 5], [3, -4, 6]], np.float32)[None, :, :, None]
    expected = {"max": [3, 6], "average": [0.5, 5.5], "l2": [30**0.5, 61**0.5]}
    for kind, values in expected.items():
        found = numpy_call(lambda t, kind=kind: pool(t, Pool(kind)), square)
        np.testing.assert_allclose(found[0, 0, :, 0], values, rtol=1e-6)


def test_both_halves_have_activations_of_their_own():
    x = images(6, 6)
    configs = [
        NetworkConfig(channels=THIN, encoder_activation=a, decoder_activation=b)
        for a, b in itertools.product(("relu", "leaky_relu"), repeat=2)
    ]
    encoded = [encode(c, x) for c in configs]
    assert encoded[0].min() == 0 > encoded[2].min()
    np.testing.assert_array_equal(encoded[0], encoded[1])
    np.testing.assert_array_equal(encoded[2], encoded[3])
    decoded = [decode(c, encoded[0], x) for c in configs]
    np.testing.assert_array_equal(decoded[0], decoded[2])
    assert not np.allclose(decoded[0], decoded[1])


# Sizes


@pytest.mark.parametrize("tap", ["pre_pool", "post_pool"])
@pytest.mark.parametrize(
    ("architecture", "layer", "divisors"),
    [
        ("vgg16", "conv1_1", (1, 1)),
        ("vgg16", "conv1", (1, 2)),
        ("vgg16", "conv2_1", (2, 2)),
        ("vgg16", "conv3", (4, 8)),
        ("vgg16", "conv5", (16, 32)),
        ("alexnet", "conv1", (4, 8)),
        ("alexnet", "conv3", (16, 16)),
        ("alexnet", "conv5", (16, 32)),
    ],
)
def test_sizes_at_every_tap(architecture, layer, divisors, tap):
    config = NetworkConfig(architecture=architecture, layer=layer, tap=tap, channels=THIN)
    side = minimum_side(config) + 2
    x = images(side, side + 3, batch=2)
    divisor = divisors[tap == "post_pool"]
    features = encode(config, x)
    assert features.shape == (2, -(-side // divisor), -(-(side + 3) // divisor), THIN)
    assert decode(config, features, x).shape == x.shape


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("padding", ["reflect", "zero"])
@pytest.mark.parametrize("upsampling", ["zero", "nearest"])
def test_sizes_with_every_kernel_padding_and_upsampling(kernel, padding, upsampling):
    config = NetworkConfig(
        layer="conv2_1",
        channels=2,
        kernel=kernel,
        padding=padding,
        upsampling=upsampling,
        encoder_activation="leaky_relu",  # two channels of ReLU can all be dead
        decoder_activation="leaky_relu",
    )
    x = images(11, 14)
    features = encode(config, x)
    assert features.shape == (1, 6, 7, 2)
    picture = decode(config, features, x)
    assert picture.shape == x.shape
    assert picture.std() > 0


@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("architecture", ["vgg16", "alexnet"])
def test_sizes_with_every_pooling(pooling, architecture):
    config = NetworkConfig(
        architecture=architecture, layer="conv2", tap="post_pool", pooling=pooling, channels=THIN
    )
    side = minimum_side(config)
    x = images(side, side + 1)
    picture = both(config, x)
    assert picture.shape == x.shape
    assert np.isfinite(picture).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (15, 16), (17, 31), (33, 2)])
def test_odd_sizes_come_back_whole(size):
    config = NetworkConfig(layer="conv5", channels=2, padding="zero", std=0.3)
    x = images(*size)
    assert both(config, x).shape == x.shape


def test_only_the_size_of_the_reference_is_read():
    config = NetworkConfig(layer="conv2", channels=THIN)
    features = encode(config, images(9, 9))
    one = decode(config, features, images(9, 9))
    np.testing.assert_array_equal(one, decode(config, features, np.full((1, 9, 9, 3), np.nan)))


# The least size


PLANS = [
    {"layer": "conv1_1"},
    {"layer": "conv5"},
    {"layer": "conv2", "tap": "post_pool", "kernel": 5},
    {"layer": "conv2", "kernel": 4},
    {"architecture": "alexnet", "layer": "conv1"},
    {"architecture": "alexnet", "layer": "conv1", "tap": "post_pool"},
    {"architecture": "alexnet", "layer": "conv2"},
    {"architecture": "alexnet", "layer": "conv5", "tap": "post_pool"},
]


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_the_least_size_works_and_a_pixel_less_does_not(plan):
    config = NetworkConfig(channels=2, std=0.1, **plan)
    least = minimum_side(config)
    x = images(least, least)
    assert both(config, x).shape == x.shape
    small = images(least - 1, least + 3)
    with pytest.raises(Exception, match=r"(?i)pad"):
        both(config, small)


def test_least_sizes_by_hand():
    def least(**settings):
        return minimum_side(NetworkConfig(**settings))

    assert least(layer="conv1_1") == 2  # 3x3: one pixel beside the border
    assert least(layer="conv1_1", kernel=1) == 1
    assert least(layer="conv2_1") == 3  # ceil(3 / 2) = 2
    assert least(layer="conv5") == 17
    assert least(architecture="alexnet", layer="conv1") == 6
    assert least(layer="conv5", padding="zero") == 1
    assert least(layer="conv5", kernel=99) == 16 * 49 + 1


# What every such network obeys


@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_positive_homogeneity(pooling, activation):
    config = NetworkConfig(
        layer="conv2",
        tap="post_pool",
        channels=THIN,
        pooling=pooling,
        encoder_activation=activation,
        decoder_activation=activation,
        law="he",
    )
    x = images(10, 13) - 0.3
    once = both(config, x)
    scale = np.abs(once).max()
    np.testing.assert_allclose(both(config, 7 * x), 7 * once, atol=1e-5 * 7 * scale, rtol=0)
    # Not odd: that ReLU acts at all.
    assert np.abs(both(config, -x) + once).max() > 0.05 * scale


@pytest.mark.parametrize("upsampling", ["zero", "nearest"])
def test_translation_equivariance_away_from_borders(upsampling):
    config = NetworkConfig(
        layer="conv2", tap="post_pool", channels=THIN, law="he", upsampling=upsampling
    )
    large = images(64, 64)
    step = 4  # the product of the strides
    here, there = (both(config, large[:, i : i + 56, i : i + 56]) for i in (0, step))
    # Four convolutions each way, at sides 1, 1, 1/2, 1/2, and two pools: 18 pixels reach far.
    inner = slice(20, 36)
    moved = slice(20 + step, 36 + step)
    scale = np.abs(here).max()
    a, b = here[:, moved, moved], there[:, inner, inner]
    np.testing.assert_allclose(b, a, atol=1e-5 * scale, rtol=0)
    assert not np.allclose(here[:, inner, inner], b, atol=1e-2 * scale, rtol=0)


def test_a_constant_image_and_its_edges():
    x = np.full((1, 12, 12, 3), 0.5, np.float32)
    for padding in ("reflect", "zero"):
        config = NetworkConfig(layer="conv2", channels=THIN, padding=padding, law="he")
        spread = np.ptp(encode(config, x), axis=(1, 2)).max()
        # Reflection sees no border in a constant image; zeros are an edge.
        assert spread < 1e-5 if padding == "reflect" else spread > 0.05


def test_zero_insertion_leaves_a_checkerboard_of_period_two_in_a_constant_image():
    x = np.full((1, 24, 24, 3), 0.5, np.float32)
    config = NetworkConfig(layer="conv1", tap="post_pool", channels=THIN, law="he")
    picture = both(config, x)[0, 6:18, 6:18]
    scale = np.abs(picture).max()
    assert np.abs(picture[0, 0] - picture[0, 1]).max() > 0.05 * scale
    np.testing.assert_allclose(picture[2:, 2:], picture[:-2, :-2], atol=1e-5 * scale, rtol=0)


def test_every_pixel_of_a_pair_of_networks_reaches_the_result():
    config = NetworkConfig(layer="conv1", channels=THIN, law="he")
    x = images(9, 9)
    base = both(config, x)
    for row, column in ((0, 0), (4, 4), (8, 8), (0, 8)):
        changed = x.copy()
        changed[0, row, column] += 0.5
        assert np.abs(both(config, changed) - base)[0, row, column].max() > 0


# Keras models and pure functions


@pytest.mark.parametrize("layer", ["conv1_1", "conv2"])
@pytest.mark.parametrize("architecture", ["vgg16", "alexnet"])
def test_keras_models_are_the_pure_functions(architecture, layer):
    layer = layer if architecture == "vgg16" else layer[:5]
    config = NetworkConfig(architecture=architecture, layer=layer, channels=THIN, law="laplace")
    side = minimum_side(config) + 3
    x = images(side, side, batch=2)
    cnn, dcn = build_cnn(config, seed=4), build_dcn(config, seed=4)
    features = numpy_call(cnn, x)
    np.testing.assert_allclose(features, encode(config, x, seed=4), rtol=1e-4, atol=1e-7)
    picture = both(config, x, seed=4)
    atol = 1e-4 * np.abs(picture).max()
    np.testing.assert_allclose(numpy_call(dcn, features, x), picture, rtol=0, atol=atol)
    whole = numpy_call(build_cnn_dcn(config, seed=4), x)
    np.testing.assert_allclose(whole, picture, rtol=0, atol=atol)
    for a, b in zip(cnn.get_weights(), cnn_network(config, seed=4).weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_models_do_not_share_their_weights():
    config = NetworkConfig(channels=THIN)
    one, other = build_cnn(config, seed=0), build_cnn(config, seed=1)
    before = one.get_weights()
    other.set_weights([np.zeros_like(w) for w in before])
    for a, b in zip(before, one.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_saved_pair_gives_the_same_picture(tmp_path):
    config = NetworkConfig(layer="conv2", tap="post_pool", pooling="l2", channels=2, law="he")
    model, x = build_cnn_dcn(config, seed=0), images(9, 11)
    model.save(tmp_path / "pair.keras")
    loaded = keras.models.load_model(tmp_path / "pair.keras")
    np.testing.assert_array_equal(numpy_call(loaded, x), numpy_call(model, x))


def test_layers_are_named_as_in_the_papers():
    config = NetworkConfig(layer="conv2_1", channels=THIN)
    names = [layer.name for layer in convolutions(build_cnn(config, seed=0))]
    assert names == ["conv1_1", "conv1_2", "conv2_1"]
    names = [layer.name for layer in convolutions(build_dcn(config, seed=0))]
    assert names == ["deconv2_1", "deconv1_2", "deconv1_1"]


def test_the_dcn_mirrors_the_cnns_shapes():
    cnn, dcn = (build(NetworkConfig(layer="conv2"), seed=0).weights for build in NETWORKS)
    mirrored = [(*k.shape[:2], k.shape[3], k.shape[2]) for k in reversed(cnn[::2])]
    assert [k.shape for k in dcn[::2]] == mirrored


NETWORKS = (cnn_network, dcn_network)


def test_groups_are_those_of_alexnet():
    weights = cnn_network(NetworkConfig(architecture="alexnet", layer="conv2"), seed=0).weights
    assert [k.shape for k in weights[::2]] == [(11, 11, 3, 96), (5, 5, 48, 256)]


@pytest.mark.parametrize("build", NETWORKS)
def test_channels_that_groups_do_not_divide(build):
    config = NetworkConfig(architecture="alexnet", layer="conv2", channels=3)
    rule = "channels must be a multiple of 2, the groups of conv2_1; received 3"
    with pytest.raises(ValueError, match=re.escape(rule)):
        build(config, seed=0)


@pytest.mark.parametrize(
    ("std", "kernel", "channels"), [(0.01, 3, 128), (0.01, 5, 256), (0.1, 3, 32)]
)
def test_the_papers_rrvggs(std, kernel, channels):
    config = NetworkConfig(kernel=kernel, channels=channels, std=std)
    x = images(12, 10)
    model = build_cnn_dcn(config, seed=0)
    assert model.count_params() == 2 * kernel**2 * channels * (3 + channels) + 3 * channels + 3
    picture = numpy_call(model, x)
    assert picture.shape == x.shape
    assert np.isfinite(picture).all()
    assert picture.std() > 0
    # Its first filters have the asked deviation; 5 standard errors of a deviation.
    first = cnn_network(config, seed=0).weights[0]
    assert first.std() == pytest.approx(std, rel=5 / np.sqrt(2 * first.size))
