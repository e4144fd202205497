"""The style transfer of appendix A.4: each term by hand, the layers of the FVT, trained weights."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops

from rrstyle.config import NetworkConfig, OptimiseConfig, StyleConfig
from rrstyle.networks.build import SharedNetwork, cnn_network
from rrstyle.networks.weight_files import load_weights
from rrstyle.pictures.images import resize
from rrstyle.pipeline import stylize
from rrstyle.presets import PAPER_PRESETS
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.feature_networks import FeatureNetwork, vgg_network, vgg_part
from rrstyle.transfer.features import Transfer
from rrstyle.transfer.methods import transform
from rrstyle.transfer.optimise import Objective
from tests.support import vgg16_files
from tests.support.pairs import THIN, features, picture, rms

PLAIN = OptimiseConfig(content="own", scaling="absolute", loss="gram", steps=(6,))


def column(*values):
    """Features (4, 4, 1): four rows, each of one value."""
    return np.repeat(np.array(values, np.float32)[:, None, None], 4, axis=1)


def doubling(content=(0, 1), style=(0, 1)):
    """Two layers: ReLU(2 x), and on it ReLU(3 x)."""
    x = features = keras.Input((None, None, 1))
    outputs = []
    for _ in range(2):
        x = layers.Conv2D(1, 1, use_bias=False, activation="relu")(x)
        outputs.append(x)
    weights = tuple(np.full((1, 1, 1, 1), value, np.float32) for value in (2, 3))
    return FeatureNetwork(SharedNetwork(keras.Model(features, outputs), weights), content, style)


def value(network, v, content, style, **settings):
    config = replace(PLAIN, **settings)
    return Objective(network, content, style, config=config).value(v)


# Of each row the four activations: V_c 2 2 4 0 and 6 6 12 0; V_new 2 4 4 0 and 6 12 12 0.
CONTENT, NEW, STYLE = column(1, 1, 2, -5), column(1, 2, 2, -1), column(1, 3, 1, 3)


def test_the_content_loss_by_hand():
    # Equation 3: one row of four differs, by 2 in the first layer and 6 in the second.
    found = value(doubling(), NEW, CONTENT, STYLE, content_weight=0.5, style_weight=0)
    assert found == pytest.approx(0.5 * (4 * 2**2 + 4 * 6**2))
    one = value(doubling(content=(1,)), NEW, CONTENT, STYLE, style_weight=0)
    assert one == pytest.approx(4 * 6**2)


def test_the_gram_loss_by_hand():
    # Equation 4, Gram matrices divided by channels (here 1) and pixels. V_new gives
    # (4 + 16 + 16) / 4 = 9 and 9 * 9 = 81; V_s, 2 6 2 6 and 6 18 6 18, gives
    # (4 + 36 + 4 + 36) / 4 = 20 and 180.
    found = value(doubling(), NEW, CONTENT, STYLE, content_weight=0, style_weight=2)
    assert found == pytest.approx(2 * (11**2 + 99**2))
    first = value(doubling(style=(0,)), NEW, CONTENT, STYLE, content_weight=0, style_weight=2)
    assert first == pytest.approx(2 * 11**2)


def test_the_gram_loss_sees_channels_together():
    # Two channels, the same in one picture and never at once in the other.
    x = keras.Input((None, None, 2))
    model = keras.Model(x, [layers.Conv2D(2, 1, use_bias=False)(x)])
    network = FeatureNetwork(SharedNetwork(model, (np.eye(2)[None, None],)), (0,), (0,))
    together = np.concatenate([column(2, 0, 2, 0)] * 2, axis=-1)
    apart = np.concatenate([column(2, 0, 2, 0), column(0, 2, 0, 2)], axis=-1)
    # Means of products: 2 on both diagonals; off it 2 and 0, twice. Two channels: halves of these.
    found = value(network, apart, apart, together, style_weight=1)
    assert found == pytest.approx(2 * 1**2)


def test_the_loss_of_mean_and_deviation_by_hand():
    # V_new 2 4 4 0: mean 2.5, variance 36 / 4 - 6.25 = 2.75; V_s 2 6 2 6: mean 4, variance 4.
    network = doubling(style=(0,))
    settings = {"content_weight": 0, "style_weight": 1, "loss": "mean_std"}
    found = value(network, NEW, CONTENT, STYLE, **settings)
    assert found == pytest.approx(1.5**2 + (2 - 2.75**0.5) ** 2)


def test_relative_terms_by_hand():
    settings = {"scaling": "relative", "content_weight": 3, "style_weight": 2}
    # Content: each layer's difference is 4 of 4 + 4 + 16 + 0. Gram: (11 / 20)^2, as (99 / 180)^2.
    found = value(doubling(), NEW, CONTENT, STYLE, **settings)
    assert found == pytest.approx(3 * 4 / 24 + 2 * (11 / 20) ** 2)


# The plain mode


def given(content, style, *, optimise=PLAIN, seed=0, **settings):
    config = StyleConfig(
        method="optimise", network="vgg", encoder=THIN, optimise=optimise, **settings
    )
    return Transfer(content, Blend.of(style), config, seed=seed)


def pair():
    return features("chelsea", 48), features("waves", 48)


@pytest.mark.parametrize("preset", PAPER_PRESETS.values(), ids=lambda preset: preset.name)
def test_the_presets_are_the_papers(preset):
    config = preset.config
    printed = {"Paper 128": (128, 3, 0.01), "Paper 256": (256, 5, 0.01), "Paper 32": (32, 3, 0.1)}
    encoder = config.encoder
    assert (encoder.channels, encoder.kernel, encoder.std) == printed[preset.name]
    assert (encoder.layer, encoder.law, config.decoder) == ("conv1_2", "gaussian", "random")
    assert (encoder.encoder_activation, encoder.decoder_activation) == ("relu", "relu")
    part = vgg_part(config)
    assert part.style == ("conv2_1", "conv3_1", "conv4_1", "conv5_1")
    assert len(config.optimise.steps) == 1


def test_the_content_is_v_c_as_it_is():
    content, style = pair()
    start = replace(PLAIN, steps=(1,), learning_rate=1e-7)
    result = transform(given(content, style, optimise=start))
    np.testing.assert_allclose(result, content, atol=1e-5 * rms(style))
    # A style that weighs nothing: V_c is the minimum, also from other features.
    alone = replace(PLAIN, style_weight=0, steps=(30,))
    np.testing.assert_allclose(
        transform(given(content, style, optimise=alone)), content, atol=1e-5 * rms(style)
    )


def test_strength_mixes_v_c_and_v_new():
    content, style = pair()
    full = transform(given(content, style))
    half = transform(given(content, style, strength=0.5))
    np.testing.assert_allclose(half, (content + full) / 2, atol=1e-5 * rms(style))


@pytest.mark.parametrize(
    "setting",
    [
        {"pooling": "max"},
        {"content_layers": ("conv3_2",)},
        {"style_layers": ("conv2_2",)},
        {"content_weight": 1e4},
        {"scaling": "relative"},
        {"content": "transported"},
        {"start": "random"},
    ],
)
def test_every_choice_matters(setting):
    plain = transform(given(*pair()))
    other = transform(given(*pair(), optimise=replace(PLAIN, **setting)))
    assert rms(other - plain) > 1e-3 * rms(plain)


# Layers: none is run twice


@pytest.mark.parametrize(
    ("layer", "tap", "run", "style"),
    [
        ("conv1_1", "pre_pool", "1_2 p 2_1", "2_1 3_1 4_1 5_1"),
        ("conv1_2", "pre_pool", "p 2_1", "2_1 3_1 4_1 5_1"),
        ("conv1_2", "post_pool", "2_1", "2_1 3_1 4_1 5_1"),
        ("conv2_1", "pre_pool", "2_2 p", "2_2 3_1 4_1 5_1"),
        ("conv2_2", "pre_pool", "p 3_1", "3_1 4_1 5_1"),
        ("conv3", "post_pool", "4_1 4_2", "4_1 5_1"),
        ("conv5_1", "pre_pool", "5_2", "5_2"),
    ],
)
def test_the_fvt_has_the_layers_that_the_cnn_has_not(layer, tap, run, style):
    part = vgg_part(StyleConfig(encoder=NetworkConfig(layer=layer, tap=tap)))
    names = [getattr(one, "name", "p").removeprefix("conv") for one in part.layers]
    assert names[: len(run.split())] == run.split()
    assert part.style == tuple(f"conv{name}" for name in style.split())
    assert part.content == part.style[:1]
    assert names[-1] == style.split()[-1]


def test_it_ends_at_the_last_layer_of_the_losses():
    config = OptimiseConfig(content_layers=("conv4_2",), style_layers=("conv3_1", "conv2_2"))
    part = vgg_part(StyleConfig(optimise=config))
    assert part.layers[-1].name == "conv4_2"
    assert part.taps == ("conv4_2", "conv3_1", "conv2_2")
    found = vgg_network(4, StyleConfig(optimise=config), seed=0, dtype="float32")
    assert (found.content, found.style) == ((0,), (1, 2))
    outputs = found.network(np.ones((1, 32, 32, 4), np.float32))
    assert [output.shape[1:] for output in outputs] == [(4, 4, 512), (8, 8, 256), (16, 16, 128)]


@pytest.mark.parametrize(
    ("encoder", "chosen", "words"),
    [
        ({"layer": "conv5_3"}, {}, "layer must leave one of VGG16's to network vgg"),
        (
            {"layer": "conv2_2"},
            {"content_layers": ("conv3_1", "conv2_2")},
            "content_layers must come after conv2_2, the last layer of the CNN; received 'conv2_2'",
        ),
        ({}, {"style_layers": ("conv1_1",)}, "style_layers must come after conv1_2"),
        ({"architecture": "alexnet", "layer": "conv1"}, {}, "architecture must be vgg16"),
    ],
)
def test_layers_that_cannot_be_run_are_refused(encoder, chosen, words):
    config = StyleConfig(encoder=NetworkConfig(**encoder), optimise=OptimiseConfig(**chosen))
    with pytest.raises(ValueError, match=words):
        vgg_part(config)


# Trained weights


SIDE = 224  # borders, reflected here and zero there, reach 4 of 14 pixels into conv5_1


@pytest.fixture(scope="module")
def layers_of_vgg16():
    return vgg16_files.random_vgg16(0)


@pytest.fixture(scope="module")
def file(tmp_path_factory, layers_of_vgg16):
    path = tmp_path_factory.mktemp("weights") / "vgg16.h5"
    return str(vgg16_files.write(path, layers_of_vgg16, "keras2"))


@pytest.fixture
def seen(monkeypatch):
    """The transfers and networks that `optimise` was given; it is not run."""
    found = []

    def spy(moved, network_for):
        found.append((moved, network_for(moved.content.shape[:2]).network))
        return moved.content

    monkeypatch.setattr("rrstyle.transfer.optimise.optimise", spy)
    return found


def made(side=64, *, seed=0, optimise=PLAIN, **settings):
    config = StyleConfig(
        method="optimise", network="vgg", side=side, optimise=optimise, precision="float32"
    )
    config = replace(config, **settings)
    return stylize(picture("chelsea", side), picture("waves", side), config, seed=seed)


@pytest.mark.parametrize("layer", ["conv1_1", "conv1_2", "conv2_2", "conv3_1"])
def test_deep_activations_are_those_of_keras_applications(layer, file, layers_of_vgg16, seen):
    taps = ("conv3_2", "conv4_1", "conv5_1")
    fvt = OptimiseConfig(content="own", pooling="max", style_layers=taps, content_layers=taps[:1])
    square = resize(picture("chelsea", SIDE), (SIDE, SIDE))
    config = StyleConfig(
        method="optimise",
        network="vgg",
        side=SIDE,
        weights=file,
        encoder=NetworkConfig(layer=layer),
        optimise=fvt,
        precision="float32",
    )
    stylize(square, square, config, seed=0)
    ((moved, network),) = seen
    model = keras.applications.VGG16(weights=None, include_top=False)
    for name, kernel, bias in layers_of_vgg16:
        model.get_layer(name).set_weights([kernel, bias])
    names = [f"block{tap[4]}_conv{tap[6]}" for tap in taps]
    part = keras.Model(model.input, [model.get_layer(name).output for name in names])
    expected = part.predict(
        keras.applications.vgg16.preprocess_input(255 * square[None]), verbose=0
    )
    for found, wanted in zip(network(moved.content[None]), expected, strict=True):
        border = 2 + wanted.shape[1] // 7
        inner = np.s_[:, border:-border, border:-border]
        found = ops.convert_to_numpy(found)
        # The unit of the features: one factor for all layers.
        unit = np.vdot(found[inner], wanted[inner]) / np.vdot(found[inner], found[inner])
        assert unit == pytest.approx(rms(features_of(square, layer, file)), rel=1e-4)
        atol = 1e-4 * wanted.std()
        np.testing.assert_allclose(unit * found[inner], wanted[inner], rtol=0, atol=atol)


def features_of(image, layer, file):
    config = NetworkConfig(layer=layer)
    trained = load_weights(file, config)
    return cnn_network(trained.network, seed=0, trained=trained.weights).single(image)


def test_a_random_cnn_goes_with_a_trained_fvt(file, seen):
    made(weights=file, weights_for="fvt", encoder=NetworkConfig())
    ((moved, network),) = seen
    kernel, bias = load_weights(file).layers["conv2_1"]
    np.testing.assert_array_equal(network.weights[0], kernel)
    # Its biases are in the unit of the features it was trained on.
    unit = rms(features_of(picture("waves", 64), "conv1_2", file))
    np.testing.assert_allclose(network.weights[1], bias / unit, rtol=1e-5)
    random = cnn_network(NetworkConfig(), seed=0).single(picture("waves", 64))
    np.testing.assert_allclose(moved.style.parts[0], random / rms(random), rtol=1e-3, atol=1e-5)


def test_a_trained_cnn_goes_with_a_random_fvt(file, seen):
    made(weights=file, weights_for="cnn")
    ((moved, network),) = seen
    assert moved.trained is None
    drawn = vgg_network(64, StyleConfig(), seed=0, dtype="float32").network
    np.testing.assert_array_equal(network.weights[0], drawn.weights[0])
    trained = features_of(picture("waves", 64), "conv1_2", file)
    np.testing.assert_allclose(moved.style.parts[0], trained / rms(trained), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"encoder": THIN, "weights_for": "fvt"},
            "channels must be 64, those that 'vgg16.h5' takes after conv1_2; received 6",
        ),
        (
            {"network": "pyramid", "weights_for": "fvt"},
            "weights_for must be both or cnn but for method optimise with network vgg",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(settings, words, file, seen):
    with pytest.raises(ValueError, match=words):
        made(weights=file, **settings)
    assert seen == []


def test_the_fvt_has_a_seed_of_its_own(seen):
    for seed, fvt_seed in ((3, None), (3, 4), (4, None), (4, 3)):
        made(encoder=THIN, seed=seed, fvt_seed=fvt_seed)
    (first, a), (second, b), (third, c), (fourth, d) = seen
    np.testing.assert_array_equal(first.content, second.content)
    np.testing.assert_array_equal(third.content, fourth.content)
    assert not np.array_equal(first.content, third.content)
    for one, same, other in ((a, d, b), (b, c, a)):
        np.testing.assert_array_equal(one.weights[0], same.weights[0])
        assert not np.array_equal(one.weights[0], other.weights[0])
    assert [moved.seed for moved, _ in seen] == [3, 4, 4, 3]
