"""Weights of a training's CNN: where they come from, what they fix, what is refused."""

import json

import keras
import numpy as np
import pytest

from recon.encoders import load_encoder, write_encoder
from recon.training.config import TrainingConfig
from recon.training.step import build_pair
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import Network, cnn_network
from rrstyle.networks.weight_files import load_vgg16
from tests.support import vgg16_files

ASKED = TrainingConfig().network
OURS = NetworkConfig(
    architecture="alexnet",
    layer="conv5",
    channels=8,
    padding="zero",
    pooling="average",
    encoder_activation="relu",
    law="he",
)


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg16") / "mine.weights.h5"
    return vgg16_files.write(path, vgg16_files.hollow(vgg16_files.random_vgg16()), "keras3")


@pytest.fixture
def ours(tmp_path):
    weights = cnn_network(OURS, seed=3).weights
    write_encoder(tmp_path / "ours.npz", OURS, weights)
    return tmp_path / "ours.npz", weights


def test_random_is_left_as_it_is():
    encoder = load_encoder("random", ASKED)
    assert (encoder.name, encoder.network, encoder.weights) == ("random", ASKED, None)


def test_vgg16_of_a_file_brings_its_plan(vgg16):
    encoder = load_encoder(str(vgg16), ASKED)
    assert encoder.name == "mine.weights.h5"
    network = encoder.network
    assert (network.encoder_activation, network.padding) == ("relu", "reflect")
    assert (network.layer, network.decoder_activation) == (ASKED.layer, "leaky_relu")
    wanted = load_vgg16(str(vgg16)).encoder("conv2")
    for ours, theirs in zip(encoder.weights, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    build_pair(TrainingConfig(network=network, encoder=encoder.name), encoder.weights)


def test_imagenet_is_what_the_cache_holds_and_never_downloaded(vgg16, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.applications, "VGG16", None)
    with pytest.raises(
        ValueError, match=r"must be in the cache of keras\.applications, and is not"
    ):
        load_encoder("imagenet", ASKED)
    (tmp_path / "models").mkdir()
    cached = tmp_path / "models/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    cached.symlink_to(vgg16)
    assert load_encoder("imagenet", ASKED).name == "imagenet"


def test_our_own_file_goes_there_and_back(ours):
    path, weights = ours
    asked = NetworkConfig(architecture="alexnet", layer="conv2", decoder_activation="leaky_relu")
    encoder = load_encoder(str(path), asked)
    network = encoder.network
    assert (network.layer, network.channels, network.pooling) == ("conv2", 8, "average")
    assert (network.padding, network.decoder_activation) == ("zero", "leaky_relu")
    assert len(encoder.weights) == 4
    for found, wanted in zip(encoder.weights, weights[:4], strict=True):
        np.testing.assert_array_equal(found, wanted)
    plan = cnn_network(network, seed=0).model
    image = np.random.default_rng(0).random((1, 31, 33, 3), np.float32)
    assert Network(plan, encoder.weights)(image).shape[-1] == 8
    assert json.loads(str(np.load(path)["about"]))["format"] == 1


def test_another_architecture_is_refused(ours, vgg16):
    with pytest.raises(ValueError, match=r"must be alexnet, .* 'ours.npz'; received vgg16"):
        load_encoder(str(ours[0]), ASKED)
    with pytest.raises(ValueError, match=r"must be vgg16, that of encoder 'mine\.weights\.h5'"):
        load_encoder(str(vgg16), NetworkConfig(architecture="alexnet", layer="conv2"))


def test_a_layer_that_is_not_there_is_refused(tmp_path):
    short = NetworkConfig(channels=4, layer="conv1")
    write_encoder(tmp_path / "short.npz", short, cnn_network(short, seed=0).weights)
    with pytest.raises(ValueError, match=r"one that 'short.npz' has, to conv1_2; received"):
        load_encoder(str(tmp_path / "short.npz"), ASKED)


def changed(path, **changes):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"about": None},
        {"about": np.array("[]")},
        {"about": np.array('{"format": 2}')},
        {"about": np.array('{"format": 1, "law": 3}')},
        {"conv3_1_bias": None},
        {"conv3_1_bias": np.zeros(7, np.float32)},
        {"conv1_1_kernel": np.full((11, 11, 3, 8), np.nan, np.float32)},
        {"conv1_1_bias": np.array(["x"] * 8)},
    ],
)
def test_a_file_that_is_not_ours_is_refused(ours, changes):
    changed(ours[0], **changes)
    with pytest.raises(ValueError, match=r"'ours\.npz' is neither, or damaged$"):
        load_encoder(str(ours[0]), OURS)


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_file_is_one_line(ours, damage):
    path = ours[0]
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
    with pytest.raises(ValueError, match=r"ours\.npz") as caught:
        load_encoder(str(path), OURS)
    assert "\n" not in str(caught.value)
    assert str(path.parent) not in str(caught.value)


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(ValueError, match="must be random, imagenet or an existing file; received"):
        load_encoder(str(tmp_path / "none.h5"), ASKED)
