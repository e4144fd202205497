"""What stylize() and variants() refuse, and the odd but valid inputs that they take."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle import pipeline
from rrstyle.config import NetworkConfig, OptimiseConfig, PaintConfig, StyleConfig
from rrstyle.networks.build import cnn_network
from rrstyle.networks.weight_files import load_weights, write_weights
from rrstyle.pipeline import smallest_side, stylize, variants
from rrstyle.transfer import optimise
from tests.support import vgg16_files
from tests.support.pairs import METHODS, THIN, picture, rms

QUICK = StyleConfig(
    side=48,
    encoder=THIN,
    precision="float32",
    optimise=OptimiseConfig(steps=(3, 2)),
    paint=PaintConfig(rounds=(1,), keys=500),
)
TRANSPORT = replace(QUICK, method="transport")


def config(name, **changes):
    return replace(QUICK, **METHODS[name], **changes)


def flat(height, width, value=0.5):
    return np.full((height, width, 3), value, np.float32)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def refused(call) -> str:
    """The one line of the ValueError that `call` raises."""
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    return line


# Plain pictures


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("decoder", ["ridge", "random"])
@pytest.mark.parametrize(
    ("content", "style"),
    [
        (flat(32, 40), picture("waves", 48)),
        (picture("chelsea", 48), flat(40, 33, 0.2)),
        (flat(32, 32, 0.0), flat(32, 32, 0.0)),
        (flat(32, 32, 1.0), flat(32, 32, 0.0)),
    ],
    ids=["content", "style", "black", "white and black"],
)
def test_pictures_of_one_colour_give_finite_results(name, decoder, content, style):
    for strength in (0.5, 1.0):
        settings = config(name, decoder=decoder, strength=strength)
        image = stylize(content, style, settings, seed=0)
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert image.max() <= 1


@pytest.mark.parametrize("name", METHODS)
def test_a_style_of_one_colour_gives_that_colour(name):
    colour = np.array([0.8, 0.5, 0.2], np.float32)
    style = np.broadcast_to(colour, (48, 48, 3))
    image = stylize(picture("chelsea", 48), style, config(name), seed=0)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), colour, atol=0.05)


# Refusals


PAIR = noise(32, 40), noise(36, 36)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_bad_seeds(seed):
    line = refused(lambda: stylize(*PAIR, TRANSPORT, seed=seed))
    assert line == f"seed must be an integer from 0 to 2^128; received {seed!r}"


@pytest.mark.parametrize("n", [0, -3, 1.5, True, "2", None])
def test_bad_numbers_of_variants(n):
    line = refused(lambda: variants(*PAIR, TRANSPORT, n=n, seed=0))
    assert line == f"n must be a positive integer; received {n!r}"


BAD_IMAGES = [
    np.zeros((32, 40, 5)),
    np.full((32, 40, 3), np.nan),
    np.full((32, 40, 3), 2.0),
    "chelsea.png",
    np.zeros((32, 40, 3), complex),
]


@pytest.mark.parametrize("argument", ["content", "style"])
@pytest.mark.parametrize("bad", BAD_IMAGES, ids=["shape", "nan", "range", "text", "complex"])
def test_bad_images_are_named(argument, bad):
    pair = (bad, PAIR[1]) if argument == "content" else (PAIR[0], bad)
    assert argument in refused(lambda: stylize(*pair, TRANSPORT, seed=0))


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"n": 0}, {"content": noise(8, 8)}])
def test_errors_come_before_any_work(wrong, monkeypatch):
    monkeypatch.setattr(pipeline, "_render", None)
    told = []
    arguments = {"content": PAIR[0], "style": PAIR[1], "n": 2, "seed": 0} | wrong
    content, style = arguments.pop("content"), arguments.pop("style")
    refused(lambda: variants(content, style, TRANSPORT, on_step=told.append, **arguments))
    assert told == []


@pytest.mark.parametrize("argument", ["content", "style"])
def test_too_small_pictures_are_refused_by_argument_rule_and_size(argument):
    pair = {"content": noise(32, 40), "style": noise(32, 40)}
    pair[argument] = noise(15, 40)
    line = refused(lambda: stylize(**pair, config=TRANSPORT, seed=0))
    rule = f"{argument} is too small: at least 16 pixels a side for this network; received 40 x 15"
    assert line == rule
    pair[argument] = noise(30, 100)  # large enough until it is made smaller
    line = refused(lambda: stylize(**pair, config=TRANSPORT, seed=0))
    assert line == rule.replace("40 x 15", "48 x 14 at side 48")


DEEP = {
    "conv3": NetworkConfig(layer="conv3", channels=4, law="he"),
    "conv2 post_pool": NetworkConfig(layer="conv2", channels=4, tap="post_pool", law="he"),
    "alexnet": NetworkConfig(architecture="alexnet", layer="conv2", channels=4, law="he"),
    "wide filters": NetworkConfig(channels=1, kernel=35, law="he", encoder_activation="leaky_relu"),
}


@pytest.mark.parametrize(
    ("encoder", "pyramid", "vgg"),
    [
        ("conv3", 64, 128),
        ("conv2 post_pool", 64, 128),
        ("alexnet", 128, None),
        ("wide filters", 18, 32),
    ],
)
def test_smallest_sides_by_hand(encoder, pyramid, vgg):
    # 16 (pyramid) or 32 (vgg) feature pixels, times the strides of all pools and convolutions;
    # half a filter and one pixel more to reflect at every layer.
    for name in METHODS:
        expected = vgg if name == "optimise vgg" else pyramid
        settings = config(name, encoder=DEEP[encoder])
        if expected is None:
            line = refused(lambda settings=settings: smallest_side(settings))
            assert line == "architecture must be vgg16 for network vgg; received 'alexnet'"
        else:
            assert smallest_side(settings) == expected


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("encoder", DEEP)
def test_deep_networks_take_their_smallest_side_and_no_less(name, encoder):
    if (name, encoder) == ("optimise vgg", "alexnet"):
        name = "optimise pyramid"  # refused, see above
    settings = config(name, encoder=DEEP[encoder], paint=QUICK.paint)
    least = smallest_side(settings)
    settings = replace(settings, side=least + 5)
    content, style = noise(least, least + 5), noise(least + 5, least, seed=1)
    image = stylize(content, style, settings, seed=0)
    assert image.shape == content.shape
    assert np.isfinite(image).all()
    line = refused(lambda: stylize(content[:-1], style, settings, seed=0))
    assert line.startswith(f"content is too small: at least {least} pixels a side")
    line = refused(lambda: stylize(content, style[:, :-1], settings, seed=0))
    assert line.startswith(f"style is too small: at least {least} pixels a side")


@pytest.mark.parametrize("name", ["adain", "whitening", "transport", "knothe"])
def test_the_methods_agree_in_a_deep_network_whose_features_are_tiny_numbers(name):
    # Weights of deviation 0.01 and four channels: features of about 1e-8. The closed forms are
    # alike there as elsewhere; rounding that is not relative to them would show.
    encoder = NetworkConfig(layer="conv3", channels=4, decoder_activation="leaky_relu")
    settings = replace(TRANSPORT, side=64, encoder=encoder, method=name)
    content = noise(64, 64)
    image = stylize(content, noise(64, 64, seed=1), settings, seed=0)
    # Two samples of one law: nothing is to be transferred, and the ridge readout of so few
    # features gives little more than the mean.
    assert rms(image - content) < 0.33  # noise about its mean: 0.29


# Trained weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vgg16.h5"
    return str(vgg16_files.write(path, vgg16_files.random_vgg16(0), "keras2"))


def trained(weights, name="transport", **changes):
    pair = picture("chelsea", 48), picture("waves", 48)
    return stylize(*pair, config(name, weights=weights, **changes), seed=0)


@pytest.fixture
def encoders(monkeypatch):
    """The encoders of the pictures made, in their order."""
    seen, real = [], pipeline._render

    def spy(work, encoder, *rest):
        seen.append(encoder)
        return real(work, encoder, *rest)

    monkeypatch.setattr(pipeline, "_render", spy)
    return seen


def same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_encoder_is_the_seeds(encoders):
    list(variants(*PAIR, TRANSPORT, n=2, seed=9))
    for encoder, seed in zip(encoders, (9, 10), strict=True):
        same(encoder.weights, cnn_network(THIN, seed=seed).weights)


def test_a_weights_file_replaces_the_random_encoder(weights, encoders):
    settings = replace(TRANSPORT, weights=weights)
    images = [v.image for v in variants(*PAIR, settings, n=2, seed=9)]
    for encoder in encoders:  # the seed has no say in it: only the DCN differs
        same(encoder.weights, load_weights(weights, THIN).weights)
    plan = load_weights(weights, THIN).network
    random = stylize(*PAIR, replace(TRANSPORT, encoder=plan), seed=9)
    assert rms(images[0] - random) > 0.01
    assert rms(images[0] - images[1]) > 0.01


def test_what_trained_weights_fix_is_fixed(weights):
    asked = NetworkConfig(
        layer="conv2",
        channels=4,
        kernel=5,
        padding="zero",
        encoder_activation="leaky_relu",
        decoder_activation="leaky_relu",
        pooling="average",
    )
    expected = NetworkConfig(layer="conv2", decoder_activation="leaky_relu", pooling="average")
    assert load_weights(weights, asked).network == expected
    alexnet = replace(TRANSPORT, weights=weights, encoder=replace(asked, architecture="alexnet"))
    with pytest.raises(ValueError, match="architecture must be vgg16, that of encoder"):
        stylize(*PAIR, alexnet, seed=0)


def test_the_vgg_statistics_are_of_the_weights_file(weights, monkeypatch):
    real, given = optimise.vgg_network, []

    def spy(*args, **settings):
        given.append(settings["weights"])
        return real(*args, **settings)

    monkeypatch.setattr(optimise, "vgg_network", spy)
    trained(weights, "optimise vgg")
    trained("random", "optimise vgg")
    expected = load_weights(weights).above(NetworkConfig(), "conv5_1")
    assert len(given) == 2
    same(given[0][::2], expected[::2])
    assert given[1] is None


def test_weights_without_the_layers_of_the_statistics_are_refused(tmp_path):
    short = NetworkConfig(channels=4, layer="conv1")
    path = tmp_path / "short.npz"
    write_weights(path, short, cnn_network(short, seed=0).weights)
    assert trained(str(path), "adain").shape == (32, 48, 3)
    with pytest.raises(ValueError, match=r"encoder must be a VGG16 .* received 'short.npz'"):
        trained(str(path), "optimise vgg")


@pytest.mark.parametrize("name", ["paint", "optimise pyramid", "adain"])
def test_every_method_takes_trained_features(weights, name):
    image = trained(weights, name)
    assert image.shape == (32, 48, 3)
    assert np.isfinite(image).all()
    assert image.std() > 0.05


def test_wildness_and_strength_work_on_trained_features(weights):
    tame, wild, random = (
        trained(weights, **c) for c in ({}, {"wildness": 0.5}, {"decoder": "random"})
    )
    assert 0 < rms(wild - tame) < rms(random - tame)
    content = picture("chelsea", 48)
    np.testing.assert_allclose(trained(weights, strength=0.0), content, rtol=0, atol=1e-6)


def test_a_missing_weights_file_is_one_line(tmp_path):
    line = refused(lambda: trained(str(tmp_path / "none.h5")))
    assert line.startswith("encoder must be random, imagenet or an existing file")
